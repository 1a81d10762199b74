package nat

import (
	"net/netip"
	"testing"
	"time"

	"example.com/berth/internal/header"
)

func timeouts(t *testing.T) {
	const udpTime, established, transitory, icmpTime = 5 * time.Minute, 124 * time.Minute, 4 * time.Minute, time.Minute
	for _, tt := range []struct {
		name    string
		cfg     Timeouts
		packets func(r *rig)
		want    time.Duration
	}{
		{"UDP", Timeouts{}, func(r *rig) { r.sends(udp(ap(alice), ap(server), "")) }, udpTime},
		{"UDP as told", Timeouts{UDP: time.Hour}, func(r *rig) { r.sends(udp(ap(alice), ap(server), "")) }, time.Hour},
		{"ICMP", Timeouts{}, func(r *rig) { r.sends(ping(ap(alice), ap(server).Addr())) }, icmpTime},
		{"SYN", Timeouts{}, func(r *rig) { r.sends(tcp(ap(alice), ap(server), header.SYN)) }, transitory},
		{"connection", Timeouts{}, func(r *rig) {
			from := r.sends(tcp(ap(alice), ap(server), header.SYN))
			r.gets(tcp(ap(server), from, header.SYN|header.ACK), alice)
		}, established},
	} {
		for _, b := range []Behavior{FullCone, AddressRestricted, Symmetric} {
			r := newRig(t, Config{Behavior: b, Timeouts: tt.cfg})
			tt.packets(r)
			if got := r.only().Expires - r.now; got != tt.want || r.Table.Deadline() != r.now+tt.want {
				t.Errorf("%s, %v: expires after %v, deadline %v, want %v", tt.name, b, got, r.Table.Deadline()-r.now, tt.want)
			}
			r.wait(tt.want - 1)
			if r.Expire(r.now); r.Len() != 1 {
				t.Errorf("%s, %v: ended early", tt.name, b)
			}
			r.wait(1)
			if r.Expire(r.now); r.Len() != 0 || r.Table.Deadline() != 0 || len(r.sessions)+len(r.peers)+len(r.hosts) != 0 {
				t.Errorf("%s, %v: %d left, deadline %v", tt.name, b, r.Len(), r.Table.Deadline())
			}
			if c := r.Counters(); c.SessionsTimedOut != 1 || c.MappingsEnded != 1 {
				t.Errorf("%s, %v: %+v", tt.name, b, c)
			}
		}
	}
}

// A packet that comes when its mapping is over finds none, whether or not the
// timer has fired.
func TestTimeIsLookedAtFirst(t *testing.T) {
	r := newRig(t, Config{})
	from := r.sends(udp(ap(alice), ap(server), ""))
	r.wait(5 * time.Minute)
	r.wantIn(udp(ap(server), from, ""), Local, NoMapping)
}

func whichWayRefreshes(t *testing.T) {
	for _, inbound := range []bool{false, true} {
		r := newRig(t, Config{Behavior: PortRestricted, InboundRefresh: inbound})
		from := r.sends(udp(ap(alice), ap(server), ""))
		r.wait(time.Minute)
		r.gets(udp(ap(server), from, ""), alice)
		want := 4 * time.Minute
		if inbound {
			want = 5 * time.Minute
		}
		if got := r.only().Expires - r.now; got != want {
			t.Errorf("inbound %v: %v left after a packet in", inbound, got)
		}
		r.sends(udp(ap(alice), ap(server), ""))
		if got := r.only().Expires - r.now; got != 5*time.Minute {
			t.Errorf("inbound %v: %v left after a packet out", inbound, got)
		}
	}
}

// Permissions end one by one, and the mapping with the last.
func TestPermissionsEndByThemselves(t *testing.T) {
	r := newRig(t, Config{Behavior: AddressRestricted})
	from := r.sends(udp(ap(alice), ap(server), ""))
	r.wait(3 * time.Minute)
	r.sends(udp(ap(alice), ap(other), ""))
	r.wait(3 * time.Minute)
	r.wantIn(udp(ap(server), from, ""), Drop, Filtered)
	r.gets(udp(ap(other), from, ""), alice)
	r.wait(2 * time.Minute)
	r.wantIn(udp(ap(other), from, ""), Local, NoMapping)
}

