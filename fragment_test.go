package berth_test

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"net/netip"
	"os"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"example.com/berth"
	"example.com/berth/internal/header"
	"example.com/berth/link"
	"example.com/berth/link/impair"
	"example.com/berth/link/wire"
	"example.com/berth/socket"
)

func noise(n int) []byte {
	b := make([]byte, n)
	r := rand.NewChaCha8([32]byte{byte(n)})
	r.Read(b)
	return b
}

// Datagrams of every length that there is (HOST-113, HOST-114), over links of
// several MTUs: they are fragmented (HOST-119) and put together (HOST-16, HOST-112).
func TestDatagramsAreFragmentedAndPutTogether(t *testing.T) {
	for _, opts := range [][]wire.Option{nil, {wire.Offload(0)}, {wire.Ethernet(), wire.MTU(1280)}, {wire.MTU(9000)}} {
		alice, bob := pair(t, opts...)
		for addr, longest := range map[netip.Addr]int{bob4: 65507, bob6: 65527} {
			u, s := sender(t, alice, addr), receiver(t, bob, netip.AddrPortFrom(addr, 9))
			// What is not lost is there at once, unless another goroutine just carries
			// something of the host's own over the wire, as a solicitation.
			late := time.Now().Add(time.Minute)
			if err := errors.Join(socket.Set(s, socket.SO_RCVBUF, 1<<20), s.SetReadDeadline(late)); err != nil {
				t.Fatal(err)
			}
			for _, n := range []int{0, 1, 1231, 1232, 1233, 1472, 1473, 8000, 20_000, 65_000, longest} {
				sent, got := noise(n), make([]byte, 70_000)
				if k, err := u.Send(sent, 0); k != n || err != nil {
					t.Fatalf("%v: sent %d of %d bytes: %v", addr, k, n, err)
				}
				k, err := s.Recv(got, 0)
				if err != nil || !bytes.Equal(got[:k], sent) {
					t.Errorf("%v: received %d of %d bytes: %v", addr, k, n, err)
				}
			}
			if _, err := u.Send(make([]byte, longest+1), 0); !errors.Is(err, syscall.EMSGSIZE) {
				t.Errorf("%v: sent %d bytes: %v", addr, longest+1, err)
			}
		}
	}
}

func TestFragmentsComeInAnyOrderAndTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		alice, bob := pairWith(t, berth.Config{}, func(d link.Device) link.Device {
			return impair.New(d, impair.Config{
				Seed: 3, Reorder: 0.3, ReorderGap: 5, Duplicate: 0.3, Delay: 10 * time.Millisecond,
			})
		}, wire.Offload(0))
		for _, addr := range []netip.Addr{bob4, bob6} {
			u, s := sender(t, alice, addr), receiver(t, bob, netip.AddrPortFrom(addr, 9))
			for range 50 {
				sent, got := noise(30_000), make([]byte, 70_000)
				if _, err := u.Send(sent, 0); err != nil {
					t.Fatal(err)
				}
				n, err := s.Recv(got, 0)
				if err != nil || !bytes.Equal(got[:n], sent) {
					t.Fatalf("received %d bytes: %v", n, err)
				}
				time.Sleep(time.Second)
				s.SetReadDeadline(time.Now())
				if n, err := s.Recv(got, 0); !errors.Is(err, os.ErrDeadlineExceeded) {
					t.Errorf("a second time: %d bytes, %v", n, err)
				}
				s.SetReadDeadline(time.Time{})
			}
		}
	})
}

// piece is a fragment of a datagram from the station to port 9 of its host.
func piece(from netip.Addr, id uint32, datagram []byte, off, n int) packet {
	return packet{
		src: from, dst: localOf(from), protocol: header.ProtocolUDP, id: id,
		payload: datagram[off:min(off+n, len(datagram))], offset: off, mf: off+n < len(datagram),
	}
}

func fragmentDatagram(from netip.Addr, n int) []byte {
	return udpDatagram(netip.AddrPortFrom(from, 9), netip.AddrPortFrom(localOf(from), 9), noise(n))
}

