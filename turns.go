package berth

import (
	"cmp"
	"net/netip"
	"runtime"
	"time"

	"example.com/berth/socket"
)

// A Scheduler owns the order in which the hosts of a simulation act, so that the
// same calls give the same packets in every run, whatever order the goroutines
// that make them happen to run in. Package lab has one; a host without one acts
// at once, on the goroutine that calls.
//
// A host with a Scheduler does what may be seen by others in turns: what calls
// give it to send, it sends in a turn later; what its timer tells it to do, it
// does in a turn; and callers that a turn has something for are woken after it.
// A call that takes a port or opens a connection waits for its turn. The
// Scheduler begins a turn when nobody else has anything left to do, and all it
// calls in one it calls on one goroutine, one after the other. Frames have to come
// in within a turn too, so the devices must know the Scheduler.
type Scheduler interface {
	// Running tells whether a turn is under way.
	Running() bool
	// Post has t called in the next turn. Those of one turn come in the order
	// of o; equal ones in the order they were posted.
	Post(o Order, t Task)
	// Wake has t called when the turn under way is over.
	Wake(o Order, t Task)
	// Timer makes a timer that calls t in a turn.
	Timer(t Task) Timer
}

// A Task is something to be done in a turn. It does not block.
type Task interface{ Turn() }

// A Timer of a Scheduler; its methods are called with no more than the host's
// own locks held.
type Timer interface {
	// Set sets the timer to go off at the given time, once, and no longer at
	// any other.
	Set(at time.Time)
	// Stop stops it.
	Stop()
}

// An Order says whose turn it is, by what is the same in every run.
type Order struct {
	Host     string // its name
	Protocol socket.Protocol
	// Local and Remote are the ends of the socket as far as it has them: of a
	// call that is to get a port, the ends that it asks for.
	Local, Remote netip.AddrPort
	// Actor is whom the socket was made for; see [Host.As].
	Actor string
	// Goroutine is the number of the goroutine that calls, where only that is
	// left to tell calls apart. Goroutines that were started later have higher
	// numbers, mostly.
	Goroutine uint64
}

// Compare is negative if o comes before p.
func (o *Order) Compare(p *Order) int {
	return cmp.Or(
		cmp.Compare(o.Host, p.Host), cmp.Compare(o.Protocol, p.Protocol),
		o.Local.Compare(p.Local), o.Remote.Compare(p.Remote),
		cmp.Compare(o.Actor, p.Actor), cmp.Compare(o.Goroutine, p.Goroutine),
	)
}

// As returns the host as a provider of sockets that bear the name of whom they
// are made for. It has a meaning only for a host with a [Scheduler]: two calls at
// one instant that ask for the same thing, such as a connection to one server,
// take their turns in the order of these names.
func (h *Host) As(actor string) socket.Provider { return actorProvider{h, actor} }

type actorProvider struct {
	*Host
	actor string
}

func (p actorProvider) Socket(domain socket.Domain, typ socket.Type, protocol socket.Protocol) (socket.Socket, error) {
	s, err := p.Host.Socket(domain, typ, protocol)
	if err == nil {
		s.(endpoint).base().actor = &p.actor
	}
	return s, err
}

// waitsForTurn tells whether what the host is about to do has to wait for a turn.
func (h *Host) waitsForTurn() bool { return h.turns != nil && !h.turns.Running() }

// order is whose turn it is when s acts. The lock is held.
// It is called seldom, and too much to have a copy at every call.
//
//go:noinline
func (s *sock) order() Order {
	o := Order{Host: s.host.name, Protocol: s.protocol, Local: s.local, Remote: s.remote}
	if s.actor != nil {
		o.Actor = *s.actor
	}
	return o
}

// inTurn calls f in a turn, and waits for that: f takes a port, and which one
// depends on who came first. The socket's lock is held on entry and on return,
// and while f runs, but not between.
func (s *sock) inTurn(local, remote netip.AddrPort, f func() error) error {
	if !s.host.waitsForTurn() {
		return f()
	}
	o := s.order()
	o.Local, o.Remote = local, remote
	if o.Actor == "" {
		o.Goroutine = goroutine()
	}
	var err error
	s.mu.Unlock()
	defer s.mu.Lock()
	s.host.inTurn(o, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		err = f()
	})
	return err
}

// bindInTurn calls bind, in a turn if that is to choose a port.
func (s *sock) bindInTurn(addr netip.AddrPort, bind func() error) error {
	if addr.Port() != 0 {
		return bind()
	}
	return s.inTurn(addr, netip.AddrPort{}, bind)
}

// inTurn calls f in a turn, and waits until the turn is over.
func (h *Host) inTurn(o Order, f func()) {
	if !h.waitsForTurn() {
		f()
		return
	}
	done := make(chan struct{})
	h.turns.Post(o, taskFunc(func() {
		f()
		h.turns.Wake(o, taskFunc(func() { close(done) }))
	}))
	<-done
}

type taskFunc func()

func (f taskFunc) Turn() { f() }

// A pumper is a stream whose turn it is to send.
type pumper stream

// Turn implements Task.
func (p *pumper) Turn() {
	s := (*stream)(p)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.posted = false
	s.pump()
	s.finishHandshake()
}

// A waker is a socket whose callers are to be woken.
type waker sock

// Turn implements Task.
func (w *waker) Turn() {
	s := (*sock)(w)
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.woken
	s.woken = 0
	s.wakeNow(e)
}

// goroutine is the number of the calling goroutine, which only stack traces tell.
func goroutine() uint64 {
	const before = "goroutine "
	var text [64]byte
	n := uint64(0)
	for _, c := range text[len(before):runtime.Stack(text[:], false)] {
		if c < '0' || c > '9' {
			break
		}
		n = 10*n + uint64(c-'0')
	}
	return n
}
