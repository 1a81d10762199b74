package berth_test

import (
	"errors"
	"net/netip"
	"slices"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"example.com/berth"
	"example.com/berth/internal/header"
	"example.com/berth/link/wire"
	"example.com/berth/socket"
)

// asks tells whether a packet asks for the Ethernet address of addr.
func asks(addr netip.Addr) func(*packet) bool {
	return func(p *packet) bool {
		ns, ok := p.solicit()
		return p.arp != nil && p.arp.Op == header.ARPRequest && p.arp.Target == addr || ok && ns.Target == addr
	}
}

func isUDP(p *packet) bool { return p.protocol == header.ProtocolUDP }

// localOf is the address of a host of pair or stationed in remote's family.
func localOf(remote netip.Addr) netip.Addr {
	if remote.Is4() {
		return alice4
	}
	return alice6
}

// sender is a datagram socket connected to an address.
func sender(t *testing.T, h *berth.Host, to netip.Addr) socket.Socket {
	t.Helper()
	s := newSocket(t, h, domainOf(to), socket.DGRAM, 0)
	if err := s.Connect(t.Context(), netip.AddrPortFrom(to, 9)); err != nil {
		t.Fatal(err)
	}
	return s
}

func send(t *testing.T, s socket.Socket, text string) {
	t.Helper()
	if n, err := s.Send([]byte(text), 0); n != len(text) || err != nil {
		t.Fatalf("send %q: %d, %v", text, n, err)
	}
}

// both runs a test for the families of IP, with the station's address of each,
// each in a bubble of its own.
func both(t *testing.T, f func(t *testing.T, remote netip.Addr)) {
	for _, remote := range []netip.Addr{bob4, bob6} {
		t.Run(remote.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { f(t, remote) })
		})
	}
}

func TestPacketsWaitForTheAddressOfTheNeighborAndGoOutInOrder(t *testing.T) {
	both(t, func(t *testing.T, remote netip.Addr) {
		h, st := stationed(t, berth.Config{}, wire.Ethernet())
		st.silence(true)
		s := sender(t, h, remote)
		for _, text := range []string{"one", "two", "three"} {
			send(t, s, text)
		}
		all := st.take(nil)
		if n := len(slices.DeleteFunc(all, func(p *packet) bool { return !asks(remote)(p) })); n != 1 {
			t.Errorf("asked %d times, want once", n)
		}
		st.silence(false)
		time.Sleep(1500 * time.Millisecond) // it is asked for again
		var got []string
		for _, p := range st.take(isUDP) {
			if p.eth.Dst != stationMAC || p.eth.Src != hostMAC {
				t.Errorf("from %v to %v", p.eth.Src, p.eth.Dst)
			}
			got = append(got, string(p.payload[8:]))
		}
		if want := []string{"one", "two", "three"}; !slices.Equal(got, want) {
			t.Errorf("sent %q, want %q", got, want)
		}
		send(t, s, "four")
		if p := st.one("the next packet", nil); string(p.payload[8:]) != "four" {
			t.Error("the address is not remembered")
		}
	})
}

func TestAnUnreachableNeighborEndsAConnect(t *testing.T) {
	both(t, func(t *testing.T, remote netip.Addr) {
		h, st := stationed(t, berth.Config{}, wire.Ethernet())
		st.silence(true)
		s := newSocket(t, h, domainOf(remote), socket.STREAM, 0)
		start := time.Now()
		if err := s.Connect(t.Context(), netip.AddrPortFrom(remote, 80)); !errors.Is(err, syscall.EHOSTUNREACH) {
			t.Errorf("connect: %v", err)
		}
		t.Log("after", time.Since(start))
		if n := len(st.take(asks(remote))); n < 3 {
			t.Errorf("asked %d times, want at least 3", n)
		}
		if h.Counters().IP.Unresolved.Load() == 0 {
			t.Error("nothing was counted")
		}
	})
}

