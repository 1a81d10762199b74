package runner

import (
	"errors"
	"os"

	"example.com/berth/internal/policy"
	"example.com/berth/link"
	"example.com/berth/link/impair"
	"example.com/berth/link/pcapng"
)

// wire is a device with what stands before it.
type wire struct {
	link.Device
	lines   *lines // nil if there is one line at most
	capture *pcapng.Writer
	file    *os.File
}

// newWire puts a bad line and a capture before the box's device. The capture shows
// what the program sends and gets. Find, if not nil, is the line of a flow among those
// that lead to some destinations. The wire owns the device, unless it fails.
func (o *Options) newWire(dev link.Device, find func(policy.Flow) int) (*wire, error) {
	w := &wire{Device: dev}
	if o.Pcap != "" {
		var err error
		if w.file, err = os.Create(o.Pcap); err != nil {
			return nil, err
		}
		w.capture = pcapng.NewWriter(w.file, pcapng.Options{})
		w.Device = pcapng.Wrap(dev, w.capture, "")
	}
	if find != nil {
		var err error
		if w.lines, err = newLines(w.Device, ways{o.Down, o.Up}, find); err != nil {
			return nil, errors.Join(err, w.finish())
		}
		w.Device = w.lines
	} else if o.impaired() {
		line := impair.New(w.Device, o.Down)
		if err := line.SetInput(o.Up); err != nil {
			return nil, errors.Join(err, w.finish())
		}
		w.Device = line
	}
	return w, nil
}

// impaired tells whether the line is to be a bad one.
func (o *Options) impaired() bool { return bad(o.Down) || bad(o.Up) }

// bad tells whether anything befalls packets.
func bad(c impair.Config) bool {
	return c.Rate != 0 || c.Trace != nil || c.Loss != 0 || c.Burst != (impair.GilbertElliott{}) ||
		c.Corrupt != 0 || c.Duplicate != 0 || c.Reorder != 0 || c.Delay != 0 || c.Jitter != 0
}

// finish ends the capture, once the device is closed.
func (w *wire) finish() error {
	if w.capture == nil {
		return nil
	}
	return errors.Join(w.capture.Close(), w.file.Close())
}
