// Package bridge is what package net of Go's standard library calls instead of
// the kernel when package overlay has put it there: system calls on sockets, by
// number, and the methods that net needs of a file descriptor.
//
// Sockets of IPv4 and IPv6 are those of one berth host in the process, made by
// the first call; no call here hands one of these families to the kernel. Their
// numbers begin at 1<<30, where no descriptor of the kernel is. Every other
// number, and every other family, is the kernel's: the calls then are those of
// package syscall.
//
// Sockets are blocking ones of berth, so that what waits, and what ends a wait
// (a deadline, a close), is berth's and not the runtime's poller.
//
// # The environment
//
//   - BERTH_LINE=lossy makes the loopback a line of MTU 1500 that loses one
//     TCP segment of a hundred and lets others overtake as many. Datagrams are
//     spared, which nobody would send again.
//   - BERTH_SEED is the seed of that, a number.
//   - BERTH_REPORT names a directory: a process that made a host writes what the
//     host has counted to a file there when it exits.
//
// # Limits
//
// A socket is no descriptor of the kernel: it cannot be duplicated, become an
// os.File, be inherited by a child, or be named in a system call that a program
// makes by itself. Control messages are not carried.
package bridge
