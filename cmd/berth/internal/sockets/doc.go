// Package sockets is the table of a host's sockets as a person sees it: the
// columns of ss(8), or JSON.
//
// A Row comes from a host of berth's own (OfHost) or from the kernel (Kernel,
// by inet_diag); a Filter chooses rows, a Table prints them. Rows have one form
// in JSON, which is also what a control socket carries.
//
// Limits: Kernel is there on Linux only. Ports are shown as numbers.
package sockets
