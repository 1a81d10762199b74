package pinger

import (
	"context"
	"net/netip"
	"strings"
	"syscall"
	"testing"
	"time"

	"example.com/berth"
	"example.com/berth/internal/header"
	"example.com/berth/link"
	"example.com/berth/link/impair"
	"example.com/berth/link/wire"
	"example.com/berth/socket"
)

// hosts returns two hosts on a wire, which has the given faults towards bob.
func hosts(t *testing.T, faults impair.Config) (alice *berth.Host, bob *berth.Host) {
	t.Helper()
	a, b := wire.Pair()
	alice, bob = berth.NewHost(berth.Config{}), berth.NewHost(berth.Config{})
	if _, err := alice.Attach(impair.New(a, faults), "10.0.0.1/24", "fd00::1/64"); err != nil {
		t.Fatal(err)
	}
	if _, err := bob.Attach(b, "10.0.0.2/24", "fd00::2/64"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { alice.Close(); bob.Close() })
	return alice, bob
}

// noPing is a provider without ping sockets.
type noPing struct{ socket.Provider }

func (p noPing) Socket(d socket.Domain, typ socket.Type, protocol socket.Protocol) (socket.Socket, error) {
	if typ == socket.DGRAM {
		return nil, syscall.EACCES
	}
	return p.Provider.Socket(d, typ, protocol)
}

func TestPingOnBothKindsOfSocket(t *testing.T) {
	alice, _ := hosts(t, impair.Config{})
	for _, addr := range []string{"10.0.0.2", "fd00::2"} {
		for name, p := range map[string]socket.Provider{"ping": alice, "raw": noPing{alice}} {
			t.Run(name+" "+addr, func(t *testing.T) {
				cfg := Config{Addr: netip.MustParseAddr(addr), Count: 3, Interval: time.Millisecond, Wait: time.Minute, Size: 100, TTL: 7}
				g, err := New(p, cfg)
				if err != nil {
					t.Fatal(err)
				}
				if g.raw != (name == "raw") {
					t.Errorf("raw %v", g.raw)
				}
				var seen []int
				stats, err := g.Run(t.Context(), func(e Event) {
					seen = append(seen, e.Seq)
					if e.From != cfg.Addr || e.Size != 108 || e.TTL != 64 || e.RTT <= 0 || e.Duplicate || e.Reason != "" {
						t.Errorf("event %+v", e)
					}
				})
				if err != nil || stats.Sent != 3 || stats.Received != 3 || len(seen) != 3 || seen[2] != 3 {
					t.Errorf("%+v, %v, seen %v", stats, err, seen)
				}
			})
		}
	}
}

