package berth

import (
	"net/netip"
	"sync"
	"time"

	"example.com/berth/internal/header"
	"example.com/berth/internal/ipoptions"
	"example.com/berth/internal/tcp"
	"example.com/berth/link"
	"example.com/berth/socket"
)

// batchSize is the most segments that leave a connection between two looks at
// what has come in meanwhile.
const batchSize = 32

// A batch is the outbox of whoever empties one: frames, and the memory that
// their headers are written in.
type batch struct {
	frames [batchSize]link.Frame
	heads  [batchSize][headSize]byte
	n      int
}

// headSize is room for the headers of a segment: Ethernet, IPv6, TCP with all
// its options.
const headSize = 14 + 40 + 60

var batches = sync.Pool{New: func() any { return new(batch) }}

func (b *batch) release() {
	for i := range b.frames[:b.n] {
		b.frames[i].Buffer.Release()
		b.frames[i] = link.Frame{}
	}
	b.n = 0
	batches.Put(b)
}

// pump sends what the connection has to send, arms its timer and wakes who
// waits. The socket's lock is held on entry and on return, and let go while
// frames are with a device; so callers look at the state anew afterwards.
//
// One goroutine pumps at a time, which keeps segments in order; another that
// comes along leaves at once, because the first looks again before it stops.
//
// With a Scheduler it is done in the next turn, unless this is one.
func (s *stream) pump() { s.pumpAt(s.host.now()) }

// pumpAt is pump for who has looked at the clock just now.
func (s *stream) pumpAt(now time.Duration) {
	if s.host.waitsForTurn() {
		s.postPump()
		return
	}
	s.again, s.left = true, false
	if s.flushing {
		return
	}
	s.flushing = true
	for s.again {
		s.again = false
		if s.path.stale(s.host) {
			s.reroute()
		}
		b := s.fill(now)
		if b == nil {
			break
		}
		p := s.path // of the whole batch, whatever happens while it is sent
		s.again = b.n == batchSize
		s.mu.Unlock()
		p.sendSegments(b.frames[:b.n])
		b.release()
		s.mu.Lock()
		if s.again {
			now = s.host.now()
		}
	}
	s.flushing = false
	s.settle()
}

// pumpOrLeave is pumpAt after something has arrived. If that was data that a call
// waits for, and a device's own goroutine has brought it, the call is woken and sends the
// acknowledgment when it has read: the goroutine of the device, which all else waits for,
// goes on meanwhile, and the peer hears of the room at once. It is left to a call once,
// and not again before that has come.
func (s *stream) pumpOrLeave(now time.Duration) {
	if s.readers.waiting == 0 || s.left || s.flushing || !s.path.ifc.reads || s.host.waitsForTurn() || !s.conn.AckCanWait() {
		s.pumpAt(now)
		return
	}
	s.left = true
	s.settle()
}

// sendLeft sends an acknowledgment that was left to a call which has read nothing.
func (s *stream) sendLeft() {
	if s.left {
		s.pump()
	}
}

// postPump has pump called in the next turn.
func (s *stream) postPump() {
	if !s.posted {
		s.posted = true
		s.host.turns.Post(s.order(), (*pumper)(s))
	}
}

// fill takes segments from the machine, as many as there are or fit into a batch.
// It is nil if there are none.
func (s *stream) fill(now time.Duration) (b *batch) {
	var seg tcp.Segment
	for (b == nil || b.n < batchSize) && s.conn.Next(now, &seg) {
		if b == nil {
			b = batches.Get().(*batch)
		}
		s.frame(&b.frames[b.n], b.heads[b.n][:0], &seg)
		b.n++
	}
	return b
}

