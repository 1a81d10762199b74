//go:build !linux

package box

import (
	"errors"
	"fmt"
	"os"
	"runtime"

	"example.com/berth/link"
)

// Main does nothing where there are no boxes.
func Main() {}

// Box is a program on a network of its own; they exist on Linux only.
type Box struct{}

// Start fails: boxes exist on Linux only.
func Start(Config) (*Box, error) {
	return nil, fmt.Errorf("a program on a network of its own takes Linux's namespaces, which %s has not: "+
		"run it in a virtual machine with Linux: %w", runtime.GOOS, errors.ErrUnsupported)
}

// Device is the outer end of the program's wire.
func (b *Box) Device() link.Device { return nil }

// Notes are things that the box does without.
func (b *Box) Notes() []Note { return nil }

// Run starts the program.
func (b *Box) Run() error { return errors.ErrUnsupported }

// Signal sends the program a signal.
func (b *Box) Signal(os.Signal) error { return errors.ErrUnsupported }

// Pause stops the program.
func (b *Box) Pause() error { return errors.ErrUnsupported }

// Resume lets it go on.
func (b *Box) Resume() error { return errors.ErrUnsupported }

// Holds tells whether a process group is the program's.
func (b *Box) Holds(int) bool { return false }

// Wait waits for the program.
func (b *Box) Wait() Status { return Status{} }

// Close ends the box.
func (b *Box) Close() error { return nil }

func mayExecute(string) error { return nil }

// Forwarded are the signals that are meant for a program; there is none.
var Forwarded, Unasked []os.Signal

// Bustle and Settle do nothing.
func Bustle() {}
func Settle() {}
