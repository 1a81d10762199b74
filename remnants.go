package berth

import (
	"math"
	"net/netip"
	"sync"
	"time"
	"unsafe"

	"example.com/berth/internal/lean"
	"example.com/berth/internal/port"
	"example.com/berth/internal/tcp"
	"example.com/berth/socket"
)

// A remnant is a connection in TIME-WAIT that nobody uses any more: a third of a
// stream, which it was and becomes again when a segment or an error comes for it.
// Who ends 10,000 connections a second has 600,000 of them.
//
// It does not change while it is in the demultiplexer. Whoever takes it out of there
// has it.
type remnant struct {
	_ lean.Incomparable

	host          *Host
	domain        socket.Domain
	local, remote netip.AddrPort
	path          path
	ip            *ipOptions
	conn          tcp.Remnant
	binding       port.Binding // guarded by ports.mu

	hash       uint64
	prev, next *remnant // in the order of their ends; guarded by the shard's lock
}

// remnants are those of one shard of the demultiplexer, whose lock guards them. They
// all last equally long: so those that came first end first, and the timer is for
// the first.
type remnants struct {
	host        *Host
	mu          *sync.RWMutex
	byHash      map[uint64]*remnant
	first, last *remnant
	timer       timerEntry
}

// remnantSlack is how much longer than it should a remnant may last, because of
// another that came before it.
const remnantSlack = 100 * time.Millisecond

// takes tells whether there is a place for a remnant with that hash and end.
func (q *remnants) takes(hash uint64, until time.Duration) bool {
	return q.byHash[hash] == nil && (q.last == nil || until > q.last.conn.Until()-remnantSlack)
}

func (q *remnants) insert(r *remnant) {
	if q.byHash == nil {
		q.byHash = make(map[uint64]*remnant)
	}
	q.byHash[r.hash] = r
	r.prev = q.last
	if q.last = r; r.prev != nil {
		r.prev.next = r
		return
	}
	q.first = r
	q.host.timers.schedule(&q.timer, r.conn.Until())
}

func (q *remnants) remove(r *remnant) {
	delete(q.byHash, r.hash)
	if r.prev != nil {
		r.prev.next = r.next
	} else {
		q.first = r.next
	}
	if r.next != nil {
		r.next.prev = r.prev
	} else {
		q.last = r.prev
	}
	r.prev, r.next = nil, nil
	if q.first == nil {
		q.host.timers.remove(&q.timer)
	}
}

// timerFired is called by the host's timer.
func (q *remnants) timerFired(now time.Duration) {
	for q.end(now) {
	}
}

// end ends the first remnant if its time has come, else it waits for that.
func (q *remnants) end(now time.Duration) bool {
	q.mu.Lock()
	r := q.first
	if r == nil || r.conn.Until() > now {
		if r != nil {
			q.host.timers.schedule(&q.timer, r.conn.Until())
		}
		q.mu.Unlock()
		return false
	}
	q.remove(r)
	q.mu.Unlock()
	q.host.ports.end(r)
	return true
}

// rest leaves a remnant of a connection in TIME-WAIT whose user is gone, and is
// false if it has to stay as it is. So do all of a host that is one of a simulation,
// or is looked at closely. The lock is held.
func (s *stream) rest() bool {
	h := s.host
	if !s.orphan || !s.opened || h.turns != nil || h.config.Probe != nil || s.reports != nil {
		return false
	}
	var left tcp.Remnant
	if !s.conn.Rest(&left) {
		return false
	}
	r := h.ports.rest(&s.sock)
	r.host, r.domain, r.local, r.remote = h, s.domain, s.local, s.remote
	r.path, r.ip, r.conn = s.path, s.ip, left
	if !h.streams.rest(s, r) {
		left.Revive(h.tcp, &s.conn)
		h.ports.revive(r, &s.sock)
		return false
	}
	h.timers.remove(&s.timer)
	s.opened = false
	s.conn.Recycle()
	return true
}

