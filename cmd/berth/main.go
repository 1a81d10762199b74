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
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends the process at once
	os.Exit(execute(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}