func TestPingThroughLossAndDuplication(t *testing.T) {
	n := 0
	alice, _ := hosts(t, impair.Config{
		Duplicate: 1,
		Rule: func(_ time.Duration, f *link.Frame) impair.Verdict {
			var b [20]byte
			if f.Peek(b[:]) < len(b) || b[0]>>4 != 4 {
				return impair.Verdict{}
			}
			n++
			return impair.Verdict{Drop: n == 2}
		},
	})
	g, err := New(alice, Config{Addr: netip.MustParseAddr("10.0.0.2"), Count: 3, Interval: time.Millisecond, Wait: 20 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	seen := map[int]int{}
	stats, err := g.Run(t.Context(), func(e Event) {
		seen[e.Seq]++
		if e.Duplicate != (seen[e.Seq] > 1) {
			t.Errorf("event %+v", e)
		}
	})
	if err != nil || stats.Received != 2 || seen[2] != 0 || stats.Duplicates < 1 {
		t.Errorf("%+v, %v, seen %v", stats, err, seen)
	}
}

func TestErrorsAreTold(t *testing.T) {
	alice, _ := hosts(t, impair.Config{})
	for name, p := range map[string]socket.Provider{"ping": alice, "raw": noPing{alice}} {
		t.Run(name, func(t *testing.T) {
			if _, err := New(p, Config{Addr: netip.MustParseAddr("10.0.0.2")}); err != nil {
				t.Fatal(err)
			}
			g, err := New(p, Config{Addr: netip.MustParseAddr("192.0.2.1"), Count: 1, Interval: time.Millisecond})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := g.Run(t.Context(), func(Event) {}); err != syscall.ENETUNREACH {
				t.Errorf("without a route: %v", err)
			}
		})
	}
}

func TestRunEndsWithItsContext(t *testing.T) {
	alice, _ := hosts(t, impair.Config{Loss: 1})
	g, err := New(alice, Config{Addr: netip.MustParseAddr("10.0.0.2"), Interval: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	stats, err := g.Run(ctx, func(e Event) { t.Errorf("event %+v", e) })
	if err != nil || stats.Sent != 1 || stats.Received != 0 || stats.Loss() != 100 {
		t.Errorf("%+v, %v", stats, err)
	}
}

func TestMissingAnswersAreWaitedForNoLongerThanAsked(t *testing.T) {
	alice, _ := hosts(t, impair.Config{Loss: 1})
	g, err := New(alice, Config{Addr: netip.MustParseAddr("10.0.0.2"), Count: 2, Interval: time.Millisecond, Wait: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	stats, err := g.Run(t.Context(), func(Event) {})
	if err != nil || stats.Sent != 2 || stats.Received != 0 {
		t.Errorf("%+v, %v", stats, err)
	}
}

func TestRepliesThatAreNone(t *testing.T) {
	good := header.ICMP{Type: header.ICMPv4EchoReply}
	for _, b := range [][]byte{nil, {0}, request(nil, true, 1, 2, 10), good.Append(nil)[:7]} {
		if _, _, ok := reply(b, true, false); ok {
			t.Errorf("%x is a reply", b)
		}
	}
	if e, _, ok := reply(good.Append(nil), true, false); !ok || e.size != 8 {
		t.Errorf("a reply is %+v, %v", e, ok)
	}
	if _, _, ok := reply(good.Append(nil), true, true); ok {
		t.Error("a reply without an IP header is one of a raw socket")
	}
}

func TestRequestChecksum(t *testing.T) {
	b := request(nil, true, 0x1234, 0xfffe, 33)
	if len(b) != 41 || header.Fold(header.Sum(b, 0)) != 0 {
		t.Errorf("request %x", b)
	}
}

func TestText(t *testing.T) {
	addr := netip.MustParseAddr("10.0.0.2")
	var b strings.Builder
	p := Text{Out: &b}
	stats := Stats{Sent: 4, Duplicates: 1, Errors: 1, Time: 3*time.Second + 5*time.Millisecond}
	for _, err := range []error{
		p.Begin("bob", &Config{Addr: addr, Size: 56}),
		p.Event(Event{Seq: 1, From: addr, Size: 64, TTL: 64, RTT: 1234567 * time.Nanosecond}),
		p.Event(Event{Seq: 1, From: addr, Size: 64, TTL: 64, RTT: 12345678 * time.Nanosecond, Duplicate: true}),
		p.Event(Event{Seq: 2, From: netip.MustParseAddr("10.0.0.9"), Reason: "Destination Host Unreachable"}),
		p.Event(Event{Seq: 3, Reason: "message too long"}),
		p.Event(Event{Seq: 4, From: netip.MustParseAddr("10.0.0.3"), Size: 64, TTL: 1, RTT: 123456789 * time.Nanosecond}),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	stats.add(1 * time.Millisecond)
	stats.add(3 * time.Millisecond)
	stats.add(200 * time.Microsecond)
	if err := p.End("bob", &stats); err != nil {
		t.Fatal(err)
	}
	const want = `PING bob (10.0.0.2) 56(84) bytes of data.
64 bytes from bob (10.0.0.2): icmp_seq=1 ttl=64 time=1.23 ms
64 bytes from bob (10.0.0.2): icmp_seq=1 ttl=64 time=12.3 ms (DUP!)
From 10.0.0.9 icmp_seq=2 Destination Host Unreachable
icmp_seq=3 message too long
64 bytes from 10.0.0.3: icmp_seq=4 ttl=1 time=123 ms

--- bob ping statistics ---
4 packets transmitted, 3 received, +1 duplicates, +1 errors, 25% packet loss, time 3005ms
rtt min/avg/max/mdev = 0.200/1.400/3.000/1.178 ms
`
	if got := b.String(); got != want {
		t.Errorf("said\n%s\nwant\n%s", got, want)
	}
}

func TestReasons(t *testing.T) {
	const icmp4, icmp6 = socket.SO_EE_ORIGIN_ICMP, socket.SO_EE_ORIGIN_ICMP6
	for _, tt := range []struct {
		e    socket.ExtendedError
		want string
	}{
		{socket.ExtendedError{Origin: icmp4, Type: 3, Code: 1}, "Destination Host Unreachable"},
		{socket.ExtendedError{Origin: icmp4, Type: 3, Code: 4, Info: 1400}, "Frag needed and DF set (mtu = 1400)"},
		{socket.ExtendedError{Origin: icmp4, Type: 3, Code: 99}, "Dest Unreachable, code 99"},
		{socket.ExtendedError{Origin: icmp4, Type: 11}, "Time to live exceeded"},
		{socket.ExtendedError{Origin: icmp4, Type: 11, Code: 1}, "Frag reassembly time exceeded"},
		{socket.ExtendedError{Origin: icmp4, Type: 12}, "Parameter problem"},
		{socket.ExtendedError{Origin: icmp4, Type: 5}, "ICMP type 5 code 0"},
		{socket.ExtendedError{Origin: icmp6, Type: 1, Code: 3}, "Destination unreachable: Address unreachable"},
		{socket.ExtendedError{Origin: icmp6, Type: 1, Code: 77}, "Destination unreachable: code 77"},
		{socket.ExtendedError{Origin: icmp6, Type: 2, Info: 1280}, "Packet too big: mtu=1280"},
		{socket.ExtendedError{Origin: icmp6, Type: 3}, "Time exceeded: Hop limit"},
		{socket.ExtendedError{Origin: icmp6, Type: 3, Code: 1}, "Time exceeded: Defragmentation failure"},
		{socket.ExtendedError{Origin: icmp6, Type: 4}, "Parameter problem"},
		{socket.ExtendedError{Origin: icmp6, Type: 200}, "ICMPv6 type 200 code 0"},
		{socket.ExtendedError{Origin: socket.SO_EE_ORIGIN_LOCAL, Errno: syscall.EMSGSIZE, Info: 1500}, "local error: message too long, mtu=1500"},
		{socket.ExtendedError{Origin: socket.SO_EE_ORIGIN_LOCAL, Errno: syscall.EHOSTUNREACH}, "local error: no route to host"},
	} {
		if got := reason(&tt.e); got != tt.want {
			t.Errorf("%+v is %q, want %q", tt.e, got, tt.want)
		}
	}
}