// settle does what follows from the machine's state once all is sent.
func (s *stream) settle() {
	if s.host.config.Probe != nil && s.opened {
		s.probe()
	}
	s.learnFastOpen()
	if s.conn.State() == socket.TCP_TIME_WAIT && s.rest() {
		s.tell()
		return
	}
	if s.conn.Done() && s.opened {
		switch {
		case s.orphan:
			s.leave()
			s.opened = false
			s.conn.Recycle()
		case s.reported:
			s.leave()
		default: // connect may try again, from the port that bind asked for
			s.unlist()
			s.host.ports.disconnect(&s.sock)
		}
	} else if at := s.conn.Deadline(); at != 0 && s.opened {
		s.host.timers.schedule(&s.timer, at)
	}
	if !s.waiting && s.conn.State() == socket.TCP_TIME_WAIT {
		s.waiting = true
		s.host.ports.wait(&s.sock)
	}
	s.reports.look(&s.conn)
	s.tell()
}

// tell wakes those for whose wait something has come about.
func (s *stream) tell() {
	if !s.awaited() {
		return
	}
	if s.readers.served() {
		s.readers.broadcast()
		if s.writers.cond == nil && s.polls == nil && s.readers.waiting == 1 {
			return
		}
	}
	s.wake(s.pollEvents())
}

// frameSegment makes f the frame of a segment between two ends, with its headers
// in head, and options in that of IP.
func (h *Host) frameSegment(p *path, ip *ipOptions, options *ipoptions.Options, local, remote netip.AddrPort, label uint32,
	f *link.Frame, head []byte, seg *tcp.Segment,
) {
	th := header.TCP{
		SrcPort: local.Port(), DstPort: remote.Port(),
		Seq: seg.Seq, Ack: seg.Ack, Flags: seg.Flags, Window: seg.Window,
		Urgent: seg.Urgent, Options: seg.Options,
	}
	t := h.transportOf(p, ip, local, remote, label, seg.ECN)
	t.withOptions(h, options)
	if !t.df { // it may be cut on the way (RFC 6864 section 4.3)
		t.id = uint16(h.fragmentID())
	}
	p.frameTCP(f, head, &t, &th, seg)
	h.count.TCP.SegsOut.Add(1)
}

// transportOf is what IP has to know of the segments between two ends.
func (h *Host) transportOf(p *path, ip *ipOptions, local, remote netip.AddrPort, label uint32, ecn uint8) transport {
	dst := remote.Addr()
	return transport{
		protocol: header.ProtocolTCP,
		src:      local.Addr(),
		dst:      dst,
		tos:      ip.trafficClass(dst)&^3 | ecn,
		ttl:      ip.hopLimit(dst, p.ifc),
		df:       ip.mtuDiscover(dst) != socket.IP_PMTUDISC_DONT,
		label:    label,
	}
}

// reroute finds the way again after the host's routes have changed. If there
// is none now, the old one is used: it may come back.
func (s *stream) reroute() {
	to := s.remote.Addr()
	p, err := s.host.routeBy(s.ip.sentTo(to), to, s.local.Addr(), s.ip.device)
	if err != nil {
		s.path.gen = s.host.gen.Load()
		return
	}
	if p.mtu != s.path.mtu {
		s.conn.SetMTU(s.host.now(), p.mtu, 0, false)
	}
	s.path = p
}

// timerFired is called by the host's timer. An acknowledgment that waits for a
// reader that waits for a processor is no reason to send anything again.
func (s *stream) timerFired(now time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.opened && s.conn.Resends(now) {
		ifc := s.path.ifc
		s.mu.Unlock()
		ifc.drain()
		s.mu.Lock()
	}
	if !s.opened {
		return
	}
	s.conn.Timer(s.host.now())
	if _, send := s.conn.Queues(); send == 0 {
		s.template = nil // it is idle, perhaps
	}
	s.pump()
	s.advise()
	s.finishHandshake()
}

// events is what poll(2) would report.
func (s *stream) events() socket.Events {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closed:
		return socket.POLLNVAL
	case s.lis != nil:
		return s.lis.events()
	case s.fasts().held: // the SYN waits for it
		return s.conn.Events() | socket.POLLOUT
	}
	return s.pollEvents()
}

// pollEvents are the events of a connection with those of its reports.
func (s *stream) pollEvents() socket.Events { return s.conn.Events() | s.reports.events() }
