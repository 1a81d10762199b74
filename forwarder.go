package berth

import (
	"net/netip"
	"sync/atomic"
	"syscall"
	"time"

	"example.com/berth/internal/header"
	"example.com/berth/internal/icmp"
	"example.com/berth/internal/list"
	"example.com/berth/internal/seqnum"
	"example.com/berth/internal/tcp"
	"example.com/berth/socket"
)

// A Forwarder is asked about what comes in for addresses that the host does not
// have, as a router's packets do: VPNs, proxies, the network of a virtual machine
// or of a sandbox end it there. It is called with
//
//   - the SYN of a connection, which [Flow.Accept] answers: the connection's local
//     address is then the foreign one. Window scale, SACK, timestamps and ECN are
//     negotiated as by a listener;
//   - the first datagram of UDP between two ends: Accept gives a socket that is
//     connected between them, with the datagram in its queue;
//   - every echo request (ICMP, ICMPv6), which [Flow.Reply] answers;
//   - every packet of another protocol.
//
// It is called on the goroutine that brings the frame, without locks, and must
// not block. It may answer at once, or keep the Flow and have it answered later
// by any goroutine. (On a host with a [Scheduler] it is called on a goroutine of
// its own, after the turn.) It is not asked again about a flow that has not been
// answered yet: a SYN that is sent again is ignored, further datagrams wait in
// the queue.
//
// Packets of a connection that there is none of are answered with a reset, and
// those with no hops left with time exceeded, as a router does. ICMP errors about
// what the host sent from foreign addresses reach the sockets that sent it.
//
// What no router may send on (RFC 1812 section 5.3.7, RFC 4291) is dropped
// unasked: packets to or from multicast, broadcast, loopback, unspecified and
// reserved addresses and those of an IPv6 link, IPv4 in IPv6 addresses, and what
// claims to come from the host itself. IPv4's link-local addresses are not:
// services of clouds have theirs there. The host does not answer ARP or neighbor
// solicitations for foreign addresses.
type Forwarder func(*Flow)

// A Flow is what a [Forwarder] is asked about. Exactly one of its answers counts,
// the first; it may come from any goroutine. A flow that nobody answers is
// forgotten some time after the sender has last asked.
type Flow struct {
	// Protocol is that of the packet: IPPROTO_TCP, IPPROTO_UDP, IPPROTO_ICMP or
	// IPPROTO_ICMPV6 for an echo request, or any other. An ICMP message that is no
	// echo request has none.
	Protocol socket.Protocol
	// Src is who sent it and Dst where it is to go; without ports unless the
	// protocol is TCP or UDP.
	Src, Dst netip.AddrPort
	// Interface is where it came in.
	Interface *Interface

	host   *Host
	packet []byte       // its beginning, for ICMP errors to quote
	tos    uint8        // of an echo request
	echo   []byte       // of an echo request: the whole message
	syn    tcp.Segment  // of TCP
	minISS seqnum.Value // of TCP: above what an earlier connection sent
	queue  *datagram    // of UDP: the socket that the datagrams wait in
	taken  atomic.Bool  // the datagrams were accepted
	charge int          // of the host's budget

	// The rest is guarded by flows.mu.
	place list.Node     // in flows.waiting
	asked time.Duration // when the sender did last
	over  error         // why no answer counts any more; nil while one does
}

// Echo returns identifier, sequence number and data of an echo request. The data
// must not be changed. They are zero for other flows.
func (f *Flow) Echo() (id, seq uint16, data []byte) {
	var m header.ICMP
	data, err := m.Parse(f.echo)
	if err != nil {
		return 0, 0, nil
	}
	return m.ID(), m.Seq(), data
}

// Accept takes a flow of TCP or UDP as the host that it is addressed to would, and
// returns the socket, whose local address is [Flow.Dst] and whose peer is
// [Flow.Src].
//
// Of TCP it answers the SYN and does not wait for the handshake to end: calls on
// the socket do, and POLLOUT tells. A handshake that fails is an error of these
// calls. A UDP socket cannot be connected to another peer (EISCONN).
//
// Errors: EALREADY after another answer, ETIMEDOUT if the flow has been forgotten,
// EOPNOTSUPP for other protocols, and those of Connect where the sender cannot be
// reached; ENETDOWN on a closed host.
func (f *Flow) Accept() (s socket.Socket, err error) {
	f.answer(func(over error) {
		switch {
		case over != nil:
			err = over
		case f.queue != nil:
			f.taken.Store(true)
			s, err = f.acceptDatagrams()
		case f.Protocol == socket.IPPROTO_TCP:
			s, err = f.acceptStream()
		default:
			err = syscall.EOPNOTSUPP
		}
	})
	return s, err
}

// Reply answers an echo request with a reply from the address that it was sent
// to. Of other flows it does nothing.
func (f *Flow) Reply() {
	f.decline(func() {
		if f.echo == nil {
			return
		}
		p, err := f.host.route(f.Src.Addr(), f.Dst.Addr(), 0)
		if err != nil {
			f.host.count.IP.NoRoute.Add(1)
			return
		}
		reply := icmp.AppendEchoReply4
		if f.Dst.Addr().Is6() {
			reply = func(b, request []byte) []byte {
				return icmp.AppendEchoReply6(b, request, f.Dst.Addr(), f.Src.Addr())
			}
		}
		f.host.sendICMP(&p, f.Dst.Addr(), f.Src.Addr(), f.tos, reply(nil, f.echo), nil)
	})
}

