package berth

import (
	"net/netip"
	"sync"
	"syscall"
	"time"

	"example.com/berth/internal/list"
	"example.com/berth/internal/tcp"
)

// maxFlows is the most flows that wait for the Forwarder's answer; what is new is
// dropped then, and its sender tries again.
const maxFlows = 4096

// flowPatience is how long a flow waits for an answer after its sender has last
// asked: a little longer than the longest wait between two SYNs of Linux, so that
// one that somebody has to think about lives for as long as the sender tries.
const flowPatience = 75 * time.Second

// waitingQueue is what the datagrams of one flow may take while it is not accepted.
const waitingQueue = 128 << 10

// flows are those that wait for the Forwarder's answer. The lock guards what
// follows it and those fields of each Flow that say so; it takes no other but that
// of the timers.
type flows struct {
	host  *Host
	timer timerEntry

	mu      sync.Mutex
	waiting list.List[*Flow] // those first whose sender asked longest ago
	syns    map[tuple]*Flow  // those of TCP
	closed  bool
}

func (w *flows) init(h *Host) {
	w.host = h
	w.timer.owner = w
	w.syns = make(map[tuple]*Flow)
}

// begin enters a flow, if there is room for it.
func (w *flows) begin(f *Flow) bool {
	now, c := w.host.now(), &w.host.count.Forward
	w.mu.Lock()
	defer w.mu.Unlock()
	f.charge = flowOverhead + len(f.packet) + len(f.echo)
	if w.closed || w.waiting.Count() >= maxFlows || !w.host.budget.Take(f.charge) {
		c.Overflow.Add(1)
		return false
	}
	if f.syn.Flags != 0 {
		t := w.host.tupleOf(f.Dst, f.Src)
		if w.syns[t] != nil { // another goroutine was first
			w.host.budget.Give(f.charge)
			c.Repeated.Add(1)
			return false
		}
		w.syns[t] = f
	}
	f.asked = now
	w.waiting.Put(&f.place, f)
	if w.waiting.Count() == 1 {
		w.host.timers.schedule(&w.timer, now+flowPatience)
	}
	c.Flows.Add(1)
	return true
}

// flowOverhead is what a waiting flow costs the host's budget beside its bytes.
const flowOverhead = 1024

// again tells whether the SYN of a flow that waits has come again.
func (w *flows) again(local, remote netip.AddrPort, seg *tcp.Segment) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	f, ok := w.syns[w.host.tupleOf(local, remote)]
	if !ok {
		return false
	}
	if f.over == nil {
		f.asked = w.host.now()
		f.syn.Seq, f.syn.Options = seg.Seq, seg.Options // the sender may have begun anew
		w.waiting.Put(&f.place, f)
	}
	w.host.count.Forward.Repeated.Add(1)
	return true
}

// end has a flow wait no longer, for the reason that later answers get. It returns
// that of an earlier end. The flow's SYN is remembered until answered, so that one that
// comes again meanwhile begins no other flow.
func (w *flows) end(f *Flow, reason error) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if f.over != nil {
		return f.over
	}
	w.dequeue(f, reason)
	return nil
}

// answered forgets the SYN of a flow that has ended: the connection is in the table,
// or there is none.
func (w *flows) answered(f *Flow) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.forgetSYN(f)
}

// remove is end and answered for one that waits. The lock is held.
func (w *flows) remove(f *Flow, reason error) {
	w.dequeue(f, reason)
	w.forgetSYN(f)
}

func (w *flows) forgetSYN(f *Flow) {
	if t := w.host.tupleOf(f.Dst, f.Src); f.syn.Flags != 0 && w.syns[t] == f {
		delete(w.syns, t)
	}
}

func (w *flows) dequeue(f *Flow, reason error) {
	f.over = reason
	f.place.Leave()
	w.host.budget.Give(f.charge)
	if w.waiting.Count() == 0 {
		w.host.timers.remove(&w.timer)
	}
}

// timerFired forgets the flows whose senders have given up.
func (w *flows) timerFired(now time.Duration) {
	for f := w.expired(now); f != nil; f = w.expired(now) {
		w.host.count.Forward.Expired.Add(1)
		f.dropQueue()
	}
}

// expired takes out one flow whose time is over, or arms the timer.
func (w *flows) expired(now time.Duration) *Flow {
	w.mu.Lock()
	defer w.mu.Unlock()
	f := w.waiting.Oldest()
	if f == nil {
		return nil
	}
	if at := f.asked + flowPatience; at > now {
		w.host.timers.schedule(&w.timer, at)
		return nil
	}
	w.remove(f, syscall.ETIMEDOUT)
	return f
}

// close forgets all.
func (w *flows) close() {
	for f := w.closeNext(); f != nil; f = w.closeNext() {
		f.dropQueue()
	}
}

func (w *flows) closeNext() *Flow {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closed = true
	f := w.waiting.Oldest()
	if f == nil {
		return nil
	}
	w.remove(f, syscall.ENETDOWN)
	return f
}
