package tcp

import (
	"fmt"
	"strconv"
	"testing"
	"time"

	"example.com/berth/internal/buffer"
	"example.com/berth/internal/header"
)

func probingMTU(m MTUProbeMode) func(*Params) {
	return func(p *Params) { p.MTUProbing.Mode = m }
}

// packetSize is the size of the IP packet that a segment goes in.
func packetSize(c *Conn, s *Segment) int {
	return c.headers() + s.Options.Len() + len(s.Payload)
}

// narrow makes a channel whose path swallows packets of side 0 that are larger
// than pass says, without a word.
func narrow(t *testing.T, large int, opts string, pass *int, change ...func(*Params)) *channel {
	ch := newChannel(t, 1)
	ch.delay = 10 * time.Millisecond
	ch.noSACK = opts == noOptions
	for _, s := range ch.ends {
		for _, f := range change {
			f(s.p)
		}
	}
	ch.drop = func(from int, s *Segment) bool {
		return from == 0 && packetSize(ch.ends[0].c, s) > *pass
	}
	ch.ends[0].send = 4 << 20
	ch.connect(1500, large)
	return ch
}

func (ch *channel) finish(t *testing.T) {
	t.Helper()
	for ch.ends[1].c == nil || !ch.ends[1].eof {
		if !ch.step() {
			t.Fatal(ch.describe())
		}
	}
}

// RFC 2923 2.1: a path that drops large packets and tells nobody. The transfer
// goes on with smaller ones, and finds out which pass.
//
// DEF-39.
func TestBlackHole(t *testing.T) {
	for _, pass := range []int{1499, 1492, 1400, 1280, 1100} {
		for _, large := range []int{0, 60000} {
			t.Run(fmt.Sprintf("%d, frames of %d", pass, large), func(t *testing.T) {
				ch := narrow(t, large, allOptions, &pass)
				ch.finish(t)
				c, n := ch.ends[0].c, ch.ends[0].p.Counters
				if got := c.packet(c.snd.mss); got > pass || got <= pass-8 {
					t.Errorf("packets have %d bytes in the end, %d pass", got, pass)
				}
				if n.BlackHoles.Load() != 1 || n.RTOs.Load() != 3 {
					t.Errorf("%d black holes after %d time-outs", n.BlackHoles.Load(), n.RTOs.Load())
				}
				if probes, lost, passed := n.MTUProbes.Load(), n.MTUProbesLost.Load(), n.MTUProbesPassed.Load(); probes > 10 || probes != lost+passed || lost == 0 {
					t.Errorf("%d probes, %d lost, %d passed", probes, lost, passed)
				}
				if n.Recoveries.Load() != 0 {
					t.Error("a lost probe was taken for congestion")
				}
			})
		}
	}
}

// Without SACK segments stay at the base; without probing nothing gets through.
func TestBlackHoleWithoutProbes(t *testing.T) {
	pass := 1400
	ch := narrow(t, 0, noOptions, &pass)
	ch.finish(t)
	if c := ch.ends[0].c; c.snd.mss != 1024 || ch.ends[0].p.Counters.MTUProbes.Load() != 0 {
		t.Errorf("MSS %d, %d probes", c.snd.mss, ch.ends[0].p.Counters.MTUProbes.Load())
	}
	ch = narrow(t, 0, allOptions, &pass, probingMTU(MTUProbeNever))
	for ch.ends[0].err == nil && ch.step() {
	}
	if ch.ends[1].read != 0 {
		t.Errorf("%d bytes came through", ch.ends[1].read)
	}
}

// A path that becomes narrower, and narrower again, down to the floor.
func TestBlackHolesOneAfterTheOther(t *testing.T) {
	pass := 1500
	ch := narrow(t, 0, allOptions, &pass)
	for i, p := range []int{900, 500, 300} {
		for ch.ends[1].c == nil || ch.ends[1].read < (i+1)<<20 {
			if !ch.step() {
				t.Fatal(ch.describe())
			}
		}
		pass = p
	}
	ch.finish(t)
	c := ch.ends[0].c
	if got := c.packet(c.snd.mss); got > 300 {
		t.Errorf("packets have %d bytes", got)
	}
}

