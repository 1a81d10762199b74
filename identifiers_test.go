package berth_test

import (
	"math/bits"
	"net/netip"
	"testing"
	"testing/synctest"

	"example.com/berth"
	"example.com/berth/internal/header"
	"example.com/berth/link/wire"
	"example.com/berth/socket"
)

// chiSquared is how far counts are from all being the same. Of n counts it is n
// on average if chance alone made them, and beyond n+8√n hardly ever.
func chiSquared(counts []int) float64 {
	total := 0
	for _, n := range counts {
		total += n
	}
	mean, chi2 := float64(total)/float64(len(counts)), 0.0
	for _, n := range counts {
		d := float64(n) - mean
		chi2 += d * d / mean
	}
	return chi2
}

// A sample is numbers that an attacker has seen, one after another.
type sample struct {
	top, low, steps [256]int // the highest and lowest byte, and the highest of differences
	ones            int      // bits by which one differs from the one before
	last            uint32
	n               int
}

// add takes a number of the given bits.
func (s *sample) add(v uint32, width int) {
	s.top[v>>(width-8)]++
	s.low[v&0xff]++
	s.steps[(v-s.last)<<(32-width)>>24]++
	s.ones += bits.OnesCount32((v ^ s.last) << (32 - width))
	s.last = v
	s.n++
}

// wantChance fails the test unless the numbers look like thrown dice.
func (s *sample) wantChance(t *testing.T, what string, width int) {
	t.Helper()
	for name, counts := range map[string][]int{"highest bytes": s.top[:], "lowest bytes": s.low[:], "differences": s.steps[:]} {
		if chi2 := chiSquared(counts); chi2 > 256+8*16 {
			t.Errorf("%s: chi-squared of the %s is %.0f, of 255 degrees of freedom", what, name, chi2)
		}
	}
	if share := float64(s.ones) / float64(s.n*width); share < 0.49 || share > 0.51 {
		t.Errorf("%s: from one to the next %.1f %% of the bits change", what, 100*share)
	}
}

// DEF-33: what an attacker learns of initial sequence numbers by connections of
// its own says nothing of those of others (RFC 6528): a million numbers, of
// neighboring ports and addresses, are thrown dice, and another host's are others.
func TestInitialSequenceNumbersAreThrownDice(t *testing.T) {
	n := 1_000_000
	if testing.Short() || raceEnabled {
		n = 100_000
	}
	synctest.Test(t, func(t *testing.T) { // the clock, which they follow, stands
		h, other := berth.NewHost(berth.Config{}), berth.NewHost(berth.Config{})
		defer h.Close()
		defer other.Close()
		local := netip.AddrPortFrom(alice4, 80)
		var s, apart sample
		for i := range n {
			a := netip.AddrFrom4([4]byte{192, 0, byte(i >> 20), byte(i >> 12)})
			remote := netip.AddrPortFrom(a, uint16(i&0xfff))
			isn := uint32(h.InitialSequence(local, remote))
			s.add(isn, 32)
			apart.add(isn-uint32(other.InitialSequence(local, remote)), 32)
		}
		s.wantChance(t, "one host", 32)
		apart.wantChance(t, "two hosts", 32)
	})
}

// DEF-35: packets that may not be fragmented have no identification at all
// (RFC 6864 4.1), so that there is no count of packets to be read, as an idle
// scan does. Those of others cannot be told from each other.
func TestIdentificationsTellNothing(t *testing.T) {
	t.Run("none on what is not cut", func(t *testing.T) {
		h, st := stationed(t, berth.Config{})
		p := playedServer(t, h, st, bob4)
		send(t, p.sock, "data")
		st.segment(netip.AddrPortFrom(bob4, 9), netip.AddrPortFrom(alice4, 9), header.TCP{Flags: header.SYN}, nil) // a RST
		u := sender(t, h, bob4)
		set(t, u, socket.IP_MTU_DISCOVER, socket.IP_PMTUDISC_DO)
		send(t, u, "datagram")
		seen := 0
		for _, p := range st.take(nil) {
			if p.df && p.id != 0 {
				t.Errorf("protocol %d has the identification %d", p.protocol, p.id)
			}
			if p.df {
				seen++
			}
		}
		if seen < 3 {
			t.Errorf("only %d packets", seen)
		}
	})
	for remote, width := range map[netip.Addr]int{bob4: 16, bob6: 32} {
		t.Run("of fragments to "+remote.String(), func(t *testing.T) {
			h, st := stationed(t, berth.Config{})
			u := sender(t, h, remote)
			var s sample
			seen := make(map[uint32]int)
			st.take(nil)
			for range 20_000 {
				if _, err := u.Send(make([]byte, 1500), 0); err != nil {
					t.Fatal(err)
				}
				for _, p := range st.take(func(p *packet) bool { return p.mf }) {
					s.add(p.id, width)
					seen[p.id]++
				}
			}
			s.wantChance(t, "identifications", width)
			for id, n := range seen {
				if n > 8 {
					t.Errorf("%d is that of %d packets", id, n)
				}
			}
		})
	}
}

