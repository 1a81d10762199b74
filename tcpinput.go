package berth

import (
	"net/netip"
	"time"

	"example.com/berth/internal/header"
	"example.com/berth/internal/seqnum"
	"example.com/berth/internal/tcp"
	"example.com/berth/socket"
)

// tcpInput takes a segment to its connection, or to the listener, or answers it
// with a reset.
func (h *Host) tcpInput(in *inPacket) {
	h.count.TCP.SegsIn.Add(1)
	if in.group { // RFC 9293 3.9.2.3, MUST-57, MUST-63
		h.count.TCP.BadAddress.Add(1)
		return
	}
	var seg tcp.Segment
	if srcPort, dstPort, ok := h.parseSegment(in, &seg); ok {
		h.segmentArrives(in, &seg, netip.AddrPortFrom(in.dst, dstPort), netip.AddrPortFrom(in.src, srcPort))
	}
}

// parseSegment fills in a segment, and tells whether it is one that may arrive. It is
// apart so that the header is off the stack when the segment goes up: see stackRoom.
//
//go:noinline
func (h *Host) parseSegment(in *inPacket, seg *tcp.Segment) (srcPort, dstPort uint16, ok bool) {
	c := &h.count.TCP
	var th header.TCP
	rest, err := th.Parse(in.first())
	if err != nil {
		c.Malformed.Add(1)
		return 0, 0, false
	}
	payload, ok := in.payload(rest)
	if !ok {
		c.Malformed.Add(1)
		return 0, 0, false
	}
	if !in.valid() {
		c.BadChecksum.Add(1)
		return 0, 0, false
	}
	if in.dst == in.src && th.DstPort == th.SrcPort && in.ifc != h.lo { // LAND
		c.BadAddress.Add(1)
		return 0, 0, false
	}
	*seg = tcp.Segment{
		Seq: th.Seq, Ack: th.Ack, Flags: th.Flags, Window: th.Window, Urgent: th.Urgent,
		Options: th.Options, Payload: payload, SegSize: in.segSize, ECN: in.tos & 3,
		Header: in.first()[:len(in.first())-len(rest)],
	}
	if len(payload) > 0 {
		seg.Buffer = in.buf
	}
	return th.SrcPort, th.DstPort, true
}

// segmentArrives is RFC 9293 section 3.10.7: the segment goes to its connection,
// else to a listener, else it is answered with a reset.
func (h *Host) segmentArrives(in *inPacket, seg *tcp.Segment, local, remote netip.AddrPort) {
	s, minISS := in.batch.latest(local, remote), seqnum.Value(0)
	if s == nil {
		s, minISS = h.connectionFor(in, h.tupleOf(local, remote), seg, local, remote)
	}
	if s != nil {
		// Only a SYN can find a connection and be for a listener all the same.
		listens := seg.Flags&header.SYN != 0 && h.takesSYN(in, local, remote)
		if in.options != nil {
			s.returnBy(in, seg)
		}
		result := s.input(seg, listens, in.batch)
		if !result.Closed && !result.Reopen {
			in.batch.note(s, local, remote)
			return
		}
		in.batch.note(nil, netip.AddrPort{}, netip.AddrPort{})
		if other, ok := h.connection(h.tupleOf(local, remote)); ok && other != s { // s is a remnant by now, or was
			h.segmentArrives(in, seg, local, remote)
			return
		}
		minISS = result.MinISS
	} else if r := h.requests.lookup(h.tupleOf(local, remote)); r != nil {
		if !h.requestInput(in, r, seg, local, remote) {
			h.segmentArrives(in, seg, local, remote) // it is a connection by now, or nothing
		}
		return
	}
	l, listens := (*stream)(nil), in.foreign
	if !in.foreign {
		l, listens = h.listener(in, local, remote)
	}
	if !listens {
		h.count.TCP.NoSocket.Add(1)
		h.reset(in, seg, local, remote)
		return
	}
	switch tcp.ListenInput(seg) {
	case tcp.Reset:
		if in.foreign || !l.cookieArrived(seg, local, remote, in.returnRoute()) {
			h.reset(in, seg, local, remote)
		}
	case tcp.Open:
		if in.foreign {
			h.foreignSYN(in, seg, local, remote, minISS)
			return
		}
		l.synArrived(seg, local, remote, minISS, in.returnRoute())
	}
}

