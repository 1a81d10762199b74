//go:build !linux

package labhost

import "errors"

// Main does nothing: labs have no process here.
func Main() {}

// Join fails.
func Join(Options) (*Seat, error) { return nil, errors.New("programs have networks on Linux only") }
