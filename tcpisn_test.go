package berth_test

import (
	"net/netip"
	"testing"
	"time"

	"example.com/berth"
	"example.com/berth/internal/header"
	"example.com/berth/internal/seqnum"
)

// isnOf is the ISN of a host's SYN,ACK for a SYN from a port of the station.
func isnOf(st *station, remote netip.Addr, port uint16) seqnum.Value {
	src, dst := netip.AddrPortFrom(remote, port), netip.AddrPortFrom(localOf(remote), 80)
	st.take(nil)
	st.segment(src, dst, header.TCP{Flags: header.SYN, Window: 1000}, nil)
	synack := st.one("the answer to the SYN", isTCP)
	h, _ := synack.tcp()
	st.segment(src, dst, header.TCP{Flags: header.RST, Seq: h.Ack}, nil)
	return h.Seq
}

// MUST-8: between two connections of the same ends the clock has ticked once
// every 4 microseconds, so that old segments are below the new ISN.
//
// DEF-33.
func TestInitialSequenceNumbersFollowTheClock(t *testing.T) {
	both(t, func(t *testing.T, remote netip.Addr) {
		h, st := stationed(t, berth.Config{})
		listenOn(t, h, netip.AddrPortFrom(localOf(remote), 80), 8)
		first := isnOf(st, remote, 1000)
		for _, d := range []time.Duration{time.Microsecond * 40, time.Second, time.Hour, 5 * time.Hour} {
			time.Sleep(d)
			next := isnOf(st, remote, 1000)
			if got, want := next-first, seqnum.Value(d/(4*time.Microsecond)); got != want {
				t.Errorf("after %v it is %d further, want %d", d, got, want)
			}
			first = next
		}
	})
}

// SHLD-1: other ends have other numbers, and MUST-9: nobody who does not have
// the host's key can tell them, not even with a host that has the same ends.
//
// DEF-33.
func TestInitialSequenceNumbersTellNothingAboutOthers(t *testing.T) {
	both(t, func(t *testing.T, remote netip.Addr) {
		seen := make(map[seqnum.Value]bool)
		steps := make(map[seqnum.Value]bool)
		const hosts, ports = 8, 50
		for range hosts {
			h, st := stationed(t, berth.Config{})
			listenOn(t, h, netip.AddrPortFrom(localOf(remote), 80), 8)
			last := seqnum.Value(0)
			for port := range ports {
				isn := isnOf(st, remote, uint16(1000+port))
				seen[isn], steps[isn-last] = true, true
				last = isn
			}
		}
		if n := len(seen); n != hosts*ports {
			t.Errorf("%d numbers, want %d", n, hosts*ports)
		}
		if n := len(steps); n != hosts*ports {
			t.Errorf("from one port to the next there are %d steps, want %d", n, hosts*ports)
		}
	})
}
