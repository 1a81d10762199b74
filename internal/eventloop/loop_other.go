//go:build !linux

package eventloop

import (
	"syscall"
	"time"
)

// A Loop is one goroutine that serves descriptors. There is none on this system.
type Loop struct{}

// New fails with ENOTSUP.
func New() (*Loop, error) { return nil, syscall.ENOTSUP }

// Add fails with ENOTSUP.
func (*Loop) Add(int, Events, Handler) (ID, error) { return 0, syscall.ENOTSUP }

// Poll fails with ENOTSUP.
func (*Loop) Poll(int, func() bool) (func(), error) { return nil, syscall.ENOTSUP }

// Post is false.
func (*Loop) Post(Runner) bool { return false }

// Do runs f.
func (*Loop) Do(f func()) { f() }

// At does nothing.
func (*Loop) At(*Timer, time.Time) {}

// Stop does nothing.
func (*Loop) Stop(*Timer) {}

// Close does nothing.
func (*Loop) Close() error { return nil }
