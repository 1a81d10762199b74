package script

import (
	"time"

	"example.com/berth/link"
	"example.com/berth/link/pcapng"
)

// A tape holds what the host has sent until the script looks at it, and records
// all packets if they are to be captured.
type tape struct {
	sent    []sighting
	capture *pcapng.Interface // nil: none
	seen    func(*sighting)
}

// maxSent is how many packets of the host wait for the script to look at them;
// a script that lets a host send more has gone wrong.
const maxSent = 1 << 16

// out takes a packet of the host.
func (t *tape) out(at time.Duration, b []byte) error {
	t.record(at, pcapng.Out, b)
	if len(t.sent) == maxSent {
		return link.ErrTooLong
	}
	s := look(at, b)
	if !s.chatter() {
		t.seen(&s)
		t.sent = append(t.sent, s)
	}
	return nil
}

func (t *tape) record(at time.Duration, d pcapng.Direction, b []byte) {
	if t.capture != nil {
		t.capture.Record(start.Add(at+time.Nanosecond), d, &link.Frame{Payload: b}, "")
	}
}

// A wire is the device of a host of berth's: what the host sends into it goes to
// the tape, and what the script sends, the host gets.
type wire struct {
	mtu     int
	clock   *clock
	tape    *tape
	handler link.Handler
}

// Info implements link.Device.
func (w *wire) Info() link.Info {
	return link.Info{Name: "tun0", Medium: link.IP, MTU: w.mtu, Up: true}
}

// Attach implements link.Device.
func (w *wire) Attach(h link.Handler) error {
	if w.handler != nil {
		return link.ErrAttached
	}
	w.handler = h
	return nil
}

// Output implements link.Device.
func (w *wire) Output(frames []link.Frame) (int, error) {
	info := w.Info()
	good, err := info.CheckAll(frames)
	for i := range frames[:good] {
		if err := w.tape.out(w.clock.now, frames[i].AppendTo(nil)); err != nil {
			return i, err
		}
	}
	return good, err
}

// Close implements link.Device.
func (w *wire) Close() error { return nil }
