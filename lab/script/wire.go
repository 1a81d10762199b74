package script

import (
	"time"

	"example.com/berth/link"
	"example.com/berth/link/pcapng"
)

// A wire is the device of the host: what the host sends into it, the script
// sees, and what the script sends, the host gets.
type wire struct {
	mtu     int
	clock   *clock
	handler link.Handler
	sent    []sighting
	capture *pcapng.Interface // nil: none
	seen    func(*sighting)
}

// maxSent is how many packets of the host wait for the script to look at them;
// a script that lets a host send more has gone wrong.
const maxSent = 1 << 16

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
		b := frames[i].AppendTo(nil)
		w.record(pcapng.Out, b)
		if len(w.sent) == maxSent {
			return i, link.ErrTooLong
		}
		s := look(w.clock.now, b)
		if s.chatter() {
			continue
		}
		w.seen(&s)
		w.sent = append(w.sent, s)
	}
	return good, err
}

// Close implements link.Device.
func (w *wire) Close() error { return nil }

// inject gives a packet to the host.
func (w *wire) inject(b []byte) {
	w.record(pcapng.In, b)
	w.handler.Input([]link.Frame{{Payload: b}})
	w.clock.settle()
}

func (w *wire) record(d pcapng.Direction, b []byte) {
	if w.capture != nil {
		w.capture.Record(w.clock.time().Add(time.Nanosecond), d, &link.Frame{Payload: b}, "")
	}
}
