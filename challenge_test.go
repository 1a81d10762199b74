package berth_test

import (
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"example.com/berth"
	"example.com/berth/internal/header"
)

// DEF-4: challenge ACKs are limited for each connection by itself. So an
// attacker who has a connection of its own and counts its challenge ACKs sees
// the same number whatever it forged meanwhile: it does not learn whether a
// connection of these ends is there, nor where its window is.
func TestChallengeAcksTellNothingOfOtherConnections(t *testing.T) {
	attacker := netip.MustParseAddrPort("10.0.0.3:2000")
	// counted is how many challenge ACKs the attacker gets in five seconds while
	// it sends what forge makes in the name of the victim.
	counted := func(t *testing.T, forge func(v *played, i int)) (n int) {
		h, st := stationed(t, berth.Config{})
		victim := playedServer(t, h, st, bob4)
		own := playedServerOn(t, h, st, attacker, 81, header.TCPOptions{})
		st.take(nil)
		for i := range 500 {
			if forge != nil {
				forge(victim, i)
			}
			own.send(header.SYN, "")
			time.Sleep(10 * time.Millisecond)
		}
		for _, p := range st.take(nil) {
			if p.dst == attacker.Addr() && p.isTCP(header.ACK) {
				n++
			}
		}
		if s := states(h); len(s) != 4 {
			t.Errorf("the sockets are %v, want two listeners and two connections", s)
		}
		return n
	}
	in := func(v *played, from netip.AddrPort, h header.TCP) {
		v.st.segment(from, v.local, h, nil)
	}
	synctest.Test(t, func(t *testing.T) {
		alone := counted(t, nil)
		if alone < 5 || alone > 15 {
			t.Errorf("%d challenge ACKs in five seconds, want about 10", alone)
		}
		for name, forge := range map[string]func(v *played, i int){
			"SYNs of a connection that is there": func(v *played, _ int) {
				in(v, v.remote, header.TCP{Flags: header.SYN, Seq: v.seq})
			},
			"SYNs of a connection that is not": func(v *played, _ int) {
				in(v, netip.AddrPortFrom(bob4, 1001), header.TCP{Flags: header.SYN | header.ACK, Seq: v.seq})
			},
			"resets inside the window": func(v *played, i int) {
				in(v, v.remote, header.TCP{Flags: header.RST, Seq: v.seq.Add(1 + i)})
			},
			"resets outside of it": func(v *played, i int) {
				in(v, v.remote, header.TCP{Flags: header.RST, Seq: v.seq.Add(-1 - i)})
			},
			"acknowledgments of what was not sent": func(v *played, i int) {
				in(v, v.remote, header.TCP{Flags: header.ACK, Seq: v.seq, Ack: v.ack.Add(1 + i), Window: 1000})
			},
			"acknowledgments of long ago": func(v *played, i int) {
				in(v, v.remote, header.TCP{Flags: header.ACK, Seq: v.seq, Ack: v.ack.Add(-1 << 30), Window: 1000})
			},
		} {
			if n := counted(t, forge); n != alone {
				t.Errorf("%s: %d challenge ACKs, without them %d", name, n, alone)
			}
		}
	})
}

// DEF-5: two hosts each of which takes what the other says for old (somebody
// moved their sequence numbers apart, or a router sends segments of long ago) do
// not answer each other forever.
func TestTwoHostsDoNotAnswerEachOtherForever(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		// Two connections of alice whose peer is the station, which carries the
		// segments of each to the other: to both they are far from the window.
		h, st := stationed(t, berth.Config{})
		one := playedServer(t, h, st, bob4)
		two := playedServerOn(t, h, st, netip.AddrPortFrom(bob4, 2000), 81, header.TCPOptions{})
		ends := map[uint16]*played{one.local.Port(): two, two.local.Port(): one}
		carried := 0
		cross := func() (moved bool) {
			for _, p := range st.take(isTCP) {
				g, data := p.tcp()
				to := ends[g.SrcPort]
				st.segment(to.remote, to.local, header.TCP{Flags: g.Flags, Seq: g.Seq, Ack: g.Ack, Window: g.Window}, data)
				carried++
				moved = true
			}
			return moved
		}
		one.sendWith(header.TCP{Flags: header.SYN}, nil, "") // a challenge ACK begins it
		st.segment(two.remote, two.local, header.TCP{Flags: header.ACK, Seq: two.seq.Add(1 << 20), Ack: two.ack}, nil)
		for range 100_000 {
			cross()
			time.Sleep(100 * time.Microsecond)
		}
		if most := 2 * 2 * 10; carried > most || carried == 0 {
			t.Errorf("%d segments went to and fro in ten seconds, want at most %d", carried, most)
		}
		time.Sleep(time.Second)
		cross()
		for range 10 {
			if !cross() {
				return
			}
		}
		t.Error("it does not end")
	})
}
