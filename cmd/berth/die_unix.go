//go:build unix

package main

import (
	"os"
	"os/signal"
	"syscall"
	"time"
)

// dieOf ends this process by the signal that its program died of: a shell goes on with
// a loop or a script after a command that took the interrupt itself and exited, but not
// after one that it killed. Where that is not possible it returns.
func dieOf(sig syscall.Signal) {
	if os.Getpid() == 1 {
		return // the first process of a container does not die of signals
	}
	signal.Reset(sig)
	if syscall.Kill(os.Getpid(), sig) == nil {
		time.Sleep(time.Second) // it is on its way
	}
}
