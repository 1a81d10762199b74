package tcp

import (
	"math/rand/v2"
	"testing"
	"time"

	"example.com/berth/internal/header"
	"example.com/berth/socket"
)

// DEF-1: a million resets anywhere in the window, but at the one number that is
// next, end nothing, and one at that number does (RFC 5961 3.2).
func TestBlindResets(t *testing.T) {
	tc := established(t, allOptions)
	rnd := rand.New(rand.NewPCG(1, 2))
	win := int(tc.c.rcv.edge - tc.c.rcv.nxt)
	answers := 0
	for range 1_000_000 / raceScale {
		seg := Segment{Flags: header.RST, Seq: tc.c.rcv.nxt.Add(1 + rnd.IntN(win-1))}
		if rnd.IntN(2) == 0 {
			seg.Flags, seg.Ack = header.RST|header.ACK, tc.c.snd.una
		}
		tc.now += time.Microsecond
		tc.c.Input(tc.now, &seg)
		tc.pull()
		answers += len(tc.skip())
		if tc.c.State() != socket.TCP_ESTABLISHED {
			t.Fatalf("reset by %d, %d from what is next", seg.Seq, seg.Seq-tc.c.rcv.nxt)
		}
	}
	if answers > 3 {
		t.Errorf("%d challenge ACKs in a second", answers)
	}
	seg := Segment{Flags: header.RST, Seq: tc.c.rcv.nxt}
	tc.c.Input(tc.now, &seg)
	tc.wantState(socket.TCP_CLOSE)
}

// DEF-6: a peer that takes only the smallest segments, and acknowledges them by
// the byte and out of order, overflows no count: what the sender keeps of it is
// bounded by the bytes in flight over its least segment, and all bytes arrive.
func TestSmallestSegmentsAndSplitSACKs(t *testing.T) {
	tc := established(t, "<mss 48,sackOK,wscale 14>")
	const total = 17 * 4096 * 8
	tc.c.SetSndBuf(4 << 20)
	ack := func(blocks ...header.SACKBlock) {
		seg := Segment{Flags: header.ACK, Seq: tc.c.rcv.nxt, Ack: tc.c.snd.una, Window: 65535}
		seg.Options.SACKCount = copy(seg.Options.SACK[:], blocks)
		tc.c.Input(tc.now, &seg)
		tc.pull()
		for _, s := range tc.skip() {
			if n := len(s.Payload); n > 0 && n < 48 && s.Seq.Add(n) != tc.c.snd.nxt {
				t.Fatalf("a segment of %d bytes", n)
			}
		}
		tc.now += time.Millisecond
	}
	tc.write(total)
	tc.skip()
	rnd := rand.New(rand.NewPCG(1, 2))
	most := 0
	for rounds := 0; tc.c.snd.una != tc.iss.Add(1+total); rounds++ {
		if rounds > 100_000 {
			t.Fatalf("%d bytes are acknowledged", tc.c.snd.una-tc.iss)
		}
		flight := int(tc.c.snd.nxt - tc.c.snd.una)
		if flight == 0 {
			tc.fire()
			tc.skip()
			continue
		}
		for range 20 { // odd bytes here and there
			var blocks []header.SACKBlock
			for range 3 {
				l := tc.c.snd.una.Add(1 + rnd.IntN(flight))
				blocks = append(blocks, header.SACKBlock{Left: l, Right: l.Add(1)})
			}
			ack(blocks...)
		}
		if tc.c.fl != nil {
			most = max(most, tc.c.fl.records.len())
		}
		step := min(flight, 1+rnd.IntN(5000))
		seg := Segment{Flags: header.ACK, Seq: tc.c.rcv.nxt, Ack: tc.c.snd.una.Add(step), Window: 65535}
		tc.c.Input(tc.now, &seg)
		tc.pull()
		tc.skip()
		tc.now += 10 * time.Millisecond
	}
	if limit := total/200 + 20; most > limit {
		t.Errorf("%d records of %d bytes", most, total)
	}
}

// DEF-59: a machine that slept, or whose clock goes in steps of a day, loses no
// connection by that, and its timers come when they should and no later than the
// longest time-out.
func TestTheClockLeaps(t *testing.T) {
	const day = 24 * time.Hour
	t.Run("with data in flight", func(t *testing.T) {
		tc := inFlight(t, noOptions, 4)
		tc.now += day
		tc.fire() // late by a day
		if n := len(tc.skip()); n == 0 {
			t.Error("nothing is resent")
		}
		tc.wantState(socket.TCP_ESTABLISHED)
		if d := tc.c.Deadline() - tc.now; d <= 0 || d > tc.p.MaxRTO {
			t.Errorf("the next timer is in %v", d)
		}
		seg := Segment{Flags: header.ACK, Seq: tc.c.rcv.nxt, Ack: tc.c.snd.nxt, Window: 1000}
		tc.c.Input(tc.now, &seg)
		tc.pull()
		tc.write(1000)
		if d := tc.c.Deadline() - tc.now; d <= 0 || d > 2*time.Minute {
			t.Errorf("a day's round trip makes a time-out of %v", d)
		}
	})
	t.Run("while idle", func(t *testing.T) {
		tc := established(t, allOptions)
		for range 10 {
			tc.now += day
			tc.write(1000)
			tc.skip()
			seg := Segment{Flags: header.ACK, Seq: tc.c.rcv.nxt, Ack: tc.c.snd.nxt, Window: 1000}
			seg.Options.HasTS, seg.Options.TSVal, seg.Options.TSEcr = true, 101, uint32(tc.now/time.Millisecond)+tc.tsOffset
			tc.c.Input(tc.now, &seg)
			tc.pull()
			tc.skip()
		}
		tc.wantState(socket.TCP_ESTABLISHED)
	})
}