// A probe that vanishes because everything did says nothing of sizes: after an
// outage segments are as large as before.
func TestAnOutageIsNoBlackHole(t *testing.T) {
	pass := 1500
	ch := narrow(t, 0, allOptions, &pass)
	ch.ends[0].send = 16 << 20 // more than a window is left after it
	for ch.ends[1].c == nil || ch.ends[1].read < 1<<20 {
		ch.step()
	}
	out := ch.now + 3*time.Second
	ch.drop = func(int, *Segment) bool { return ch.now < out }
	ch.finish(t)
	if c := ch.ends[0].c; c.packet(c.snd.mss) != 1500 || ch.ends[0].p.Counters.BlackHoles.Load() == 0 {
		t.Errorf("packets have %d bytes after %d black holes", c.packet(c.snd.mss), ch.ends[0].p.Counters.BlackHoles.Load())
	}
}

// What is small says nothing of sizes.
func TestSmallSegmentsAreNoBlackHole(t *testing.T) {
	tc := established(t, sackOnly)
	tc.write(900)
	for range 6 {
		tc.fire()
	}
	if n := tc.count().BlackHoles.Load(); n != 0 {
		t.Errorf("%d black holes", n)
	}
}

// searching is a connection that probes from its first segment on, with a window
// that lets it, and n bytes to send.
func searching(t *testing.T, change ...func(*Params)) *conversation {
	tc := established(t, "<mss 1460,sackOK>", append(change, probingMTU(MTUProbeAlways), func(p *Params) { p.InitialWindow = 20 })...)
	tc.c.SetNoDelay(true)
	return tc
}

// The search of RFC 4821 7.3: halves, and ends.
func TestMTUSearch(t *testing.T) {
	tc := searching(t)
	if tc.c.snd.mss != 1024 {
		t.Fatalf("it begins with an MSS of %d", tc.c.snd.mss)
	}
	tc.write(15000)
	tc.want(". 1:1243(1242) ack 1") // (1064+1500)/2 - 40
	tc.want(". 1243:2267(1024) ack 1")
	tc.skip()
	tc.input(". 1:1(0) ack 1243 win 50000")
	if tc.c.snd.mss != 1242 || tc.c.MTU() != 1500 {
		t.Errorf("MSS %d, MTU %d", tc.c.snd.mss, tc.c.MTU())
	}
	sizes, ack := []int{1242}, 15001
	for range 20 {
		tc.input(fmt.Sprintf(". 1:1(0) ack %d win 50000", ack))
		tc.skip()
		before := tc.count().MTUProbes.Load()
		tc.write(15000)
		if tc.count().MTUProbes.Load() > before {
			sizes = append(sizes, len(tc.sent[0].Payload))
		}
		ack += 15000
		tc.skip()
	}
	if got, want := fmt.Sprint(sizes), "[1242 1351 1405 1432 1446 1453]"; got != want {
		t.Errorf("probes of %s, want %s", got, want)
	}
	// RFC 8899 5.1.1: PMTU_RAISE_TIMER. A search that is over begins again.
	tc.input(fmt.Sprintf(". 1:1(0) ack %d win 50000", ack))
	tc.c.rare.search.low, tc.c.rare.search.high = 1300, 1302
	tc.c.updateMSS()
	tc.advance(10 * time.Minute)
	for range 2 {
		tc.write(15000)
	}
	if s := tc.c.rare.search; s.high != 1500 || s.size != 1400 {
		t.Errorf("after ten minutes: %+v", *s)
	}
}

