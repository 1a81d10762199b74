package ladder

import (
	"cmp"
	"slices"
	"sync"
	"time"

	"example.com/berth/internal/header"
	"example.com/berth/link"
	"example.com/berth/link/impair"
)

// Event is a packet that was sent, a call of a program, or the place of events
// that an Excerpt leaves out.
type Event struct {
	// At counts from the start of the trace.
	At time.Duration
	// One of these is set.
	Packet *Packet
	Call   *Call
	// LeftOut says what was left out here; empty if that is nothing.
	LeftOut string
}

// Call is a call that a program made, or a remark about it.
type Call struct {
	Side Side
	// Text is the call with its result.
	Text string
	// Detail says more of the socket after the call: its ends, its state.
	Detail string
}

// Trace records packets and calls. Its zero value is not ready: see New. Its
// methods may be called from several goroutines at once.
type Trace struct {
	start time.Time
	keep  bool

	mu      sync.Mutex // guards all below
	events  []Event
	flows   flows
	last    [2]*Packet // the latest packet of each side
	scratch []byte
}

// New starts a trace. With keep it keeps the bytes of all packets.
func New(keep bool) *Trace {
	return &Trace{start: time.Now(), keep: keep, flows: make(flows)}
}

// Now is the time since the trace was started.
func (t *Trace) Now() time.Duration { return time.Since(t.start) }

// Watch adds to what happens to the packets of one side that they are recorded,
// and that they were lost. The medium must be IP.
func (t *Trace) Watch(side Side, c *impair.Config) {
	c.Rule = func(_ time.Duration, f *link.Frame) impair.Verdict {
		t.sent(side, f)
		return impair.Verdict{}
	}
	c.Observe = func(e impair.Event) {
		// The event is about the packet that the rule saw last: both are called
		// by one goroutine, for one packet after the other.
		if e.Cause.Dropped() {
			t.lost(side, e.Comment())
		}
	}
}

func (t *Trace) sent(side Side, f *link.Frame) {
	now := time.Now()
	t.mu.Lock()
	defer t.mu.Unlock()
	p, bytes := read(f, t.scratch)
	t.scratch = bytes
	p.From, p.Time = side, now
	if t.keep {
		p.Bytes = slices.Clone(bytes)
	}
	if p.Protocol == header.ProtocolTCP {
		t.flows.see(p)
	}
	t.last[side] = p
	t.events = append(t.events, Event{At: now.Sub(t.start), Packet: p})
}

func (t *Trace) lost(side Side, why string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.last[side].Lost = why
}

// Called records a call that was made at a time.
func (t *Trace) Called(at time.Duration, c Call) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.events = append(t.events, Event{At: at, Call: &c})
}

// Mark is the number of events so far.
func (t *Trace) Mark() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.events)
}

// Since returns what was recorded since a mark, in order of time. The packets
// are copies.
func (t *Trace) Since(mark int) []Event {
	t.mu.Lock()
	defer t.mu.Unlock()
	out := slices.Clone(t.events[mark:])
	for i := range out {
		if out[i].Packet != nil {
			p := *out[i].Packet
			out[i].Packet = &p
		}
	}
	slices.SortStableFunc(out, func(a, b Event) int { return cmp.Compare(a.At, b.At) })
	return out
}

// Only returns the events whose packets pass a test, and all calls.
func Only(events []Event, test func(*Packet) bool) []Event {
	return slices.DeleteFunc(slices.Clone(events), func(e Event) bool { return e.Packet != nil && !test(e.Packet) })
}