// Refuse answers as the destination does where nobody listens: a SYN with a reset,
// a datagram with port unreachable, another protocol with protocol unreachable (in
// IPv6, which has none, and for an echo request like [Flow.Prohibit]).
func (f *Flow) Refuse() {
	f.decline(func() {
		switch {
		case f.Protocol == socket.IPPROTO_TCP:
			f.host.reset(&inPacket{ifc: f.Interface}, &f.syn, f.Dst, f.Src)
		case f.Protocol == socket.IPPROTO_UDP:
			f.unreachable(f.Dst.Addr(), header.ICMPv4PortUnreachable, header.ICMPv6PortUnreachable)
		case f.echo == nil && f.Dst.Addr().Is4():
			f.unreachable(f.Dst.Addr(), header.ICMPv4ProtocolUnreachable, 0)
		default:
			f.unreachable(netip.Addr{}, header.ICMPv4Filtered, header.ICMPv6Prohibited)
		}
	})
}

// Prohibit answers as a router does that may not send the packet on: communication
// administratively prohibited (RFC 1812 section 5.2.7.1, RFC 4443 section 3.1).
func (f *Flow) Prohibit() { f.Unreachable(syscall.EACCES) }

// Unreachable answers as a router does that cannot send the packet on:
// EHOSTUNREACH says that the host is unreachable, EACCES that this is prohibited,
// any other error that the network is unreachable.
func (f *Flow) Unreachable(reason error) {
	f.decline(func() {
		code4, code6 := unreachableCodes(reason)
		f.unreachable(netip.Addr{}, code4, code6)
	})
}

// Report tells the sender of datagrams that were accepted that one did not arrive,
// as the first of the flow: ECONNREFUSED says that nobody listens at the
// destination, and for other errors [Flow.Unreachable] says what they say. Of other
// flows, and before Accept, it does nothing.
func (f *Flow) Report(reason error) {
	h := f.host
	if f.queue == nil {
		return
	}
	h.inTurn(Order{Host: h.name, Protocol: f.Protocol, Local: f.Dst, Remote: f.Src}, func() {
		switch code4, code6 := unreachableCodes(reason); {
		case !f.taken.Load():
		case reason == syscall.ECONNREFUSED:
			f.unreachable(f.Dst.Addr(), header.ICMPv4PortUnreachable, header.ICMPv6PortUnreachable)
		default:
			f.unreachable(netip.Addr{}, code4, code6)
		}
	})
}

// Drop does not answer. What is sent again is a new flow.
func (f *Flow) Drop() { f.decline(func() {}) }

// unreachable sends destination unreachable from an address, or with the zero Addr
// from the host's own.
func (f *Flow) unreachable(from netip.Addr, code4, code6 uint8) {
	m := header.ICMP{Type: header.ICMPv4Unreachable, Code: code4}
	if f.Dst.Addr().Is6() {
		m = header.ICMP{Type: header.ICMPv6Unreachable, Code: code6}
	}
	f.host.sendErrorFrom(f.packet, icmp.Arrival{}, f.Src.Addr(), from, 0, m, false)
}

// answer ends the flow and calls f, in a turn, with the reason why this comes too
// late, if it does.
func (f *Flow) answer(act func(over error)) {
	h := f.host
	h.inTurn(Order{Host: h.name, Protocol: f.Protocol, Local: f.Dst, Remote: f.Src}, func() {
		act(h.flows.end(f, syscall.EALREADY))
		h.flows.answered(f)
	})
}

// decline is answer for those that do not accept.
func (f *Flow) decline(act func()) {
	f.answer(func(over error) {
		if over != nil {
			return
		}
		f.host.count.Forward.Declined.Add(1)
		act()
		f.dropQueue()
	})
}

// dropQueue closes the socket that datagrams waited in.
func (f *Flow) dropQueue() {
	if f.queue != nil {
		_ = f.queue.Close()
	}
}

// acceptStream opens the connection that the SYN asks for.
func (f *Flow) acceptStream() (socket.Socket, error) {
	h := f.host
	p, err := h.route(f.Src.Addr(), f.Dst.Addr(), 0)
	if err != nil {
		return nil, err
	}
	s := &stream{}
	s.sock.init(h, domainOfAddr(f.Dst.Addr()), socket.STREAM, socket.IPPROTO_TCP)
	s.timer.owner = s
	s.local, s.remote, s.path = f.Dst, f.Src, p
	s.bound, s.opened, s.reported = true, true, true
	now := h.now()
	o := s.opening(now)
	o.Announced = true
	if f.minISS != 0 {
		o.ISS = seqnum.Max(o.ISS, f.minISS)
	}
	s.conn = *tcp.Passive(h.tcp, now, o, &f.syn, nil)
	if err := h.admit(&s.sock); err != nil {
		return nil, err
	}
	if !h.streams.insert(s) {
		h.forget(&s.sock)
		return nil, syscall.EADDRINUSE
	}
	h.count.Forward.Accepted.Add(1)
	s.mu.Lock()
	s.pump()
	s.mu.Unlock()
	return s, nil
}

// acceptDatagrams gives the socket that the datagrams wait in to its user.
func (f *Flow) acceptDatagrams() (socket.Socket, error) {
	h, s := f.host, f.queue
	if err := h.remember(s); err != nil {
		f.dropQueue()
		return nil, err
	}
	s.mu.Lock()
	s.queue.limit = defaultMessageBuffer
	s.mu.Unlock()
	h.count.Forward.Accepted.Add(1)
	return s, nil
}

func domainOfAddr(a netip.Addr) socket.Domain {
	if a.Is4() {
		return socket.INET
	}
	return socket.INET6
}
