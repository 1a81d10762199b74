//go:build !linux

package tuntap

import (
	"errors"
	"fmt"
	"runtime"
)

var errOther = fmt.Errorf("tuntap: TUN and TAP interfaces are supported on Linux only, not on %s: "+
	"use link/wire for hosts in one process, or run on Linux: %w", runtime.GOOS, errors.ErrUnsupported)

// Open makes an interface; it exists on Linux only.
func Open(name string, opts ...Option) (*Device, error) {
	if _, err := configure(opts); err != nil {
		return nil, err
	}
	return nil, errOther
}

// FromFD takes a descriptor; it exists on Linux only.
func FromFD(fd int, opts ...Option) (*Device, error) {
	if _, err := configure(opts); err != nil {
		return nil, err
	}
	return nil, errOther
}
