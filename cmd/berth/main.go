package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"example.com/berth/cmd/berth/internal/labhost"
	"example.com/berth/internal/box"
)

func main() {
	box.Main()     // of a box that run makes, this process may be the first
	labhost.Main() // or it is the lab that several runs are in

	// A reader that goes away ends a command by the error of its next write, so
	// that what it opened is closed (see quiet).
	signal.Ignore(syscall.SIGPIPE)
	ctx, stop := signal.NotifyContext(context.Background(), ending()...)
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends the process at once
	os.Exit(execute(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// ending are the signals that end a command. An interrupt that this process was started
// to ignore, as one in the background of a script, stays ignored: by a program that it
// runs, too.
func ending() []os.Signal {
	if signal.Ignored(os.Interrupt) {
		return []os.Signal{syscall.SIGTERM}
	}
	return []os.Signal{os.Interrupt, syscall.SIGTERM}
}
