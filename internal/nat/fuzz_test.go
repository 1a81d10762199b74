package nat

import (
	"encoding/binary"
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"example.com/berth/internal/header"
	"example.com/berth/internal/list"
)

var fuzzLimits = Limits{Mappings: 12, PerHost: 8, Sessions: 20, PerMapping: 6, Fragments: 4}

// FuzzTable has a script send packets both ways: well-formed ones that meet each
// other, and any bytes at all. Whatever comes, what passes has the checksums
// right that were right, what does not is not changed, a packet that went out
// comes back to where it came from, and the table keeps its limits.
func FuzzTable(f *testing.F) {
	f.Add([]byte{0, 0, 0, 1, 1, 0, 0, 1, 0, 1, 1, 0})                      // there and back
	f.Add([]byte{8, 0, 0, 1, 9, 0, 0, 1, 10, 0, 0, 1, 11, 0, 0, 1})        // errors both ways
	f.Add([]byte{4, 0, 0, 2, 5, 0, 0, 18, 4, 0, 0, 16, 5, 0, 0, 1})        // TCP
	f.Add([]byte{12, 0, 0, 1, 14, 0, 0, 1, 13, 0, 0, 1, 250, 0, 0, 9})     // fragments, and time
	f.Add([]byte{16, 1, 0, 1, 16, 2, 0, 1, 20, 1, 2, 1, 251, 0, 0, 0})     // hairpin, forward
	f.Add([]byte{2, 0, 0, 1, 3, 0, 0, 1, 252, 0, 0, 40, 0x45, 0, 0, 40})   // ICMP, and bytes
	f.Add([]byte{0, 1, 1, 1, 0, 2, 2, 1, 0, 3, 3, 1, 4, 1, 1, 2, 4, 2, 2}) // many
	f.Fuzz(func(t *testing.T, script []byte) {
		if len(script) == 0 || len(script) > 4096 {
			return
		}
		mode := script[0]
		cfg := Config{
			Behavior: Behavior{Dependence(mode % 3), Dependence(mode / 3 % 3)},
			External: []netip.Addr{external, netip.MustParseAddr("203.0.113.2")},
			Ports:    PortRange{1000, 1040}, PortPreservation: mode&64 != 0, PortParity: mode&128 != 0,
			Hairpin: mode&1 == 0, InboundRefresh: mode&2 != 0, Exclusive: mode&4 != 0,
			Limits: fuzzLimits, Random: rand.New(rand.NewPCG(1, uint64(mode))).Uint64,
		}
		table, err := New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		x := &fuzzer{t: t, table: table, now: 1}
		for script = script[1:]; len(script) >= 4; {
			script = x.step([4]byte(script), script[4:])
			x.audit()
		}
		table.Expire(x.now + 24*time.Hour)
		for _, m := range table.Mappings() {
			if !m.Static {
				t.Fatalf("%v is left", m)
			}
		}
		if table.Deadline() != 0 || len(table.sessions)+len(table.peers)+len(table.fragments.known) != 0 {
			t.Fatalf("deadline %v, %d sessions, %d peers", table.Deadline(), len(table.sessions), len(table.peers))
		}
	})
}

type fuzzer struct {
	t     *testing.T
	table *Table
	now   time.Duration
}

// step does what four bytes of a script say, and returns what is left of it.
func (x *fuzzer) step(op [4]byte, rest []byte) []byte {
	inside := netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, 0, op[1]&3 + 1}), uint16(op[1]>>2)+990)
	remote := netip.AddrPortFrom(netip.AddrFrom4([4]byte{198, 51, 100, op[2]&3 + 1}), uint16(op[2]>>2)+80)
	if op[0]&16 != 0 { // to an outside endpoint: hairpin
		remote = netip.AddrPortFrom(external, uint16(op[2])+1000)
	}
	mapped := netip.AddrPortFrom(x.table.External(inside.Addr()), inside.Port())
	if all := x.table.Mappings(); len(all) > 0 {
		mapped = all[int(op[1])%len(all)].Outside
	}
	switch op[0] >> 1 & 3 {
	case 250:
		x.now += time.Duration(op[3]) * time.Second
		x.table.Expire(x.now)
		return rest
	case 251:
		_, _ = x.table.Forward([]uint8{header.ProtocolTCP, header.ProtocolUDP}[op[3]&1], uint16(op[2]), inside)
		return rest
	case 252:
		n := min(int(op[3]), len(rest))
		x.try(x.table.Out, rest[:n])
		x.try(x.table.In, rest[:n])
		return rest[n:]
	case 253:
		x.table.Unforward(header.ProtocolTCP, mapped)
		return rest
	}
	outward := op[0]&1 == 0
	src, dst := inside, remote
	if !outward {
		src, dst = remote, mapped
	}
	var b []byte
	switch op[0] >> 1 & 3 {
	case 0:
		b = udp(src, dst, "fuzz")
	case 1:
		b = ping(src, dst.Addr())
		if !outward {
			b = pong(src.Addr(), dst)
		}
	default:
		b = tcp(src, dst, header.TCPFlags(op[3]))
	}
	if op[0]&8 != 0 {
		b = x.variant(b, op[3])
	}
	if outward {
		x.outAndBack(b)
	} else {
		x.try(x.table.In, b)
	}
	return rest
}

