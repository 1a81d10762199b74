//go:build !linux

package afpacket

import (
	"errors"
	"fmt"
	"runtime"
)

var errOther = fmt.Errorf("afpacket: packet sockets are supported on Linux only, not on %s: "+
	"use link/wire for hosts in one process, or run on Linux: %w", runtime.GOOS, errors.ErrUnsupported)

// Open opens an interface; it exists on Linux only.
func Open(name string, opts ...Option) (*Device, error) {
	if _, err := configure(opts); err != nil {
		return nil, err
	}
	return nil, errOther
}
