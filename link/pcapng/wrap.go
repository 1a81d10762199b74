package pcapng

import (
	"errors"

	"example.com/berth/link"
)

// Wrap returns a device that writes to w what passes dev in both directions,
// whole. It takes dev over: nobody else may use it. An empty name stands for
// the one that dev calls itself. The Close of the device also returns the error
// of the writer, but does not close that.
func Wrap(dev link.Device, w *Writer, name string) link.Device {
	info := dev.Info()
	if name == "" {
		name = info.Name
	}
	return &device{dev, w.add(name, info, 0)}
}

// A device writes what passes another.
type device struct {
	dev link.Device
	to  *Interface
}

func (d *device) Info() link.Info { return d.dev.Info() }

func (d *device) Attach(h link.Handler) error { return d.dev.Attach(handler{h, d.to}) }

func (d *device) Output(frames []link.Frame) (int, error) {
	info := d.dev.Info()
	good, _ := info.CheckAll(frames)
	d.to.record(Out, frames[:good])
	n, err := d.dev.Output(frames)
	if n < good {
		d.to.refused(good - n)
	}
	return n, err
}

// Drain implements link.Drainer, for a device that is one.
func (d *device) Drain() {
	if dr, ok := d.dev.(link.Drainer); ok {
		dr.Drain()
	}
}

func (d *device) Close() error { return errors.Join(d.dev.Close(), d.to.w.Err()) }

// A handler writes what comes in before the handler of the device has it.
type handler struct {
	link.Handler
	to *Interface
}

func (h handler) Input(frames []link.Frame) {
	h.to.record(In, frames)
	h.Handler.Input(frames)
}
