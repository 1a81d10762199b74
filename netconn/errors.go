package netconn

import (
	"context"
	"errors"
	"net"
	"os"
	"syscall"
)

var (
	errMissingAddress = errors.New("missing address")
	errCanceled       = canceledError{}
	errTimeout        = timeoutError{}
)

const noSuitableAddress = "no suitable address found"

// canceledError is context.Canceled with the words of package net.
type canceledError struct{}

func (canceledError) Error() string        { return "operation was canceled" }
func (canceledError) Is(target error) bool { return target == context.Canceled }

// timeoutError is context.DeadlineExceeded with the words of package net. It is
// os.ErrDeadlineExceeded too, for which package net gives sometimes the one
// and sometimes the other.
type timeoutError struct{}

func (timeoutError) Error() string   { return "i/o timeout" }
func (timeoutError) Timeout() bool   { return true }
func (timeoutError) Temporary() bool { return true }

func (timeoutError) Is(target error) bool {
	return target == context.DeadlineExceeded || target == os.ErrDeadlineExceeded
}

// cause is what a net.OpError holds for an error of the socket contract: the
// name of the call with an errno, and package net's own error for what is not
// the network's fault.
func cause(call string, err error) error {
	switch err {
	case syscall.EBADF:
		return net.ErrClosed
	case context.Canceled:
		return errCanceled
	case context.DeadlineExceeded:
		return errTimeout
	}
	if e, ok := err.(syscall.Errno); ok {
		return os.NewSyscallError(call, e)
	}
	return err
}
