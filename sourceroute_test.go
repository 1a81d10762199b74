package berth_test

import (
	"encoding/binary"
	"errors"
	"net/netip"
	"strings"
	"syscall"
	"testing"

	"example.com/berth"
	"example.com/berth/internal/header"
	"example.com/berth/socket"
)

// hop4 and hop5 are neighbors that forward source-routed packets, played by the
// station.
var (
	hop4 = netip.MustParseAddr("10.0.0.4")
	hop5 = netip.MustParseAddr("10.0.0.5")
)

// Kinds of options, to be read.
const (
	loose, strict = "\x83", "\x89"
	record        = "\x07"
)

// listOf is an option with addresses of which the first n are written.
func listOf(kind string, n int, addrs ...netip.Addr) string {
	b := []byte(kind + string([]byte{byte(3 + 4*len(addrs)), byte(4 + 4*n)}))
	for _, a := range addrs {
		four := a.As4()
		b = append(b, four[:]...)
	}
	return string(append(b, make([]byte, -len(b)&3)...))
}

// then is one list behind another.
func then(first, second string) string { return first[:len(first)-1] + "\x01" + second }

var nobody4 = netip.IPv4Unspecified()

// wantOptions fails unless a packet has a destination and options.
func wantOptions(t *testing.T, what string, p *packet, dst netip.Addr, options string) {
	t.Helper()
	if p.dst != dst || p.options != options {
		t.Errorf("%s goes to %v with options % x, want %v with % x", what, p.dst, p.options, dst, options)
	}
}

// MUST-51, HOST-25, HOST-33: a program gives the source route of a connection that
// it opens: what is sent goes to the first hop, and to the peer in the end. MUST-52:
// it is not that of the peer's segments that counts. The MSS option does not tell
// of it (RFC 6691), segments have room for it.
func TestAProgramGivesASourceRoute(t *testing.T) {
	for _, kind := range []string{loose, strict} {
		h, st := stationed(t, berth.Config{AcceptSourceRoute: true})
		addRoute(t, h, "198.51.100.0/24", "10.0.0.2", 0)
		c := newSocket(t, h, socket.INET, socket.STREAM, 0)
		set(t, c, socket.IP_OPTIONS, listOf(kind, 0, hop4, hop5))
		if err := c.SetNonblock(true); err != nil {
			t.Fatal(err)
		}
		remote := netip.AddrPortFrom(far4, 80)
		if err := c.Connect(t.Context(), remote); err != syscall.EINPROGRESS {
			t.Fatal(err)
		}
		sent := listOf(kind, 0, hop5, far4)
		syn := st.one("the SYN", isTCP)
		wantOptions(t, "the SYN", syn, hop4, sent)
		sh, _ := syn.tcp()
		if sh.Options.MSS != 1460 {
			t.Errorf("the MSS option is %d", sh.Options.MSS)
		}
		p := &played{st: st, local: netip.AddrPortFrom(alice4, sh.SrcPort), remote: remote, seq: 100, ack: sh.Seq.Add(1), sock: c}
		p.options = listOf(loose, 1, bob4) // the peer's segments come by another way
		p.sendWith(header.TCP{Flags: header.SYN | header.ACK, Options: header.TCPOptions{MSS: 1460}}, nil, "")
		wantState(t, c, socket.TCP_ESTABLISHED)
		p.seq = 101
		st.take(nil)
		send(t, c, strings.Repeat("x", 5000))
		for _, s := range st.take(isTCP) {
			wantOptions(t, "a segment", s, hop4, sent)
			if len(s.frame) > 1500 || len(s.payload) > 20+1460-len(sent) {
				t.Errorf("a segment of %d bytes in a packet of %d", len(s.payload), len(s.frame))
			}
		}
		p.send(header.ACK, "hello")
		p.wantData(t, "hello")
		if v, err := socket.Get(c, socket.IP_OPTIONS); v != listOf(kind, 0, hop4, hop5) || err != nil {
			t.Errorf("IP_OPTIONS is % x, %v", v, err)
		}
	}
}