// rest puts a remnant in the place of a connection, if there is one for it.
func (t *streamTable) rest(s *stream, r *remnant) bool {
	sh, hash := t.at(s.tuple())
	sh.Lock()
	defer sh.Unlock()
	if sh.byHash[hash] != s || !sh.remnants.takes(hash, r.conn.Until()) {
		return false
	}
	delete(sh.byHash, hash)
	r.hash = hash
	sh.remnants.insert(r)
	return true
}

// connection returns the connection between two ends; a remnant becomes one again.
func (h *Host) connection(t tuple) (*stream, bool) {
	for {
		s, r := h.streams.find(t)
		if r != nil {
			s = h.revive(t, r)
		}
		if s != nil || r == nil {
			return s, s != nil
		}
	}
}

// find returns the connection between two ends, or its remnant, or neither.
func (t *streamTable) find(ends tuple) (*stream, *remnant) {
	sh, hash := t.at(ends)
	sh.RLock()
	defer sh.RUnlock()
	if s, ok := sh.find(ends, hash); ok {
		return s, nil
	}
	return nil, sh.remnants.find(ends, hash)
}

// find returns the remnant of a connection between two ends.
func (q *remnants) find(ends tuple, hash uint64) *remnant {
	if r := q.byHash[hash]; r != nil && r.host.tupleOf(r.local, r.remote) == ends {
		return r
	}
	return nil
}

// revive makes a remnant the connection that it was, unless somebody else has taken
// it meanwhile: then it returns nil.
func (h *Host) revive(t tuple, r *remnant) *stream {
	s := &stream{}
	s.mu.Lock()
	defer s.mu.Unlock()
	sh, hash := h.streams.at(t)
	sh.Lock()
	if sh.remnants.byHash[hash] != r {
		sh.Unlock()
		return nil
	}
	sh.remnants.remove(r)
	s.sock.init(h, r.domain, socket.STREAM, socket.IPPROTO_TCP)
	s.local, s.remote, s.path, s.ip = r.local, r.remote, r.path, r.ip
	sh.put(t, hash, s)
	sh.Unlock()

	s.closed, s.orphan, s.bound, s.opened, s.reported, s.waiting = true, true, true, true, true, true
	s.label = h.flowLabel(s.local, s.remote)
	s.timer.owner = s
	r.conn.Revive(h.tcp, &s.conn)
	h.ports.revive(r, &s.sock)
	h.timers.schedule(&s.timer, s.conn.Deadline())
	return s
}

// reopen ends a remnant whose ends a SYN takes for a new connection, if it may.
func (h *Host) reopen(t tuple, r *remnant, seg *tcp.Segment) tcp.Result {
	sh, hash := h.streams.at(t)
	sh.Lock()
	if sh.remnants.byHash[hash] != r {
		sh.Unlock()
		return tcp.Result{}
	}
	result := r.conn.Reopen(seg)
	if result.Reopen {
		sh.remnants.remove(r)
	}
	sh.Unlock()
	if result.Reopen {
		h.count.TCP.Machine.TimeWaitReused.Add(1)
		h.ports.end(r)
	}
	return result
}

// endRemnants ends all remnants, when the host is closed.
func (t *streamTable) endRemnants() {
	for i := range t.connected {
		for t.connected[i].remnants.end(math.MaxInt64) {
		}
	}
}

// remnants returns their rows in the table of sockets.
func (t *streamTable) remnants(now time.Duration) (rows []SocketInfo) {
	for i := range t.connected {
		sh := &t.connected[i]
		sh.RLock()
		for r := sh.remnants.first; r != nil; r = r.next {
			rows = append(rows, r.describe(now))
		}
		sh.RUnlock()
	}
	return rows
}

func (r *remnant) describe(now time.Duration) SocketInfo {
	s := sock{host: r.host, domain: r.domain, typ: socket.STREAM, protocol: socket.IPPROTO_TCP, local: r.local, remote: r.remote, ip: r.ip}
	row := s.describe()
	row.State, row.Orphan = socket.TCP_TIME_WAIT, true
	row.Timer = max(r.conn.Until()-now, 1)
	row.Memory = int(unsafe.Sizeof(*r))
	row.TCP = &socket.TCPInfo{State: socket.TCP_TIME_WAIT}
	return row
}