// The time is up (HOST-117): who sent the packet is told, if the first fragment
// came (HOST-116).
func TestALostFragmentIsReported(t *testing.T) {
	both(t, func(t *testing.T, remote netip.Addr) {
		h, st := stationed(t, berth.Config{})
		receiver(t, h, netip.AddrPortFrom(localOf(remote), 9))
		d := fragmentDatagram(remote, 3000)
		st.ip(piece(remote, 1, d, 0, 1000))
		st.ip(piece(remote, 1, d, 2000, 1008))
		st.ip(piece(remote, 2, d, 1000, 1000)) // not the first
		limit, typ := 30*time.Second, uint8(header.ICMPv4TimeExceeded)
		if remote.Is6() {
			limit, typ = time.Minute, header.ICMPv6TimeExceeded
		}
		timeExceeded := func(p *packet) bool { return p.isICMP(typ, header.ICMPReassemblyExceeded) }
		time.Sleep(limit - time.Second)
		st.none("too early", timeExceeded)
		time.Sleep(2 * time.Second)
		p := st.one("time exceeded", timeExceeded)
		if p.dst != remote {
			t.Errorf("it went to %v", p.dst)
		}
		if n := h.Counters().IP.ReassemblyTimeout.Load(); n != 2 {
			t.Errorf("%d packets given up, want 2", n)
		}
		if used := h.BudgetUsed(); used != 0 {
			t.Errorf("%d bytes of the budget are taken", used)
		}
	})
}

// RFC 5722: nothing of a packet with overlapping fragments is delivered, nor of
// what comes of it later.
//
// DEF-11, DEF-12.
func TestOverlappingFragmentsAreRefused(t *testing.T) {
	both(t, func(t *testing.T, remote netip.Addr) {
		h, st := stationed(t, berth.Config{})
		s := receiver(t, h, netip.AddrPortFrom(localOf(remote), 9))
		d := fragmentDatagram(remote, 3000)
		st.ip(piece(remote, 1, d, 0, 1000))
		st.ip(piece(remote, 1, d, 992, 1000))
		st.ip(piece(remote, 1, d, 1000, 1000))
		st.ip(piece(remote, 1, d, 2000, 1008))
		s.SetNonblock(true)
		if n, err := s.Recv(make([]byte, 4000), 0); err != syscall.EAGAIN {
			t.Errorf("received %d bytes: %v", n, err)
		}
		if h.Counters().IP.ReassemblyFailed.Load() == 0 {
			t.Error("it was not counted")
		}
		for _, off := range []int{2000, 0, 1000} {
			st.ip(piece(remote, 2, d, off, 1000+off/2000*8))
		}
		if n, err := s.Recv(make([]byte, 4000), 0); n != 3000 || err != nil {
			t.Errorf("the next packet: %d bytes, %v", n, err)
		}
	})
}

// Fragments that never become whole take a bounded amount of memory, also if
// they pretend to come from many hosts.
//
// DEF-10.
func TestFragmentsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, st := stationed(t, berth.Config{})
		before := heap()
		for i := range 20_000 {
			from := netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)})
			p := packet{
				src: from, dst: alice4, protocol: header.ProtocolUDP, id: uint32(i),
				payload: make([]byte, 1480), mf: true,
			}
			st.ip(p)
		}
		if grown := heap() - before; grown > 12<<20 {
			t.Errorf("%d MiB of fragments are held", grown>>20)
		}
		time.Sleep(time.Minute)
		s := receiver(t, h, netip.AddrPortFrom(alice4, 9))
		d := fragmentDatagram(bob4, 3000)
		st.ip(piece(bob4, 1, d, 0, 1000))
		st.ip(piece(bob4, 1, d, 1000, 1000))
		st.ip(piece(bob4, 1, d, 2000, 1008))
		wantDatagram(t, s, 3000)
	})
}

// The first fragment of an IPv6 packet has all its headers (RFC 7112 section 5).
//
// DEF-13.
func TestTinyFragmentsAreRefused(t *testing.T) {
	h, st := stationed(t, berth.Config{})
	listenOn(t, h, netip.AddrPortFrom(alice6, 80), 1)
	syn := tcpSegment(netip.AddrPortFrom(bob6, 9), netip.AddrPortFrom(alice6, 80), header.TCP{Flags: header.SYN}, nil)
	st.take(nil)
	st.ip(packet{src: bob6, dst: alice6, protocol: header.ProtocolTCP, id: 1, payload: syn[:8], mf: true})
	st.ip(packet{src: bob6, dst: alice6, protocol: header.ProtocolTCP, id: 1, payload: syn[8:], offset: 8})
	p := st.one("the answer", nil)
	if !p.isICMP(header.ICMPv6ParameterProblem, header.ProblemFirst) {
		t.Errorf("the answer is %x", p.payload)
	}
}
