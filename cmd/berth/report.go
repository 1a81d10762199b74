package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"syscall"

	"github.com/spf13/cobra"
)

// The exit statuses.
const (
	exitSuccess     = 0
	exitNetwork     = 1
	exitUsage       = 2
	exitInterrupted = 128 + 2 // SIGINT, as shells give it
)

// errSaid ends a command with status 1 that has said itself what was wrong.
var errSaid = errors.New("")

// A mistake is an error in what the person gave, such as a usage.Error. It shows
// itself.
type mistake interface {
	error
	Print(w io.Writer, cmd *cobra.Command, args []string)
}

// report says what went wrong, if anything, and returns the exit status.
func report(ctx context.Context, cmd *cobra.Command, args []string, err error, w io.Writer) int {
	var wrong mistake
	var status exitStatus
	switch {
	case err == nil:
		return exitSuccess
	case errors.As(err, &status):
		return int(status)
	case errors.As(err, &wrong):
		wrong.Print(w, cmd, args)
		return failure(cmd, exitUsage)
	case ctx.Err() != nil:
		return exitInterrupted
	case quiet(err):
		return exitNetwork
	case errors.Is(err, errSaid):
		return exitNetwork
	}
	fmt.Fprintf(w, "%s: %s\n", cmd.CommandPath(), explain(err))
	return failure(cmd, exitNetwork)
}

// failure is the status of a command that failed. That of run must not be taken for
// its program's.
func failure(cmd *cobra.Command, status int) int {
	if cmd.Name() == "run" {
		return exitRun
	}
	return status
}

// quiet tells whether an error is that nobody reads the output any more: the
// reader knows.
func quiet(err error) bool {
	var path *os.PathError
	return errors.Is(err, io.ErrClosedPipe) ||
		errors.As(err, &path) && errors.Is(err, syscall.EPIPE)
}

// explain is an error in the words of a person: what was tried on which address,
// and what came of it.
func explain(err error) string {
	var op *net.OpError
	if !errors.As(err, &op) {
		return err.Error()
	}
	what := op.Op
	if op.Op == "dial" {
		what = "connect to"
	}
	reason := op.Err
	var sys *os.SyscallError
	if errors.As(reason, &sys) {
		reason = sys.Err
	}
	if op.Addr == nil {
		return fmt.Sprintf("%s: %v", what, reason)
	}
	return fmt.Sprintf("%s %s (%s): %v", what, op.Addr, op.Net, reason)
}
