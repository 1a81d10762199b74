// Package pinger asks a host for echoes, on the sockets of any provider: a ping
// socket where those are allowed, else a raw one. The messages are built here.
//
// A Pinger runs on one goroutine: it sends when it is time to, and receives
// until then. What it sees it reports as Events, and Printer or JSON show those
// as ping(8) or a program would like them.
package pinger
