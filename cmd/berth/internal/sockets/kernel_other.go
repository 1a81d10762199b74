//go:build !linux

package sockets

import (
	"errors"
	"fmt"
	"runtime"
)

// Kernel is there on Linux only.
func Kernel(bool) ([]Row, error) {
	return nil, fmt.Errorf("the kernel's sockets on %s: %w", runtime.GOOS, errors.ErrUnsupported)
}
