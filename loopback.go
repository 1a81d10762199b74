package berth

import (
	"sync"

	"example.com/berth/link"
)

// loopback is the device of the host's own interface lo, and the way back in of
// multicast that the host hears itself: what goes in comes out at once, on the
// goroutine of the sender, unless somebody is delivering already, who then
// delivers this too. So nothing recurses and the order is kept.
//
// Config.Loopback may wrap it. Then what lo sends comes in through the wrapper,
// as from any device.
type loopback struct {
	host *Host
	info link.Info

	mu      sync.Mutex   // guards what follows; not held while delivering
	handler link.Handler // nil unless wrapped
	queue   []looped
	spare   []looped // the other of the two that are filled and emptied in turn
	busy    bool
	closed  bool
	one     [1]link.Frame // of who is busy
}

type looped struct {
	ifc   *Interface // that the frame appears to come in on; nil: the handler's
	frame *link.Kept
}

// loopbackLimit is the most frames that wait; more are not taken, as by any
// device that is busy.
const loopbackLimit = 1024

func newLoopback(h *Host) *loopback {
	return &loopback{host: h, info: link.Info{
		Name: "lo", Medium: link.IP, MTU: 65535, Up: true,
		Offload: link.OffloadChecksum | link.OffloadTCP4 | link.OffloadTCP6 | link.OffloadUDP,
	}}
}

// addLoopback makes the interface lo, of a device of the host's own or of what
// wrap makes of it.
func (h *Host) addLoopback(wrap func(link.Device) link.Device) {
	h.loop = newLoopback(h)
	if wrap == nil {
		h.lo = h.addInterface(h.loop)
		return
	}
	dev := wrap(h.loop)
	h.lo = h.addInterface(dev)
	if err := dev.Attach((*inlet)(h.lo)); err != nil {
		panic("berth: Config.Loopback: " + err.Error()) // a mistake in the program
	}
}

func (l *loopback) Info() link.Info { return l.info }

func (l *loopback) Attach(handler link.Handler) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return link.ErrClosed
	}
	if l.handler != nil {
		return link.ErrAttached
	}
	l.handler = handler
	return nil
}

// Output delivers frames to the host itself.
func (l *loopback) Output(frames []link.Frame) (int, error) {
	if l.handler != nil {
		return l.deliver(nil, frames), nil
	}
	return l.deliver(l.host.lo, frames), nil
}

func (l *loopback) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	for _, q := range l.queue {
		q.frame.Release()
	}
	l.queue, l.spare = nil, nil
	return nil
}

// deliver brings frames in as if they came in on ifc, and returns how many were
// taken.
func (l *loopback) deliver(ifc *Interface, frames []link.Frame) int {
	l.mu.Lock()
	n := 0
	for i := range frames {
		if l.closed || len(l.queue) >= loopbackLimit {
			break
		}
		l.queue = append(l.queue, looped{ifc, frames[i].Keep()})
		n++
	}
	if l.busy {
		l.mu.Unlock()
		return n
	}
	l.busy = true
	for len(l.queue) > 0 {
		batch := l.queue
		l.queue, l.spare = l.spare, nil
		l.mu.Unlock()
		for _, q := range batch {
			if q.ifc != nil {
				q.ifc.receive(&q.frame.Frame, nil)
			} else {
				l.one[0] = q.frame.Frame
				l.handler.Input(l.one[:])
			}
			q.frame.Release()
		}
		l.mu.Lock()
		clear(batch)
		l.spare = batch[:0]
	}
	l.busy = false
	l.mu.Unlock()
	return n
}
