package tuntap

import (
	"example.com/berth/link"
	"example.com/berth/link/internal/fdlink"
)

// Device is a TUN or TAP as a link.Device. Input and Changed are called from
// goroutines of the device's own, or of the Poller's that it was given; Output sends
// from the caller's.
type Device struct{ dev engine }

// engine is what a Device is made of where there is one.
type engine interface {
	link.Drainer
	Counters() fdlink.Counters
}

var _ link.Drainer = (*Device)(nil)

// Stats counts what happened to a device's frames.
type Stats = fdlink.Counters

// Info says what the device is. The MTU, the name and whether it is up follow
// the kernel's interface once a handler is attached. Up is false for ever after
// the interface was removed.
func (d *Device) Info() link.Info { return d.dev.Info() }

// Attach gives the device its handler and starts reading.
func (d *Device) Attach(h link.Handler) error { return d.dev.Attach(h) }

// Output hands frames to the kernel, which takes them as far as a socket before
// it returns. When the kernel's queue is full it returns how many were taken. It
// fails with ENETDOWN when the interface is down, ENODEV when it was removed.
func (d *Device) Output(frames []link.Frame) (int, error) { return d.dev.Output(frames) }

// Drain hands in what is waiting to be read, as link.Drainer has it. With a Poller
// it does nothing.
func (d *Device) Drain() { d.dev.Drain() }

// Close ends the device's goroutines and removes the interface, unless somebody
// made that persistent. A second Close does nothing.
func (d *Device) Close() error { return d.dev.Close() }

// Stats returns what was counted so far.
func (d *Device) Stats() Stats { return d.dev.Counters() }