// TestTCPStates is RFC 6146 3.5.2.2 as a table: what goes out (>) and in (<),
// and whether the connection then has the time of an established one.
func TestTCPStates(t *testing.T) {
	const S, SA, A, F, R = header.SYN, header.SYN | header.ACK, header.ACK, header.FIN | header.ACK, header.RST
	type step struct {
		way   byte
		flags header.TCPFlags
		want  bool // established
	}
	for _, tt := range []struct {
		name  string
		steps []step
	}{
		{"handshake", []step{{'>', S, false}, {'>', S, false}, {'<', SA, true}, {'>', A, true}}},
		{"simultaneous open", []step{{'>', S, false}, {'<', S, true}, {'>', SA, true}, {'<', SA, true}}},
		{"from outside", []step{{'<', S, false}, {'>', SA, true}, {'<', A, true}}},
		{"refused", []step{{'>', S, false}, {'<', R | A, false}, {'>', S, false}, {'<', SA, true}}},
		{"close", []step{{'>', S, false}, {'<', SA, true}, {'>', F, true}, {'<', A, true}, {'<', F, false}, {'>', A, false}}},
		{"closed by the remote", []step{{'>', S, false}, {'<', SA, true}, {'<', F, true}, {'>', F, false}, {'<', A, false}}},
		{"reset", []step{{'>', S, false}, {'<', SA, true}, {'<', R, false}}},
		{"forged reset", []step{{'>', S, false}, {'<', SA, true}, {'<', R, false}, {'>', A, true}}},
		{"reuse", []step{{'>', S, false}, {'<', SA, true}, {'>', F, true}, {'<', F, false}, {'>', S, false}, {'<', SA, true}}},
		{"picked up", []step{{'>', A, false}, {'<', A, true}, {'>', A, true}}},
		{"picked up, reset", []step{{'>', A, false}, {'<', R, false}}},
		{"an ACK answers no SYN", []step{{'>', S, false}, {'<', A, false}}},
	} {
		r := newRig(t, Config{PortPreservation: true})
		r.sends(tcp(ap(alice), ap("198.51.100.9:9"), S)) // so that there is a mapping to come in by
		for i, s := range tt.steps {
			r.wait(time.Second)
			if s.way == '>' {
				r.sends(tcp(ap(alice), ap(server), s.flags))
			} else {
				r.gets(tcp(ap(server), ap(outside+":5000"), s.flags), alice)
			}
			found := false
			for _, x := range r.only().Sessions {
				if x.Remote != ap(server) {
					continue
				}
				found = true
				want := 4 * time.Minute
				if s.want {
					want = 124 * time.Minute
				}
				if x.Established != s.want || x.Expires-r.now != want {
					t.Errorf("%s, step %d: %+v, want established %v", tt.name, i, x, s.want)
				}
			}
			if !found {
				t.Errorf("%s, step %d: no session", tt.name, i)
			}
		}
	}
}

// What begins nothing makes nothing.
func TestStraysOfTCP(t *testing.T) {
	r := newRig(t, Config{})
	r.wantOut(tcp(ap(alice), ap(server), header.RST), Drop, NoMapping)
	from := r.sends(tcp(ap(alice), ap(server), header.SYN))
	r.gets(tcp(ap(other), from, header.ACK), alice)
	r.sends(tcp(ap(alice), ap(other), header.RST))
	if m := r.only(); len(m.Sessions) != 1 {
		t.Errorf("%+v", m)
	}
}

func unsolicitedSYNs(t *testing.T) {
	for _, b := range []Behavior{AddressRestricted, PortRestricted, Symmetric} {
		r := newRig(t, Config{Behavior: b, Exclusive: true, Ports: PortRange{2000, 2999}})
		from := r.sends(tcp(ap(alice), ap(server), header.SYN))
		r.wantIn(tcp(ap(other), from, header.SYN), Drop, Filtered)
		// Where nothing is mapped yet the router must not refuse either.
		r.wantIn(tcp(ap(other), ap(outside+":2500"), header.SYN), Drop, NoMapping)
		r.wantIn(udp(ap(other), ap(outside+":2500"), ""), Drop, NoMapping)
		r.wantOut(tcp(ap(bob), ap(outside+":2500"), header.SYN), Drop, NoMapping)
		r.wantIn(tcp(ap(other), ap(outside+":3000"), header.SYN), Local, NoMapping)
		r.wantOut(tcp(ap(bob), ap(outside+":3000"), header.SYN), Local, NoMapping)
		r.wantIn(pong(ap(other).Addr(), ap(outside+":2500")), Local, NoMapping)
		if c := r.Counters(); c.Dropped[Filtered] != 1 || c.Dropped[NoMapping] != 3 || c.Local[NoMapping] != 3 {
			t.Errorf("%+v", c)
		}
	}
}

func refusalsAreTold(t *testing.T) {
	for r := range Reason(Reasons) {
		want := r == PortsExhausted || r == MappingLimit || r == HostLimit || r == SessionLimit
		if r.Refused() != want {
			t.Errorf("%v: %v", r, r.Refused())
		}
	}
}

