package berth_test

import (
	"errors"
	"net/netip"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"

	"example.com/berth"
	"example.com/berth/internal/header"
	"example.com/berth/socket"
)

// MUST-2: what is sent has a checksum, which the station verifies, here of
// segments of even and odd lengths.
func TestSegmentsHaveChecksums(t *testing.T) {
	both(t, func(t *testing.T, remote netip.Addr) {
		h, st := stationed(t, berth.Config{})
		p := playedServer(t, h, st, remote)
		set(t, p.sock, socket.TCP_NODELAY, 1)
		for n := range 9 {
			send(t, p.sock, strings.Repeat("\xff", n+1))
			got := st.one("the segment", isTCP)
			if _, data := got.tcp(); len(data) != n+1 || !got.checksumGood() {
				t.Errorf("%d bytes, checksum good: %v", len(data), got.checksumGood())
			}
		}
	})
}

// MUST-3: what comes with a wrong checksum is not taken and not answered.
//
// DEF-54.
func TestSegmentsWithBadChecksumsAreDropped(t *testing.T) {
	both(t, func(t *testing.T, remote netip.Addr) {
		h, st := stationed(t, berth.Config{})
		p := playedServer(t, h, st, remote)
		th := header.TCP{Flags: header.ACK | header.PSH, Seq: p.seq, Ack: p.ack, Window: 65535}
		good := withOptions(p.remote, p.local, th, nil, "hello")
		st.take(nil)
		for i := range good {
			bad := append([]byte(nil), good...)
			bad[i] ^= 0x10
			st.ip(packet{src: remote, dst: localOf(remote), protocol: header.ProtocolTCP, payload: bad})
		}
		st.none("a bad checksum is answered", nil)
		if _, err := p.sock.Recv(make([]byte, 10), socket.MSG_DONTWAIT); !errors.Is(err, syscall.EAGAIN) {
			t.Errorf("Recv: %v", err)
		}
		// A data offset that is none is found before the checksum.
		c := &h.Counters().TCP
		if n := c.BadChecksum.Load() + c.Malformed.Load(); n != uint64(len(good)) || c.BadChecksum.Load() == 0 {
			t.Errorf("%d counted, want %d", n, len(good))
		}
		st.ip(packet{src: remote, dst: localOf(remote), protocol: header.ProtocolTCP, payload: good})
		p.wantData(t, "hello")
	})
}

// The TTL (HOST-23) and the Differentiated Services field (HOST-18) of segments are
// what the program sets, also in the middle of a connection.
func TestTheProgramSetsTTLAndDiffserv(t *testing.T) {
	both(t, func(t *testing.T, remote netip.Addr) {
		h, st := stationed(t, berth.Config{})
		p := playedServer(t, h, st, remote)
		set(t, p.sock, socket.TCP_NODELAY, 1)
		ttl, tos := socket.IP_TTL, socket.IP_TOS
		if remote.Is6() {
			ttl, tos = socket.IPV6_UNICAST_HOPS, socket.IPV6_TCLASS
		}
		for _, tt := range []struct{ ttl, tos int }{{64, 0}, {9, 0xb8}, {255, 0x28}, {1, 0xfc}} {
			if tt.tos != 0 {
				set(t, p.sock, ttl, tt.ttl)
				set(t, p.sock, tos, tt.tos)
			}
			send(t, p.sock, "x")
			got := st.one("the segment", isTCP)
			if int(got.ttl) != tt.ttl { // MUST-49
				t.Errorf("TTL %d, want %d", got.ttl, tt.ttl)
			}
			if int(got.tos) != tt.tos { // MUST-48, SHLD-21, SHLD-22
				t.Errorf("Differentiated Services %#x, want %#x", got.tos, tt.tos)
			}
		}
	})
}

// RFC 6864 4.3: segments that may be cut on the way have identifications of their
// own, so that their fragments are not mixed up.
func TestSegmentsThatMayBeCutHaveIdentifications(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, st := stationed(t, berth.Config{})
		p := playedServer(t, h, st, bob4)
		set(t, p.sock, socket.TCP_NODELAY, 1)
		set(t, p.sock, socket.IP_MTU_DISCOVER, socket.IP_PMTUDISC_DONT)
		seen := make(map[uint32]bool)
		for range 5 {
			send(t, p.sock, "x")
			got := st.one("the segment", isTCP)
			if got.df {
				t.Error("the segment may not be cut")
			}
			seen[got.id] = true
		}
		if len(seen) < 4 { // by chance two may be the same
			t.Errorf("the identifications are %v", seen)
		}
	})
}
