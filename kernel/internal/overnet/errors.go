package overnet

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"syscall"
)

// errno gives the contract's error for one of package net.
func errno(err error) error {
	var e syscall.Errno
	switch {
	case err == nil:
		return nil
	case errors.Is(err, net.ErrClosed):
		return syscall.EBADF
	case errors.Is(err, context.Canceled):
		return context.Canceled
	case errors.Is(err, os.ErrDeadlineExceeded):
		return os.ErrDeadlineExceeded
	case errors.As(err, &e):
		return portable(e)
	}
	return err
}

// endOfStream is errno for what is read from a stream, of which the orderly end
// is no error.
func endOfStream(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return nil
	}
	return errno(err)
}
