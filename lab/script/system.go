package script

import (
	"sync"
	"time"

	"example.com/berth"
	"example.com/berth/link"
	"example.com/berth/socket"
)

// A System is a host that scripts are run against in place of one of berth's:
// the kernel of an operating system, say, with packets over a TUN. A script takes
// the time then that it says, so tolerance_usecs should be generous.
type System struct {
	// Sockets makes the system's sockets.
	Sockets socket.Provider
	// Device is the other end of the system's link: what the system sends comes
	// in there. Its medium is IP, and every frame one packet with its checksums.
	Device link.Device
	// Sysctl sets a parameter, such as "net.ipv4.tcp_sack". If it is nil the
	// script's commands for that are not supported.
	Sysctl func(name, value string) error
	// Table is the system's table of sockets, of which type, state, addresses and
	// queues are looked at; nil if there is none.
	Table func() []berth.SocketInfo
	// Close, if not nil, is called at the end of the run.
	Close func()
}

// An actual world is a System in real time.
type actual struct {
	socket.Provider
	system *System
	tape   *tape
	began  time.Time

	mu      sync.Mutex
	arrived []arrival
	ready   chan struct{} // something has arrived since it was last empty
}

type arrival struct {
	at time.Duration
	b  []byte
}

func enterSystem(s *System, t *tape) (*actual, error) {
	w := &actual{Provider: s.Sockets, system: s, tape: t, began: time.Now(), ready: make(chan struct{}, 1)}
	return w, s.Device.Attach(w)
}

// Input implements link.Handler.
func (w *actual) Input(frames []link.Frame) {
	w.mu.Lock()
	for i := range frames {
		if len(w.arrived) < maxSent {
			w.arrived = append(w.arrived, arrival{w.now(), frames[i].AppendTo(nil)})
		}
	}
	w.mu.Unlock()
	select {
	case w.ready <- struct{}{}:
	default:
	}
}

// Changed implements link.Handler.
func (w *actual) Changed() {}

func (w *actual) now() time.Duration { return time.Since(w.began) }

// glance is how long a step is at most: how late a call that waits in the system
// may be seen to have ended.
const glance = time.Millisecond

func (w *actual) step(until time.Duration) bool {
	left := until - w.now()
	if left > 0 {
		t := time.NewTimer(min(left, glance))
		defer t.Stop()
		select {
		case <-w.ready:
		case <-t.C:
		}
	}
	return w.collect() > 0 || left > 0
}

// collect brings to the tape what has arrived.
func (w *actual) collect() int {
	w.mu.Lock()
	list := w.arrived
	w.arrived = nil
	w.mu.Unlock()
	for _, a := range list {
		_ = w.tape.out(a.at, a.b) // a tape that is full is seen by the script
	}
	return len(list)
}

func (w *actual) settle() {}

// alarm has nothing to do: steps are short.
func (w *actual) alarm(time.Duration) (stop func()) { return func() {} }

func (w *actual) inject(b []byte) {
	// What the system does not take is missed by the script.
	_, _ = w.system.Device.Output([]link.Frame{{Payload: b}})
	w.collect()
}

func (w *actual) sockets() []berth.SocketInfo {
	if w.system.Table == nil {
		return nil
	}
	return w.system.Table()
}

func (w *actual) close() {
	w.tape.seen = func(*sighting) {}
	if w.system.Close != nil {
		w.system.Close()
	}
}

// system is the System that the script is run against; nil if it is a host of
// berth's.
func (r *run) system() *System {
	if w, ok := r.world.(*actual); ok {
		return w.system
	}
	return nil
}

// set sets a parameter for a command at some place.
func (s *System) set(at Pos, name, value string) *Error {
	if s.Sysctl == nil {
		return unsupported(at, "the setting %s", name)
	}
	if err := s.Sysctl(name, value); err != nil {
		return unsupported(at, "the setting %s=%s: %v", name, value, err)
	}
	return nil
}