// DEF-36: the timestamps of one host's connections have nothing to do with each
// other, nor with how long it is up (RFC 7323 7.1).
func TestTimestampsTellNothingOfTheHost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // no time passes: only the offsets differ
		var s sample
		h, st := stationed(t, berth.Config{})
		l := listenOn(t, h, netip.AddrPortFrom(alice4, 80), 1)
		for port := range 20_000 {
			src := netip.AddrPortFrom(bob4, uint16(1000+port))
			st.take(nil)
			st.segment(src, l.LocalAddr(), header.TCP{Flags: header.SYN, Window: 1000, Options: header.TCPOptions{HasTS: true, TSVal: 1}}, nil)
			p, _ := st.one("the answer", isTCP).tcp()
			if !p.Options.HasTS {
				t.Fatal("no timestamp")
			}
			// The time is in the higher bits; where a cookie is sent, the lower
			// ones are not free.
			s.add(p.Options.TSVal>>8, 24)
			st.segment(src, l.LocalAddr(), header.TCP{Flags: header.RST, Seq: p.Ack}, nil)
		}
		s.wantChance(t, "timestamps", 24)
	})
}

// DEF-37: an IPv6 flow has one label, and labels of flows are thrown dice
// (RFC 6437 3).
func TestFlowLabelsAreThrownDice(t *testing.T) {
	h, st := stationed(t, berth.Config{})
	label := func(p *packet) uint32 {
		var ip header.IPv6
		if _, err := ip.Parse(p.frame); err != nil {
			t.Fatal(err)
		}
		return ip.FlowLabel
	}
	var s sample
	u := newSocket(t, h, socket.INET6, socket.DGRAM, 0)
	for i := range 20_000 {
		to := netip.AddrPortFrom(bob6, uint16(1+i))
		st.take(nil)
		for range 2 {
			if _, err := u.SendTo([]byte("x"), 0, to); err != nil {
				t.Fatal(err)
			}
		}
		got := st.take(func(p *packet) bool { return p.protocol == header.ProtocolUDP })
		if len(got) != 2 || label(got[0]) != label(got[1]) {
			t.Fatalf("%d packets of one flow have other labels", len(got))
		}
		s.add(label(got[0]), 20)
	}
	s.wantChance(t, "flow labels", 20)
}

// DEF-52: connections are found by a hash under a random key, so that nobody
// outside can aim at one place: the ends that an attacker can choose, however
// regular, spread evenly, and no two have one hash.
func TestEndsOfConnectionsSpreadOverTheTable(t *testing.T) {
	const n = 100_000
	h, _ := stationed(t, berth.Config{}, wire.Offload(0))
	local := netip.AddrPortFrom(alice4, 80)
	for name, remote := range map[string]func(i int) netip.AddrPort{
		"ports upwards": func(i int) netip.AddrPort {
			return netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, 1, byte(i >> 16)}), uint16(i))
		},
		"one port, addresses upwards": func(i int) netip.AddrPort {
			return netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}), 1024)
		},
		"address and port that cancel each other": func(i int) netip.AddrPort {
			return netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}), ^uint16(i))
		},
		"steps of the number of shards": func(i int) netip.AddrPort {
			return netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, byte(i >> 10), byte(i >> 2), byte(i << 6)}), uint16(i<<6))
		},
	} {
		counts := make([]int, berth.Shards)
		hashes := make(map[uint64]netip.AddrPort)
		for i := range n {
			r := remote(i)
			shard, hash := h.Shard(local, r)
			if was, ok := hashes[hash]; ok && was != r {
				t.Errorf("%s: %v and %v have one hash", name, was, r)
			} else if ok {
				continue
			}
			counts[shard]++
			hashes[hash] = r
		}
		if chi2 := chiSquared(counts); chi2 > berth.Shards+8*8 {
			t.Errorf("%s: chi-squared %.0f over %d shards", name, chi2, berth.Shards)
		}
	}
}