// variant makes a fragment of a packet, or an error about one that goes the
// other way.
func (x *fuzzer) variant(b []byte, how byte) []byte {
	if how&1 == 0 {
		parts := cut(b, 8)
		return parts[how>>1&1]
	}
	h := append([]byte(nil), b...)
	copy(h[12:16], b[16:20])
	copy(h[16:20], b[12:16])
	copy(h[20:22], b[22:24])
	copy(h[22:24], b[20:22])
	_, to := ends(b)
	e := unreachable(to.Addr(), h, 28+int(how>>1&15))
	copy(e[12:16], b[12:16])
	e[10], e[11] = 0, 0
	binary.BigEndian.PutUint16(e[10:], header.Fold(header.Sum(e[:20], 0)))
	return e
}

// try translates a packet and looks at the result.
func (x *fuzzer) try(f func(time.Duration, []byte) Verdict, b []byte) Verdict {
	b = append([]byte(nil), b...)
	was := append([]byte(nil), b...)
	v := f(x.now, b)
	if v.Action == Pass || v.Action == Hairpin {
		if damage(was, false) == "" {
			if bad := damage(b, false); bad != "" {
				x.t.Fatalf("%v: wrong %s\n% x\n% x", v, bad, was, b)
			}
		}
	} else if string(b) != string(was) {
		x.t.Fatalf("%v, but changed", v)
	}
	if (v.Reason == None) != (v.Action == Pass || v.Action == Hairpin) {
		x.t.Fatalf("%d, %d", v.Action, v.Reason)
	}
	copy(was, b)
	return v
}

// outAndBack sends a packet out, and one back that answers it.
func (x *fuzzer) outAndBack(b []byte) {
	was := append([]byte(nil), b...)
	var seen []byte
	v := x.try(func(now time.Duration, b []byte) Verdict {
		v := x.table.Out(now, b)
		seen = append([]byte(nil), b...)
		return v
	}, b)
	src, dst := ends(was)
	at, _ := ends(seen)
	protocol := was[9]
	isFragment := was[6]&0x3f != 0 || was[7] != 0
	if v.Action != Pass || isFragment || protocol == header.ProtocolICMP && was[20] != header.ICMPv4EchoRequest {
		return
	}
	var back []byte
	switch protocol {
	case header.ProtocolUDP:
		back = udp(dst, at, "back")
	case header.ProtocolTCP:
		if was[33]&byte(header.RST) != 0 {
			return // which opens nothing
		}
		back = tcp(dst, at, header.ACK)
	default:
		back = pong(dst.Addr(), at)
	}
	v = x.try(func(now time.Duration, b []byte) Verdict {
		v := x.table.In(now, b)
		if _, to := ends(b); v.Action == Pass && to != src {
			x.t.Fatalf("what answers %v comes to %v", src, to)
		}
		return v
	}, back)
	if v.Action != Pass {
		x.t.Fatalf("what answers %v at %v: %v", src, at, v)
	}
}

// audit counts again what the table keeps books of.
func (x *fuzzer) audit() {
	t, l := x.table, &fuzzLimits
	sessions, transient, established := 0, 0, 0
	hosts, peers := make(map[uint32]int), make(map[pair]int)
	for k, m := range t.byOutside {
		if m.outside != k || t.byInside[pair{m.inside, m.remote}] != m || !t.portsOf(k).has(k.port()) {
			x.t.Fatalf("%v is not where it should be", t.row(m))
		}
		n := m.transient.Count() + m.established.Count()
		if n > l.PerMapping || (n == 0) != m.static {
			x.t.Fatalf("%v: %d sessions", t.row(m), n)
		}
		if want := !m.static && m.established.Count() == 0; want != t.idle.Has(&m.idle) {
			x.t.Fatalf("%v: may be evicted: %v", t.row(m), !want)
		}
		hosts[m.inside.addr()]++
		sessions += n
		transient += m.transient.Count()
		established += m.established.Count()
		for _, sessions := range []*list.List[*session]{&m.transient, &m.established} {
			for s := range sessions.All {
				if s.mapping != m || t.sessions[pair{m.outside, s.remote}] != s {
					x.t.Fatalf("%v: a stray session", t.row(m))
				}
				if t.countsPeers(s) {
					peers[pair{m.outside, s.remote.with(0)}]++
				}
			}
		}
	}
	switch {
	case len(t.byOutside) > l.Mappings, len(t.byInside) != len(t.byOutside), len(t.hosts) != len(hosts),
		len(t.sessions) > l.Sessions, len(t.sessions) != sessions, len(t.peers) != len(peers),
		t.ages[establishedTimer].Count() != established, len(t.fragments.known) > l.Fragments:
		x.t.Fatalf("%d mappings, %d by inside, %d hosts of %d, %d sessions of %d, %d peers of %d", len(t.byOutside),
			len(t.byInside), len(t.hosts), len(hosts), len(t.sessions), sessions, len(t.peers), len(peers))
	case t.Deadline() != 0 && t.Deadline() <= x.now:
		x.t.Fatalf("the deadline %v is past", t.Deadline())
	}
	for _, l := range t.ages {
		var last time.Duration
		for s := range l.All {
			if s.last < last {
				x.t.Fatal("sessions out of order")
			}
			last = s.last
		}
	}
	for a, n := range hosts {
		if t.hosts[a] != n {
			x.t.Fatalf("%d mappings of %v, %d in the books", n, dotted(a), t.hosts[a])
		}
	}
}