// The first hop of a strict source route is a neighbor.
func TestAStrictSourceRouteBeginsOnTheLink(t *testing.T) {
	h, st := stationed(t, berth.Config{})
	addRoute(t, h, "0.0.0.0/0", "10.0.0.2", 0)
	for _, typ := range []socket.Type{socket.STREAM, socket.DGRAM} {
		s := newSocket(t, h, socket.INET, typ, 0)
		set(t, s, socket.IP_OPTIONS, listOf(strict, 0, far4))
		if err := s.Connect(t.Context(), netip.AddrPortFrom(bob4, 80)); err != syscall.EHOSTUNREACH {
			t.Errorf("%v: %v, want EHOSTUNREACH", typ, err)
		}
	}
	st.none("something is sent", func(p *packet) bool { return isTCP(p) || isUDP(p) })
	s := newSocket(t, h, socket.INET, socket.STREAM, 0)
	set(t, s, socket.IP_OPTIONS, listOf(loose, 0, groupA4))
	if err := s.Connect(t.Context(), netip.AddrPortFrom(bob4, 80)); err != syscall.ENETUNREACH {
		t.Errorf("by a group: %v, want ENETUNREACH", err)
	}
}

// MUST-53: the source route of a SYN is the way back of all that is sent on its
// connection. SHLD-24: that of a later segment takes its place, if it is the next
// of the stream; what the program sets stays. HOST-34, HOST-35, HOST-36.
func TestAConnectionGoesTheWayBack(t *testing.T) {
	for _, cookies := range []berth.SYNCookies{berth.SYNCookiesOff, berth.SYNCookiesAlways} {
		h, st := stationed(t, berth.Config{AcceptSourceRoute: true, TCP: berth.TCPConfig{SYNCookies: cookies}})
		addRoute(t, h, "198.51.100.0/24", "10.0.0.2", 0)
		l := listenOn(t, h, netip.AddrPortFrom(alice4, 80), 8)
		p := &played{st: st, local: l.LocalAddr(), remote: netip.AddrPortFrom(far4, 1000), seq: 100}
		p.options = listOf(loose, 2, hop5, hop4) // by hop5 first
		back := listOf(loose, 0, hop5, far4)
		st.take(nil)
		p.sendWith(header.TCP{Flags: header.SYN}, nil, "")
		answer := st.one("the answer to the SYN", isTCP)
		wantOptions(t, "the SYN,ACK", answer, hop4, back)
		synack, _ := answer.tcp()
		p.seq, p.ack = 101, synack.Seq.Add(1)
		p.send(header.ACK, "")
		var err error
		if p.sock, _, err = l.Accept(t.Context()); err != nil {
			t.Fatal(err)
		}
		says := func(what string, dst netip.Addr, options string) {
			t.Helper()
			st.take(nil)
			send(t, p.sock, "x")
			wantOptions(t, what, st.one(what, isTCP), dst, options)
			p.ack = p.ack.Add(1)
			p.send(header.ACK, "")
		}
		says("a segment", hop4, back)
		if v, err := socket.Get(p.sock, socket.IP_OPTIONS); v != listOf(loose, 0, hop4, hop5) || err != nil {
			t.Errorf("IP_OPTIONS is % x, %v", v, err)
		}
		p.options = ""
		p.send(header.ACK, "y")
		p.wantData(t, "y")
		says("after a segment without", hop4, back)

		p.options = listOf(loose, 1, hop4)
		p.seq += 5
		p.send(header.ACK, "z")
		p.seq -= 5
		p.options = ""
		says("after one out of order (SHLD-24)", hop4, back)
		p.options = listOf(loose, 1, hop4)
		p.send(header.ACK, "") // the next in order
		says("after one by another way (SHLD-24)", hop4, listOf(loose, 0, far4))
		set(t, p.sock, socket.IP_OPTIONS, listOf(strict, 0, hop5))
		p.options = listOf(loose, 2, hop5, hop4)
		p.send(header.ACK, "")
		says("after the program's own (MUST-52)", hop5, listOf(strict, 0, far4))
		if err := errors.Join(p.sock.Close(), l.Close()); err != nil {
			t.Fatal(err)
		}
	}
}

