//go:build !unix

package main

import "syscall"

// dieOf returns: here no program runs that could have died of a signal.
func dieOf(syscall.Signal) {}