func TestAnUnreachableNeighborIsToldToADatagramSocketWithAnErrorQueue(t *testing.T) {
	both(t, func(t *testing.T, remote netip.Addr) {
		h, st := stationed(t, berth.Config{}, wire.Ethernet())
		st.silence(true)
		s := newSocket(t, h, domainOf(remote), socket.DGRAM, 0)
		option := socket.IP_RECVERR
		if remote.Is6() {
			option = socket.IPV6_RECVERR
		}
		if err := socket.Set(s, option, 1); err != nil {
			t.Fatal(err)
		}
		to := netip.AddrPortFrom(remote, 9)
		if _, err := s.SendTo([]byte("hello"), 0, to); err != nil {
			t.Fatal(err)
		}
		s.SetReadDeadline(time.Now().Add(time.Minute))
		if _, err := s.Recv(make([]byte, 1), 0); !errors.Is(err, syscall.EHOSTUNREACH) {
			t.Errorf("recv: %v", err)
		}
		m := socket.Message{Buffers: [][]byte{make([]byte, 10)}}
		n, err := s.RecvMsg(&m, socket.MSG_ERRQUEUE)
		if err != nil {
			t.Fatal(err)
		}
		if got := string(m.Buffers[0][:n]); got != "hello" || m.Addr != to || m.Control.Err.Errno != syscall.EHOSTUNREACH {
			t.Errorf("the error queue has %q to %v, %v", got, m.Addr, m.Control.Err.Errno)
		}
	})
}

func TestAnAnnouncementChangesWhatIsKnownOfANeighbor(t *testing.T) {
	elsewhere := header.MAC{2, 0, 0, 0, 0, 9}
	both(t, func(t *testing.T, remote netip.Addr) {
		h, st := stationed(t, berth.Config{}, wire.Ethernet())
		s := sender(t, h, remote)
		send(t, s, "one")
		st.take(nil)
		time.Sleep(5 * time.Second)
		if remote.Is4() { // gratuitous ARP (RFC 5227 section 3)
			st.arp(header.ARP{Op: header.ARPRequest, SenderHW: elsewhere, Sender: remote, Target: remote}, header.Broadcast)
		} else {
			na := header.NeighborAdvert{Target: remote, Override: true, HasTargetHW: true, TargetHW: elsewhere}
			st.nd(remote, netip.MustParseAddr("ff02::1"), na.Append(nil))
		}
		send(t, s, "two")
		if p := st.one("the next packet", isUDP); p.eth.Dst != elsewhere {
			t.Errorf("sent to %v, want %v", p.eth.Dst, elsewhere)
		}
	})
}

// DEF-44.
func TestAClaimToAnAddressOfTheHostIsCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, st := stationed(t, berth.Config{}, wire.Ethernet())
		s := sender(t, h, bob4)
		send(t, s, "one")
		st.take(nil)
		st.arp(header.ARP{Op: header.ARPRequest, SenderHW: stationMAC, Sender: alice4, Target: alice4}, header.Broadcast)
		if n := h.Counters().Neighbor.Duplicates.Load(); n != 1 {
			t.Errorf("%d duplicates counted, want 1", n)
		}
		na := header.NeighborAdvert{Target: alice6, Override: true, HasTargetHW: true, TargetHW: stationMAC}
		st.nd(alice6, netip.MustParseAddr("ff02::1"), na.Append(nil))
		if n := h.Counters().Neighbor.Duplicates.Load(); n != 2 {
			t.Errorf("%d duplicates counted, want 2", n)
		}
		st.none("a claim is answered", nil)
	})
}

