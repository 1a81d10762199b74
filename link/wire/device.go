package wire

import (
	"sync"
	"sync/atomic"

	"example.com/berth/link"
)

// A Device is one end of a pair, or a port of a switch or hub. It implements
// link.Device. Input is called from goroutines that called Output on some other
// device: from one at a time, unless the handler is a link.ConcurrentHandler.
type Device struct {
	carrier carrier
	invalid error // what was wrong with the options
	state   atomic.Pointer[state]
	setting sync.Mutex // guards the replacement of state
	in      inlet
	more    atomic.Pointer[lanes] // nil: in is for all
	out     sent
}

// A carrier takes what a device sends to where it belongs.
type carrier interface {
	// carry delivers frames that Output found good and returns how many were
	// taken, which it counts.
	carry(from *Device, frames []link.Frame) int
	// addTo adds what it has counted of them elsewhere than in from.
	addTo(from *Device, s *Stats)
	// changed tells that from was closed, or went up or down.
	changed(from *Device)
}

// state is what Output needs to know; it is replaced, never changed.
type state struct {
	info   link.Info
	down   bool // set down at this end
	closed bool
}

func newDevice(c *config, end, index int, to carrier) *Device {
	d := &Device{carrier: to, invalid: c.validate()}
	info := link.Info{
		Name: c.names[end], Medium: c.medium, MTU: c.mtu, Up: true,
		Offload: c.offload, MaxSegments: c.segments,
	}
	if c.medium == link.Ethernet {
		info.Addr = c.address(end, index)
	}
	d.state.Store(&state{info: info})
	d.in.init(c.queue)
	return d
}

// Info implements link.Device. Up is false when the device is closed or set
// down at either end.
func (d *Device) Info() link.Info { return d.state.Load().info }

// Attach implements link.Device. It also gives the error of an option that
// cannot be.
func (d *Device) Attach(h link.Handler) error {
	if d.invalid != nil {
		return d.invalid
	}
	return d.attach(h)
}

// Output implements link.Device. Frames for an end that is not attached, or
// down, are taken and lost, as on a cable.
func (d *Device) Output(frames []link.Frame) (int, error) {
	s := d.state.Load()
	if s.closed {
		return 0, link.ErrClosed
	}
	good, err := s.info.CheckAll(frames)
	n := good
	if !s.info.Up {
		d.out.linkDown.Add(uint64(good))
		d.out.took(frames[:good])
	} else if good > 0 {
		n = d.carrier.carry(d, frames[:good])
	}
	if n < good {
		return n, nil // busy: the bad one's turn has not come
	}
	if err != nil {
		d.out.refused(err)
	}
	return n, err
}

// Close implements link.Device. The other end of a pair goes down.
func (d *Device) Close() error {
	d.set(func(s *state) { s.closed, s.info.Up = true, false })
	if d.closeInlets() {
		d.carrier.changed(d)
	}
	return nil
}

// SetMTU changes the largest IP packet that this device sends.
func (d *Device) SetMTU(mtu int) error {
	if err := validMTU(mtu); err != nil {
		return err
	}
	if d.set(func(s *state) { s.info.MTU = mtu }) {
		d.in.changed()
	}
	return nil
}

// SetUp sets the device up, as it is at first, or down: nothing passes, and
// what is sent is lost. The other end of a pair sees its link go down, too.
func (d *Device) SetUp(up bool) {
	d.set(func(s *state) { s.down = !up })
	d.each(func(in *inlet) { in.setDown(!up) })
	d.carrier.changed(d)
}

// setCarrier says whether the other end is up, and reports whether that changed
// this end.
func (d *Device) setCarrier(up bool) bool {
	return d.set(func(s *state) { s.info.Up = up && !s.down && !s.closed })
}

// set changes the state and reports whether Info changed.
func (d *Device) set(change func(*state)) bool {
	d.setting.Lock()
	defer d.setting.Unlock()
	was := d.state.Load()
	is := *was
	change(&is)
	d.state.Store(&is)
	return is.info != was.info
}

// willing tells whether this end by itself would carry frames.
func (d *Device) willing() bool {
	s := d.state.Load()
	return !s.closed && !s.down
}

// Stats returns the device's counters.
func (d *Device) Stats() Stats {
	s := Stats{
		OutFrames: d.out.frames.Load(), OutBytes: d.out.bytes.Load(),
		TooLong: d.out.tooLong.Load(), BadOffload: d.out.badOffload.Load(),
		LinkDown: d.out.linkDown.Load(),
	}
	d.each(func(in *inlet) { in.addTo(&s) })
	d.carrier.addTo(d, &s)
	return s
}