func TestEviction(t *testing.T) {
	host := func(i int) netip.AddrPort {
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, 1, byte(i)}), 5000)
	}
	connect := func(r *rig, src netip.AddrPort) {
		from := r.sends(tcp(src, ap(server), header.SYN))
		r.gets(tcp(ap(server), from, header.SYN|header.ACK), src.String())
		r.wait(time.Second)
	}
	t.Run("mappings", func(t *testing.T) {
		r := newRig(t, Config{Limits: Limits{Mappings: 4, PerHost: 4}})
		connect(r, host(1))
		first := r.sends(udp(host(2), ap(server), ""))
		second := r.sends(udp(host(3), ap(server), ""))
		r.sends(udp(host(2), ap(server), "")) // used: host 3's is idle longest
		connect(r, host(4))
		connect(r, host(5)) // in place of host 3's
		r.gets(udp(ap(server), first, ""), host(2).String())
		r.wantIn(udp(ap(server), second, ""), Local, NoMapping)
		connect(r, host(6)) // in place of host 2's
		if r.Len() != 4 || r.Counters().MappingsEvicted != 2 {
			t.Errorf("%d, %+v", r.Len(), r.Counters())
		}
		r.wantOut(udp(host(7), ap(server), ""), Drop, MappingLimit)
		// A connection that is over makes room again.
		r.sends(tcp(host(5), ap(server), header.RST))
		r.sends(udp(host(7), ap(server), ""))
	})
	t.Run("mappings whose connection has timed out", func(t *testing.T) {
		r := newRig(t, Config{Limits: Limits{Mappings: 1, PerMapping: 4}})
		connect(r, host(1))
		r.wait(123 * time.Minute)
		r.sends(tcp(host(1), ap(other), header.SYN)) // from the same port
		r.wantOut(udp(host(2), ap(server), ""), Drop, MappingLimit)
		r.wait(2 * time.Minute)
		r.sends(udp(host(2), ap(server), ""))
	})
	t.Run("hosts", func(t *testing.T) {
		r := newRig(t, Config{Limits: Limits{Mappings: 100, PerHost: 2}})
		r.sends(udp(ap("10.0.0.2:1"), ap(server), ""))
		r.sends(udp(ap("10.0.0.2:2"), ap(server), ""))
		r.wantOut(udp(ap("10.0.0.2:3"), ap(server), ""), Drop, HostLimit)
		r.sends(udp(ap("10.0.0.3:3"), ap(server), ""))
		r.wait(5 * time.Minute)
		r.sends(udp(ap("10.0.0.2:3"), ap(server), ""))
	})
	t.Run("sessions of a mapping", func(t *testing.T) {
		r := newRig(t, Config{Behavior: PortRestricted, Limits: Limits{PerMapping: 2}})
		remote := func(i int) netip.AddrPort { return netip.AddrPortFrom(ap(server).Addr(), uint16(i)) }
		from := r.sends(udp(ap(alice), remote(1), ""))
		r.sends(udp(ap(alice), remote(2), ""))
		r.sends(udp(ap(alice), remote(1), ""))
		r.sends(udp(ap(alice), remote(3), "")) // in place of 2
		r.gets(udp(remote(1), from, ""), alice)
		r.gets(udp(remote(3), from, ""), alice)
		r.wantIn(udp(remote(2), from, ""), Drop, Filtered)
		for i := range 2 {
			from = r.sends(tcp(ap(alice), remote(i+1), header.SYN))
			r.gets(tcp(remote(i+1), from, header.SYN|header.ACK), alice)
		}
		r.wantOut(tcp(ap(alice), remote(3), header.SYN), Drop, SessionLimit)
	})
	t.Run("sessions", func(t *testing.T) {
		r := newRig(t, Config{Behavior: PortRestricted, Limits: Limits{Sessions: 2, PerMapping: 2}})
		first := r.sends(udp(host(1), ap(server), ""))
		r.wait(time.Second)
		connect(r, host(2))
		connect(r, host(3)) // in place of host 1's, whose mapping is over with it
		r.wantIn(udp(ap(server), first, ""), Local, NoMapping)
		r.wantOut(udp(host(4), ap(server), ""), Drop, SessionLimit)
		if r.Len() != 2 || len(r.sessions) != 2 || r.Counters().SessionsEvicted != 1 {
			t.Errorf("%d mappings, %d sessions, %+v", r.Len(), len(r.sessions), r.Counters())
		}
	})
	t.Run("sessions of several protocols", func(t *testing.T) {
		for _, order := range [][]string{{"udp", "icmp", "tcp"}, {"tcp", "udp", "icmp"}, {"icmp", "tcp", "udp"}} {
			r := newRig(t, Config{Limits: Limits{Sessions: 3}})
			for _, name := range order {
				r.sends(packets[name](ap(alice), ap(server)))
				r.wait(time.Second)
			}
			r.sends(udp(ap(bob), ap(server), ""))
			first := map[string]uint8{"udp": header.ProtocolUDP, "tcp": header.ProtocolTCP, "icmp": header.ProtocolICMP}[order[0]]
			for _, m := range r.Mappings() {
				if m.Protocol == first && m.Inside == ap(alice) {
					t.Errorf("%v: %v was idle longest", order, m)
				}
			}
		}
	})
	t.Run("the last session of the mapping itself", func(t *testing.T) {
		r := newRig(t, Config{Behavior: PortRestricted, Limits: Limits{Sessions: 1}})
		first := r.sends(udp(ap(alice), ap(server), ""))
		if second := r.sends(udp(ap(alice), ap(other), "")); second != first || len(r.only().Sessions) != 1 {
			t.Errorf("%v, %v: %+v", first, second, r.Mappings())
		}
	})
}