// connectionFor returns the connection that a segment belongs to. If that was a
// remnant, and the segment is a SYN that ends it, there is none, and the one that
// follows begins at minISS or above.
func (h *Host) connectionFor(in *inPacket, t tuple, seg *tcp.Segment, local, remote netip.AddrPort) (s *stream, minISS seqnum.Value) {
	s, left := h.streams.find(t)
	if left == nil {
		return s, 0
	}
	if seg.Flags&header.SYN != 0 && h.takesSYN(in, local, remote) {
		if result := h.reopen(t, left, seg); result.Reopen {
			return nil, result.MinISS
		}
	}
	s, _ = h.connection(t)
	return s, 0
}

// listener returns the listening socket that a segment is for.
func (h *Host) listener(in *inPacket, local, remote netip.AddrPort) (*stream, bool) {
	return h.streams.listener(local, in.ifc.index, func() uint64 { return h.flowHash(local, remote) })
}

// takesSYN tells whether somebody would answer a SYN between these ends.
func (h *Host) takesSYN(in *inPacket, local, remote netip.AddrPort) bool {
	if in.foreign {
		return true
	}
	_, listens := h.listener(in, local, remote)
	return listens
}

// input gives a segment to the connection. If it is a SYN that may end
// TIME-WAIT, and there is a listener to take it, the connection is gone. What
// there is to send waits for the end of the batch, if the segment is one of several.
func (s *stream) input(seg *tcp.Segment, listens bool, batch *arrivals) tcp.Result {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.opened {
		return tcp.Result{Closed: true}
	}
	now := s.host.now()
	recv, send := s.conn.Queues()
	result := s.conn.InputFor(now, seg, s.readers.lent())
	if result.Given > 0 {
		s.readers.give(result.Given)
	}
	if result.Reopen && !listens {
		s.conn.KeepTimeWait(now)
	}
	s.confirmNeighbor(now, recv-result.Given, send)
	if s.parent == nil && !result.Closed && !result.Reopen && batch.put(s) {
		return tcp.Result{}
	}
	if result.Reopen && listens {
		s.host.count.TCP.Machine.TimeWaitReused.Add(1)
		s.leave()
		s.opened = false
		return result
	}
	s.pumpOrLeave(now)
	s.finishHandshake()
	return tcp.Result{Closed: result.Closed}
}

// confirmInterval is the least time between two confirmations by one connection.
const confirmInterval = time.Second

// confirmNeighbor tells the neighbor cache that the next hop is reachable, if
// the connection has made progress since its queues were as given: what was sent
// is acknowledged, or there is new data, so that acknowledgments arrive (RFC 4861
// section 7.3.1). The lock is held; it is let go meanwhile.
func (s *stream) confirmNeighbor(now time.Duration, recv, send int) {
	if s.path.ifc.linkHeader == 0 || s.confirmed != 0 && now-s.confirmed < confirmInterval {
		return
	}
	if r, q := s.conn.Queues(); r <= recv && q >= send {
		return
	}
	s.confirmed = now
	ifc, next := s.path.ifc, s.path.next
	s.mu.Unlock()
	ifc.confirm(next)
	s.mu.Lock()
}

// finishHandshake hands a child whose handshake has ended, one way or the
// other, to its listener. The lock is held; it is let go meanwhile.
func (s *stream) finishHandshake() {
	state, parent := s.conn.State(), s.parent
	if parent == nil || state == socket.TCP_SYN_RECV {
		return
	}
	s.parent = nil
	fast := s.conn.Fast()
	s.mu.Unlock()
	if fast {
		parent.fastEnded(state == socket.TCP_CLOSE)
	} else {
		parent.promote(s, state != socket.TCP_CLOSE)
	}
	s.mu.Lock()
}

// reset answers a segment that no connection wants (RFC 9293 3.10.7.1).
func (h *Host) reset(in *inPacket, seg *tcp.Segment, local, remote netip.AddrPort) {
	var out tcp.Segment
	if !tcp.ResetFor(seg, &out) {
		return
	}
	options := in.returnRoute()
	p, err := h.routeBy(options, remote.Addr(), local.Addr(), 0)
	if err != nil {
		return
	}
	h.count.TCP.ResetsSent.Add(1)
	th := header.TCP{
		SrcPort: local.Port(), DstPort: remote.Port(),
		Seq: out.Seq, Ack: out.Ack, Flags: out.Flags, Options: out.Options,
	}
	t := transport{
		protocol: header.ProtocolTCP, src: local.Addr(), dst: remote.Addr(),
		ttl: in.ifc.defaultHopLimit(remote.Addr()), df: true, label: h.flowLabel(local, remote),
	}
	t.withOptions(h, options)
	b := batches.Get().(*batch)
	b.n = 1
	p.frameTCP(&b.frames[0], b.heads[0][:0], &t, &th, &out)
	p.send(b.frames[:1])
	b.release()
}