// MUST-53: what there is no connection for is answered by the way that it came.
func TestAResetGoesTheWayBack(t *testing.T) {
	h, st := stationed(t, berth.Config{AcceptSourceRoute: true})
	addRoute(t, h, "198.51.100.0/24", "10.0.0.2", 0)
	p := &played{st: st, local: netip.AddrPortFrom(alice4, 81), remote: netip.AddrPortFrom(far4, 1000), seq: 100}
	p.options = listOf(loose, 1, hop4)
	p.sendWith(header.TCP{Flags: header.SYN}, nil, "")
	wantOptions(t, "the reset", st.one("the reset", isTCP), hop4, listOf(loose, 0, far4))
}

// Of what else a SYN has in its IP header a connection takes nothing.
func TestAConnectionDoesNotRecordForItsPeer(t *testing.T) {
	h, st := stationed(t, berth.Config{AcceptSourceRoute: true})
	p := playedServer(t, h, st, bob4)
	l := listenOn(t, h, netip.AddrPortFrom(alice4, 81), 8)
	p.local = l.LocalAddr()
	p.options = listOf(record, 0, nobody4, nobody4)
	st.take(nil)
	p.sendWith(header.TCP{Flags: header.SYN}, nil, "")
	wantOptions(t, "the SYN,ACK", st.one("the SYN,ACK", isTCP), bob4, "")
}

// HOST-33, HOST-34, HOST-35, UDP-2, HOST-151: a datagram whose source route ends
// here is taken, and the program is told the way back, by which it can answer.
func TestADatagramTellsTheWayBack(t *testing.T) {
	h, st := stationed(t, berth.Config{AcceptSourceRoute: true})
	addRoute(t, h, "198.51.100.0/24", "10.0.0.2", 0)
	u := newSocket(t, h, socket.INET, socket.DGRAM, 0)
	if err := u.Bind(netip.AddrPortFrom(alice4, 4000)); err != nil {
		t.Fatal(err)
	}
	set(t, u, socket.IP_RECVOPTS, 1)
	set(t, u, socket.IP_RETOPTS, 1)
	far := netip.AddrPortFrom(far4, 53)
	came := listOf(loose, 2, hop5, hop4)
	datagram := func(dst netip.Addr, options string) packet {
		return packet{
			src: far4, dst: dst, protocol: header.ProtocolUDP, options: options,
			payload: udpDatagram(far, netip.AddrPortFrom(alice4, 4000), []byte("hello")),
		}
	}
	st.ip(datagram(alice4, came))
	m := socket.Message{Buffers: [][]byte{make([]byte, 9)}}
	if n, err := u.RecvMsg(&m, socket.MSG_DONTWAIT); n != 5 || err != nil {
		t.Fatal(n, err)
	}
	back := listOf(loose, 0, hop4, hop5)
	if m.Control.RecvOpts != came || m.Control.RetOpts != back {
		t.Errorf("received % x, to return % x", m.Control.RecvOpts, m.Control.RetOpts)
	}
	answer := socket.Message{
		Buffers: [][]byte{[]byte("there")}, Addr: m.Addr,
		Control: socket.Control{Present: socket.ControlRetOpts, RetOpts: m.Control.RetOpts},
	}
	if _, err := u.SendMsg(&answer, 0); err != nil {
		t.Fatal(err)
	}
	wantOptions(t, "the answer", st.one("the answer", isUDP), hop4, listOf(loose, 0, hop5, far4))

	// One whose last hops are all this host's is taken as well.
	st.ip(datagram(netip.MustParseAddr("10.0.0.1"), listOf(loose, 1, hop4, alice4)))
	if n, err := u.RecvMsg(&m, socket.MSG_DONTWAIT); n != 5 || err != nil || m.Control.RetOpts != listOf(loose, 0, hop4) {
		t.Errorf("%d, %v, to return % x", n, err, m.Control.RetOpts)
	}
}

