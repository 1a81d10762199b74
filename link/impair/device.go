package impair

import (
	"errors"
	"sync"
	"time"

	"example.com/berth/link"
)

// A Device impairs another. It implements link.Device.
type Device struct {
	dev     link.Device
	start   time.Time
	out, in side

	mu      sync.Mutex // guards all below
	invalid error      // what was wrong with the Config given to New
	handler link.Handler
	closed  bool
}

// New returns a device that impairs what dev sends. It takes dev over: nobody
// else may use it. A Config that cannot be is the error of Attach; until then
// the device impairs nothing.
func New(dev link.Device, output Config) *Device {
	d := &Device{dev: dev, start: time.Now(), invalid: output.Validate()}
	if d.invalid != nil {
		output = Config{}
	}
	medium := dev.Info().Medium
	d.out.line.init(medium, 0, output)
	d.in.line.init(medium, 1, Config{})
	d.in.line.input = true
	d.out.sink, d.in.sink = d.emit, d.deliver
	for _, s := range []*side{&d.out, &d.in} {
		s.now, s.idle.L = d.now, &s.mu
	}
	return d
}

// SetOutput changes what happens to what is sent from now on. Packets on their
// way stay as they are. The random values go on, unless Seed is another.
func (d *Device) SetOutput(c Config) error { return d.out.configure(c) }

// SetInput is SetOutput for what is received; at first nothing happens to that.
func (d *Device) SetInput(c Config) error { return d.in.configure(c) }

// OutputStats returns the counters of what is sent.
func (d *Device) OutputStats() Stats { return d.out.read() }

// InputStats returns the counters of what is received.
func (d *Device) InputStats() Stats { return d.in.read() }

// now is the time since the device was made.
func (d *Device) now() time.Duration { return time.Since(d.start) }

// Info implements link.Device: it is that of the device beneath.
func (d *Device) Info() link.Info { return d.dev.Info() }

// Attach implements link.Device. It also gives the error of a Config that
// cannot be.
func (d *Device) Attach(h link.Handler) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case d.closed:
		return link.ErrClosed
	case d.invalid != nil:
		return d.invalid
	case d.handler != nil:
		return link.ErrAttached
	}
	d.handler = h
	if err := d.dev.Attach(receiver{d, h}); err != nil {
		d.handler = nil
		return err
	}
	return nil
}

// Output implements link.Device. What is to be lost or delayed counts as taken.
func (d *Device) Output(frames []link.Frame) (int, error) {
	if d.out.straight(frames) {
		n, err := d.dev.Output(frames)
		d.out.passed(n)
		return n, err
	}
	info := d.dev.Info()
	good, err := info.CheckAll(frames)
	if !d.out.push(frames[:good]) {
		return 0, link.ErrClosed
	}
	return good, err
}

// emit sends what leaves to the device beneath, passing over what that refuses.
func (d *Device) emit(frames []link.Frame) (taken int) {
	for len(frames) > 0 {
		n, err := d.dev.Output(frames)
		taken += n
		if err == nil || errors.Is(err, link.ErrClosed) {
			break
		}
		frames = frames[n+1:]
	}
	return taken
}

// deliver hands what leaves to the handler.
func (d *Device) deliver(frames []link.Frame) int {
	d.mu.Lock()
	h := d.handler
	d.mu.Unlock()
	h.Input(frames)
	return len(frames)
}

// receiver is the handler of the device beneath.
type receiver struct {
	d *Device
	h link.Handler
}

func (r receiver) Input(frames []link.Frame) { r.d.in.push(frames) }
func (r receiver) Changed()                  { r.h.Changed() }

// Close implements link.Device. What is on its way is lost.
func (d *Device) Close() error {
	d.mu.Lock()
	d.closed = true
	d.mu.Unlock()
	d.out.shut()
	d.in.shut()
	err := d.dev.Close()
	d.out.wait()
	d.in.wait()
	return err
}
