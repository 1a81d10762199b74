package kernel

import (
	"errors"
	"syscall"
)

// errno strips what Go's libraries wrap around the error of a system call. An
// error that holds none is given as it is.
func errno(err error) error {
	if e, ok := errors.AsType[syscall.Errno](err); ok {
		return e
	}
	return err
}

// result is the error of a system call that gave e: nil for 0.
func result(e syscall.Errno) error {
	if e == 0 {
		return nil
	}
	return e
}