// The state machine of RFC 4861 section 7.3.2: what is not confirmed is asked
// after (HOST-105); what TCP confirms by its progress is not (HOST-106, HOST-108,
// HOST-109).
func TestANeighborIsProbedUnlessTCPMakesProgress(t *testing.T) {
	both(t, func(t *testing.T, remote netip.Addr) {
		h, st := stationed(t, berth.Config{}, wire.Ethernet())
		st.serve()
		st.mu.Lock()
		st.blind = false
		st.mu.Unlock()
		c := newSocket(t, h, domainOf(remote), socket.STREAM, 0)
		if err := c.Connect(t.Context(), netip.AddrPortFrom(remote, 80)); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		exchangeWithEcho(t, c)
		st.take(nil)
		for range 600 {
			exchangeWithEcho(t, c)
			time.Sleep(time.Second)
		}
		if n := len(st.take(asks(remote))); n != 0 {
			t.Errorf("asked %d times while the connection made progress", n)
		}
		u := sender(t, h, remote)
		time.Sleep(time.Minute)
		send(t, u, "is anybody there?")
		time.Sleep(10 * time.Second)
		p := st.one("a probe", asks(remote))
		if p.eth.Dst != stationMAC {
			t.Errorf("the probe went to %v", p.eth.Dst)
		}
	})
}

// exchangeWithEcho sends a few bytes to a station that sends them back.
func exchangeWithEcho(t *testing.T, c socket.Socket) {
	t.Helper()
	send(t, c, "ping")
	b := make([]byte, 4)
	if n, err := c.Recv(b, socket.MSG_WAITALL); n != 4 || err != nil {
		t.Fatal(n, err)
	}
}

// HOST-104: a neighbor that is gone is given up, and found again where it is now.
func TestANeighborThatMovesIsFoundAgain(t *testing.T) {
	both(t, func(t *testing.T, remote netip.Addr) {
		h, st := stationed(t, berth.Config{}, wire.Ethernet())
		s := sender(t, h, remote)
		send(t, s, "one")
		time.Sleep(time.Minute)
		st.mac = header.MAC{2, 0, 0, 0, 0, 7}
		st.silence(true)
		send(t, s, "two")
		st.take(nil)
		for range 20 { // it is DELAY, PROBE, UNREACHABLE
			time.Sleep(time.Second)
			s.Send([]byte("three"), 0)
		}
		st.silence(false)
		for range 60 {
			time.Sleep(time.Second)
			s.Send([]byte("four"), 0)
		}
		st.take(nil)
		send(t, s, "five")
		if p := st.one("the packet", isUDP); p.eth.Dst != st.mac {
			t.Errorf("sent to %v, want %v", p.eth.Dst, st.mac)
		}
	})
}

func TestAnAddressOfTheHostIsAnsweredFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, st := stationed(t, berth.Config{}, wire.Ethernet())
		time.Sleep(time.Minute)
		st.take(nil)
		st.arp(header.ARP{Op: header.ARPRequest, SenderHW: stationMAC, Sender: bob4, Target: alice4}, header.Broadcast)
		a := st.one("the reply", nil).arp
		if a == nil || a.Op != header.ARPReply || a.Sender != alice4 || a.SenderHW != hostMAC || a.Target != bob4 {
			t.Errorf("the reply is %+v", a)
		}
		st.arp(header.ARP{Op: header.ARPRequest, SenderHW: stationMAC, Sender: bob4, Target: netip.MustParseAddr("10.0.0.7")}, header.Broadcast)
		st.none("a request for somebody else is answered", nil)

		ns := header.NeighborSolicit{Target: alice6, HasSourceHW: true, SourceHW: stationMAC}
		st.nd(bob6, netip.MustParseAddr("ff02::1:ff00:1"), ns.Append(nil))
		p := st.one("the advertisement", nil)
		var na header.NeighborAdvert
		if _, err := na.Parse(p.payload); err != nil {
			t.Fatal(err)
		}
		if na.Target != alice6 || !na.Solicited || na.TargetHW != hostMAC || p.ttl != 255 || p.dst != bob6 {
			t.Errorf("the advertisement is %+v to %v, hop limit %d", na, p.dst, p.ttl)
		}
		ns.Target = netip.MustParseAddr("fd00::7")
		st.nd(bob6, netip.MustParseAddr("ff02::1:ff00:1"), ns.Append(nil))
		st.none("a solicitation for somebody else is answered", nil)
	})
}
