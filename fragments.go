package berth

import (
	"errors"
	"sync"
	"time"

	"example.com/berth/internal/header"
	"example.com/berth/internal/lean"
	"example.com/berth/internal/reassembly"
	"example.com/berth/link"
)

// fragments is the host's reassembly table. Its lock guards the table.
type fragments struct {
	_ lean.Incomparable

	host  *Host
	mu    sync.Mutex
	table *reassembly.Table
	timer timerEntry
}

func (r *fragments) init(h *Host) {
	r.host, r.table = h, reassembly.New(reassembly.Limits{})
	r.timer.owner = r
}

// reassemble takes a fragment, and delivers its packet if that is complete now.
// Key has what only the caller knows.
func (h *Host) reassemble(in *inPacket, offset int, more bool, key reassembly.Key, next uint8, namedAt int) {
	c := &h.count.IP
	c.Fragments.Add(1)
	if len(in.head) > 0 {
		in.body, in.head, in.buf = in.linear(), nil, nil
	}
	key.Src, key.Dst = in.src, in.dst
	r := &h.frags
	r.mu.Lock()
	whole, err := r.table.Input(h.now(), key, &reassembly.Fragment{
		Offset: offset, More: more, Header: in.ip, Data: in.body, Buffer: in.buf,
		NextHeader: next, NamedAt: namedAt,
	})
	if at := r.table.Deadline(); at != 0 {
		h.timers.schedule(&r.timer, at)
	}
	r.mu.Unlock()
	if err != nil {
		c.ReassemblyFailed.Add(1)
		if problem, ok := errors.AsType[*header.ParameterProblem](err); ok {
			h.parameterProblem(in, problem)
		}
		return
	}
	if !whole.Done() {
		return
	}
	c.Reassembled.Add(1)
	f := link.Frame{Payload: whole.Bytes, Buffer: whole.Buffer}
	in.ifc.receiveIP(&f, whole.Bytes, &inPacket{ifc: in.ifc, group: in.group, fragmented: true, batch: in.batch})
	whole.Buffer.Release()
}

// timerFired drops what did not become complete, and tells the senders.
func (r *fragments) timerFired(time.Duration) {
	r.mu.Lock()
	before := r.table.Counters().TimedOut
	expired := r.table.Expire(r.host.now())
	r.host.count.IP.ReassemblyTimeout.Add(r.table.Counters().TimedOut - before)
	if at := r.table.Deadline(); at != 0 {
		r.host.timers.schedule(&r.timer, at)
	}
	r.mu.Unlock()
	for _, e := range expired {
		r.host.reassemblyExceeded(e.Packet)
	}
}

func (r *fragments) close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.table.Clear()
}
