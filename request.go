package berth

import (
	"cmp"
	"hash/maphash"
	"net/netip"
	"slices"
	"sync"
	"time"

	"example.com/berth/internal/icmp"
	"example.com/berth/internal/ipoptions"
	"example.com/berth/internal/lean"
	"example.com/berth/internal/tcp"
	"example.com/berth/socket"
)

// request is a handshake at a listener: all that a host keeps of a SYN. Its
// fields are guarded by the lock of the listener's socket.
type request struct {
	_ lean.Incomparable

	tcp.Request
	lis           *listener
	local, remote netip.AddrPort
	timer         timerEntry
	place         int  // in the listener's SYN queue
	over          bool // it is in no table any more
}

// requestTable finds handshakes by their ends. It has no bound of its own: the
// queue of each listener has one.
type requestTable struct {
	shards [shards]struct {
		sync.RWMutex // guards m
		m            map[tuple]*request
	}
}

func (q *requestTable) lookup(t tuple) *request {
	sh := &q.shards[maphash.Comparable(demuxSeed, t)%shards]
	sh.RLock()
	defer sh.RUnlock()
	return sh.m[t]
}

// insert enters a handshake, unless its ends are taken.
func (q *requestTable) insert(t tuple, r *request) bool {
	sh := &q.shards[maphash.Comparable(demuxSeed, t)%shards]
	sh.Lock()
	defer sh.Unlock()
	if sh.m[t] != nil {
		return false
	}
	if sh.m == nil {
		sh.m = make(map[tuple]*request)
	}
	sh.m[t] = r
	return true
}

func (q *requestTable) remove(t tuple) {
	sh := &q.shards[maphash.Comparable(demuxSeed, t)%shards]
	sh.Lock()
	defer sh.Unlock()
	delete(sh.m, t)
}

// begin makes the handshake that a SYN begins, and returns its SYN,ACK. The
// listener's lock is held.
func (l *listener) begin(now time.Duration, seg *tcp.Segment, local, remote netip.AddrPort, o tcp.Opening, options *ipoptions.Options, out *tcp.Segment) bool {
	h, s := l.sock.host, l.sock
	r := l.spareRequest()
	r.Request = tcp.NewRequest(h.tcp, now, o, seg, s.conn.Options())
	r.local, r.remote, r.over = local, remote, false
	if !h.requests.insert(h.tupleOf(local, remote), r) {
		r.over = true
		return false
	}
	l.pending++
	l.young++
	r.place = len(l.half)
	l.half = append(l.half, r)
	if options != nil {
		if l.options == nil {
			l.options = make(map[*request]*ipoptions.Options)
		}
		l.options[r] = options
	}
	h.timers.schedule(&r.timer, r.Deadline())
	r.SynAck(now, out)
	return true
}

// maxSpareRequests is how many handshakes that are over a listener keeps for others.
const maxSpareRequests = 8

// spareRequest returns one that is over, or a new one. Who has found it in the
// table before, or was woken by its timer, has to look what it is now: see is.
func (l *listener) spareRequest() *request {
	n := len(l.spare)
	if n == 0 {
		r := &request{lis: l}
		r.timer.owner = r
		return r
	}
	r := l.spare[n-1]
	l.spare = l.spare[:n-1]
	return r
}

// is tells whether this is a handshake between these ends. The listener's lock is
// held.
func (r *request) is(local, remote netip.AddrPort) bool {
	return !r.over && r.local == local && r.remote == remote
}

// end takes a handshake out of all tables. The listener's lock is held.
func (r *request) end() {
	if r.over {
		return
	}
	r.over = true
	l, h := r.lis, r.lis.sock.host
	h.requests.remove(h.tupleOf(r.local, r.remote))
	l.leaveQueue(r)
	delete(l.options, r)
	l.pending--
	if r.Young() {
		l.young--
	}
	if len(l.spare) < maxSpareRequests && !l.closed {
		l.spare = append(l.spare, r) // with its timer, which serves the next one
		return
	}
	h.timers.remove(&r.timer)
}

// leaveQueue takes a handshake out of the SYN queue; the last one takes its place.
func (l *listener) leaveQueue(r *request) {
	n := len(l.half) - 1
	last := l.half[n]
	l.half[r.place], last.place = last, r.place
	l.half[n] = nil
	l.half = l.half[:n]
}