// HOST-70, HOST-71: an echo reply goes back by the way of its request, and what
// that recorded is recorded further.
func TestAnEchoReplyGoesTheWayBack(t *testing.T) {
	h, st := stationed(t, berth.Config{AcceptSourceRoute: true})
	addRoute(t, h, "198.51.100.0/24", "10.0.0.2", 0)
	b := rawIPv4("")[header.IPv4MinLen:]
	for _, tt := range []struct {
		name, request, reply string
		dst                  netip.Addr
	}{
		{"source route", listOf(strict, 2, hop5, hop4), listOf(strict, 0, hop5, far4), hop4},
		{"record route", listOf(record, 1, hop4, nobody4, nobody4), listOf(record, 3, hop4, alice4, alice4), far4},
		{"record route that is full", listOf(record, 1, hop4), listOf(record, 1, hop4), far4},
		{"timestamps that do not fit", "\x44\x04\x05\x00", "\x44\x04\x05\x20", far4},
		{"router alert", header.IPv4RouterAlert, "", far4},
	} {
		st.take(nil)
		st.ip(packet{src: far4, dst: alice4, protocol: header.ProtocolICMP, payload: b, options: tt.request})
		wantOptions(t, tt.name, st.one(tt.name, nil), tt.dst, tt.reply)
	}
}

// An error about a packet on its way, which is addressed to a hop, is for the socket
// that sent it.
func TestErrorsAboutSourceRoutedPackets(t *testing.T) {
	h, st := stationed(t, berth.Config{})
	addRoute(t, h, "198.51.100.0/24", "10.0.0.2", 0)
	u := newSocket(t, h, socket.INET, socket.DGRAM, 0)
	set(t, u, socket.IP_OPTIONS, listOf(loose, 0, hop4))
	set(t, u, socket.IP_RECVERR, 1)
	if err := u.Connect(t.Context(), netip.AddrPortFrom(far4, 53)); err != nil {
		t.Fatal(err)
	}
	send(t, u, "x")
	m := header.ICMP{Type: header.ICMPv4Unreachable, Code: header.ICMPv4FragmentationNeeded}
	m.SetMTU4(1000)
	st.icmpMessage(hop4, alice4, m, st.one("the datagram", isUDP).frame)
	if v, err := socket.Get(u, socket.SO_ERROR); v != int(syscall.EMSGSIZE) || err != nil {
		t.Errorf("SO_ERROR is %d, %v", v, err)
	}
	if v, err := socket.Get(u, socket.IP_MTU); v != 1000 || err != nil {
		t.Errorf("IP_MTU is %d, %v", v, err)
	}
}

// MAY-10, MAY-11: a connection records its route and the times of that, if the
// program says so.
func TestAConnectionRecordsItsRoute(t *testing.T) {
	h, st := stationed(t, berth.Config{})
	p := playedServer(t, h, st, bob4)
	set(t, p.sock, socket.IP_OPTIONS, then(listOf(record, 0, nobody4), "\x44\x08\x05\x00\x00\x00\x00\x00"))
	st.take(nil)
	send(t, p.sock, "x")
	got := st.one("the segment", isTCP)
	wantOptions(t, "the segment", got, bob4, then(listOf(record, 1, alice4), "\x44\x08\x09\x00"+got.options[12:]))
	if ms := binary.BigEndian.Uint32([]byte(got.options[12:])); ms == 0 || ms >= 86_400_000 {
		t.Errorf("the time is %d ms after midnight", ms)
	}
}