// RFC 4821 7.6.1: a probe that alone is lost goes again in pieces, at once, and
// neither window nor time-out change.
func TestLostProbeIsNoCongestion(t *testing.T) {
	tc := searching(t)
	tc.write(15000)
	tc.want(". 1:1243(1242) ack 1")
	tc.skip()
	tc.advance(5 * time.Millisecond)
	cwnd := tc.c.cc.Cwnd()
	for i := 1; i <= 4; i++ {
		tc.input(". 1:1(0) ack 1 win 50000 <sack 1243:" + strconv.Itoa(1243+1024*i) + ">")
	}
	tc.want(". 1:1025(1024) ack 1")
	tc.want(". 1025:1243(218) ack 1")
	if tc.c.cc.Cwnd() < cwnd || tc.c.ca == caRecovery || tc.c.snd.mss != 1024 {
		t.Errorf("cwnd %d, was %d; state %d, MSS %d", tc.c.cc.Cwnd(), cwnd, tc.c.ca, tc.c.snd.mss)
	}
	if s := tc.c.rare.search; s.high != 1281 || s.size != 0 {
		t.Errorf("%+v", *s)
	}
	tc.input(". 1:1(0) ack 15001 win 50000")
	tc.skip()
	tc.write(15000)
	tc.want(". 15001:16133(1132) ack 1") // (1064+1281)/2 - 40
}

// A probe that is lost with others says nothing; what is resent of it is small.
func TestProbeLostWithOthersIsInconclusive(t *testing.T) {
	tc := searching(t)
	tc.write(15000)
	tc.skip()
	tc.advance(5 * time.Millisecond)
	for i := 1; i <= 4; i++ {
		tc.input(". 1:1(0) ack 1 win 50000 <sack 2267:" + strconv.Itoa(2267+1024*i) + ">")
	}
	tc.want(". 1:1025(1024) ack 1")
	tc.wantRecovery()
	if s := tc.c.rare.search; s.high != 1500 || s.size != 0 {
		t.Errorf("%+v", *s)
	}
	for _, s := range tc.skip() {
		if len(s.Payload) > 1024 {
			t.Errorf("sent %s", tc.format(&s))
		}
	}
}

func (tc *conversation) wantRecovery() {
	tc.t.Helper()
	if tc.c.ca != caRecovery {
		tc.t.Errorf("congestion state %d, want recovery", tc.c.ca)
	}
}

// What ICMP tells bounds the search.
func TestICMPBoundsTheSearch(t *testing.T) {
	tc := searching(t)
	tc.write(15000)
	tc.skip()
	tc.c.SetMTU(tc.now, 1200, tc.iss.Add(1), true)
	tc.pull()
	if s := tc.c.rare.search; s.high != 1200 || s.low != 1064 || s.size != 0 {
		t.Errorf("%+v", *s)
	}
	for _, s := range tc.skip() {
		if len(s.Payload) > 1024 {
			t.Errorf("sent %s", tc.format(&s))
		}
	}
}

// Whatever is lost, nothing is sent twice as large as the path lets through but
// probes, and all arrives.
func TestMTUSearchUnderLoss(t *testing.T) {
	for seed := range uint64(20) {
		ch := newChannel(t, seed)
		ch.delay, ch.loss, ch.jitter = 5*time.Millisecond, 0.02, time.Millisecond
		pass := 1000 + int(seed)*25
		for _, s := range ch.ends {
			s.p.MTUProbing.Mode = MTUProbeMode(seed % 2)
			s.p.Budget = buffer.NewBudget(64 << 20)
		}
		ch.drop = func(from int, s *Segment) bool { return packetSize(ch.ends[from].c, s) > pass }
		twice := map[uint32]bool{}
		ch.trace = func(_ time.Duration, from int, s *Segment) {
			if from == 0 && len(s.Payload) > 0 && s.Flags&header.SYN == 0 {
				twice[uint32(s.Seq)] = true
			}
		}
		ch.ends[0].send = 1 << 20
		ch.connect(1500, int(seed%3)*20000)
		ch.finish(t)
		if len(twice) == 0 {
			t.Error("nothing was traced")
		}
	}
}