// requestInput gives a segment to the handshake that it belongs to. It is false
// if that has ended meanwhile.
func (h *Host) requestInput(in *inPacket, r *request, seg *tcp.Segment, local, remote netip.AddrPort) bool {
	s := r.lis.sock
	s.mu.Lock()
	if !r.is(local, remote) {
		s.mu.Unlock()
		return false
	}
	var out tcp.Segment
	verdict := r.Input(h.now(), seg, s.conn.Options(), &out)
	if verdict == tcp.Open && r.lis.full() {
		verdict = r.lis.overflow(r)
	}
	switch verdict {
	case tcp.Open:
		s.complete(r, seg)
		return true
	case tcp.Answer:
		s.sendFor(local, remote, r.lis.options[r], &out)
		return true
	case tcp.Reset:
		if seg.Auth != nil && tcp.ResetFor(seg, &out) { // signed under the lock
			h.count.TCP.ResetsSent.Add(1)
			s.sendFor(local, remote, r.lis.options[r], &out)
			return true
		}
	case tcp.Forget:
		r.end()
	}
	s.mu.Unlock()
	if verdict == tcp.Reset {
		h.reset(in, seg, local, remote)
	}
	return true
}

// overflow decides about the last acknowledgment of a handshake for whose
// connection there is no place: it is dropped, so that it comes again, or if so
// configured the handshake ends with a reset.
func (l *listener) overflow(r *request) tcp.Verdict {
	c := &l.sock.host.count.TCP
	c.ListenOverflows.Add(1)
	c.ListenDrops.Add(1)
	if l.sock.host.config.TCP.AbortOnOverflow {
		r.end()
		return tcp.Reset
	}
	r.Wait()
	return tcp.Ignore
}

// complete makes the connection of a handshake that has ended, and gives it the
// segment that ended it. The listener's lock is held, and let go.
func (s *stream) complete(r *request, seg *tcp.Segment) {
	options := r.lis.options[r]
	r.end()
	c, err := s.child(r.local, r.remote, options, func(c *tcp.Conn, o tcp.Opening) { r.Open(c, o, s.conn.Options()) })
	if err != nil {
		s.host.count.TCP.ListenDrops.Add(1)
		s.mu.Unlock()
		return
	}
	s.lis.queued++ // the place is taken
	s.mu.Unlock()
	c.input(seg, false, nil)
}

// sendFor sends a segment of a handshake that has no connection yet, with the
// listener's options but for those in the IP header. The listener's lock is held,
// and let go.
func (s *stream) sendFor(local, remote netip.AddrPort, options *ipoptions.Options, seg *tcp.Segment) {
	p, err := s.host.routeBy(options, remote.Addr(), local.Addr(), s.ip.device)
	if err != nil {
		s.mu.Unlock()
		s.host.count.IP.NoRoute.Add(1)
		return
	}
	s.sendBy(&p, local, remote, options, seg)
}

// sendBy is sendFor on a path.
func (s *stream) sendBy(p *path, local, remote netip.AddrPort, options *ipoptions.Options, seg *tcp.Segment) {
	h, ip := s.host, s.ip
	b := batches.Get().(*batch)
	b.n = 1
	h.frameSegment(p, ip, options, local, remote, h.flowLabel(local, remote), &b.frames[0], b.heads[0][:0], seg)
	s.mu.Unlock()
	p.send(b.frames[:1])
	b.release()
}

// timerFired is called by the host's timer.
func (r *request) timerFired(time.Duration) {
	s := r.lis.sock
	s.mu.Lock()
	if r.over {
		s.mu.Unlock()
		return
	}
	l, h := r.lis, s.host
	var out tcp.Segment
	young := r.Young()
	verdict := r.Timer(h.now(), h.tcp.Retries(l.pending, l.young, l.backlog), s.conn.Options(), &out)
	if young && !r.Young() {
		l.young--
	}
	if verdict == tcp.Forget {
		r.end()
	} else {
		h.timers.schedule(&r.timer, r.Deadline())
	}
	if verdict == tcp.Answer {
		s.sendFor(r.local, r.remote, l.options[r], &out)
		return
	}
	s.mu.Unlock()
}

// requestError gives an ICMP error to the handshake it is about, which a
// hard one ends.
func (h *Host) requestError(e *icmp.Error) bool {
	r := h.requests.lookup(h.tupleOf(e.Local, e.Remote))
	if r == nil {
		return false
	}
	s := r.lis.sock
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case !r.is(e.Local, e.Remote):
		return false
	case !r.Hit(e.Seq):
		h.tcp.Counters.ICMPIgnored.Add(1)
	case e.MTU == 0 && e.Hard:
		h.count.TCP.ListenDrops.Add(1)
		r.end()
	}
	return true
}

// describeRequests are the rows of handshakes.
func (s *stream) describeRequests() (rows []SocketInfo) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.lis == nil {
		return nil
	}
	for _, r := range s.lis.half {
		row := s.sock.describe()
		row.State, row.Local, row.Remote = socket.TCP_SYN_RECV, s.show(r.local), s.show(r.remote)
		row.Timer = max(r.Deadline()-s.host.now(), 1)
		row.TCP = &socket.TCPInfo{State: socket.TCP_SYN_RECV}
		rows = append(rows, row)
	}
	slices.SortFunc(rows, func(a, b SocketInfo) int {
		return cmp.Or(a.Local.Compare(b.Local), a.Remote.Compare(b.Remote))
	})
	return rows
}
