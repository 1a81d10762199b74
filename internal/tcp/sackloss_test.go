package tcp

import (
	"fmt"
	"testing"
	"time"

	"example.com/berth/internal/seqnum"
)

func counting(p *Params) { p.NoRACK = true }

// RFC 6675 4 and 5, packet by packet: rules of NextSeg in brackets. The round trip
// is 100 ms; RACK would have a timer of its own after the first line of each.
func TestLossByCounting(t *testing.T) {
	ack := func(n int) string { return fmt.Sprintf(". 1:1(0) ack %d win 50000", 1+n*1000) }
	sack := func(n int, blocks string) string { return ack(n) + " <sack " + blocks + ">" }
	p := func(n int) string { return fmt.Sprintf(". %d:%d(1000) ack 1", 1+n*1000, 1001+n*1000) }
	for _, tt := range []struct {
		name   string
		flight int
		lines  []line
		rtos   uint64
	}{
		{"three segments above, in one run", 6, []line{
			{100 * msec, sack(0, "1001:2001"), nil, caDisorder},
			{150 * msec, sack(0, "1001:3001"), nil, caDisorder},
			{180 * msec, sack(0, "1001:4001"), []string{p(0)}, caRecovery},
			{280 * msec, ack(6), nil, caOpen},
		}, 0},
		{"three at once, in two runs: what has two above is not lost [1], but a guess [3]", 7, []line{
			{100 * msec, sack(0, "1001:2001 3001:5001"), []string{p(0), p(2)}, caRecovery},
			{200 * msec, ack(5), []string{p(6)}, caRecovery}, // the rescue [4]
			{210 * msec, ack(7), nil, caOpen},
		}, 0},
		{"one of two holes has three above: the other is lost when it has", 8, []line{
			{100 * msec, sack(0, "1001:2001 3001:5001"), []string{p(0), p(2)}, caRecovery},
			{110 * msec, sack(0, "1001:2001 3001:6001"), nil, caRecovery},
			{200 * msec, ack(8), nil, caOpen},
		}, 0},
		{"the rescue goes once", 8, []line{
			{100 * msec, sack(0, "1001:5001"), []string{p(0)}, caRecovery},
			{200 * msec, ack(5), []string{p(7)}, caRecovery},
			{210 * msec, ack(6), nil, caRecovery},
			{220 * msec, ack(7), nil, caRecovery},
			{310 * msec, ack(8), nil, caOpen},
		}, 0},
		{"time tells nothing", 3, []line{
			{100 * msec, sack(0, "1001:2001"), nil, caDisorder},
			{200 * msec, sack(0, "1001:3001"), nil, caDisorder},
			{290 * msec, ack(3), nil, caOpen},
		}, 0},
		{"a retransmission that is lost waits for the time-out, which resends all", 6, []line{
			{100 * msec, sack(0, "1001:4001"), []string{p(0)}, caRecovery},
			{110 * msec, sack(0, "1001:6001"), nil, caRecovery},
			{400 * msec, "", []string{p(0)}, caLoss},
			{500 * msec, ack(6), nil, caOpen},
		}, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tc := onPath(t, sackOnly, tt.flight, freeWindow, counting)
			tc.play(tc.now, tt.lines)
			if n := tc.count().RTOs.Load(); n != tt.rtos {
				t.Errorf("%d time-outs, want %d", n, tt.rtos)
			}
		})
	}
}

// A time-out that forgets what was acknowledged selectively (RFC 2018 8) forgets
// what was counted, too.
func TestCountingForgets(t *testing.T) {
	at := func(i int) seqnum.Value { return seqnum.Value(0xfffff000).Add(1000 * i) }
	f := newFlight(at(0))
	for i := range 8 {
		f.push(at(i), at(i+1), time.Second, 0)
	}
	var s ackSample
	f.sack(at(4), at(7), &s)
	if n := f.sackDetect(dupThresh); n != 4000 {
		t.Errorf("%d bytes are lost below three segments", n)
	}
	if f.check(t); f.pipe() != 1000 {
		t.Errorf("%d bytes are in flight", f.pipe())
	}
	f.loseAfterTimeout(2*time.Second, true)
	f.restore()
	if n := f.sackDetect(dupThresh); n != 0 {
		t.Errorf("%d bytes are lost below nothing", n)
	}
	f.sack(at(5), at(6), &s)
	if n := f.sackDetect(dupThresh); n != 0 {
		t.Errorf("%d bytes are lost below one segment", n)
	}
	f.check(t)
}

// Transfers over paths that lose, with losses found by counting: as much arrives as
// with RACK, but for what time-outs cost.
func TestTransfersByCounting(t *testing.T) {
	for _, loss := range []float64{0, 0.001, 0.02} {
		ch := newChannel(t, 1)
		ch.delay, ch.rate, ch.loss = 10*time.Millisecond, 12_500_000, loss
		ch.ends[0].send = 4 << 20
		counting(ch.ends[0].p)
		ch.connect(1500, 0)
		ch.run(1_000_000)
		ch.wantAll()
		if n := ch.ends[0].p.Counters.Retransmits.Load(); (n != 0) != (loss > 0) {
			t.Errorf("%d retransmissions with a loss of %v", n, loss)
		}
	}
}

// DupThresh adapts to how far segments were seen to come late, and a time-out in spite
// of three that arrived above a loss takes that back.
func TestDupThreshAdapts(t *testing.T) {
	tc := onPath(t, sackOnly, 10, freeWindow, counting)
	ack := func(n, from, to int) string {
		s := fmt.Sprintf(". 1:1(0) ack %d win 50000", 1+n*1000)
		if to > from {
			s += fmt.Sprintf(" <sack %d:%d>", 1+from*1000, 1+to*1000)
		}
		return s
	}
	degree := func(want int) {
		t.Helper()
		if got := tc.c.Info(tc.now).Reordering; got != uint32(want) {
			t.Fatalf("reordering is %d, want %d", got, want)
		}
	}
	tc.advance(roundTrip)
	degree(3)
	// The first comes after five others, in one batch with them.
	tc.inputs(ack(0, 1, 2), ack(0, 1, 3), ack(0, 1, 4), ack(0, 1, 5), ack(0, 1, 6), ack(6, 0, 0))
	degree(6)
	if n := tc.count().Undone.Load(); n != 1 || tc.c.ca != caOpen {
		t.Fatalf("%d recoveries undone, congestion state %d", n, tc.c.ca)
	}
	tc.input(ack(10, 0, 0))
	tc.wantNothing()

	tc.write(20_000)
	tc.skip()
	tc.advance(roundTrip)
	for n := 1; n <= 5; n++ { // what arrives above 10:
		tc.input(ack(10, 11, 11+n))
		tc.wantNothing()
		tc.wantCA(caDisorder)
	}
	tc.input(ack(10, 11, 17))
	tc.want(". 10001:11001(1000) ack 1")
	tc.wantCA(caRecovery)
	tc.advance(roundTrip)
	tc.input(ack(30, 0, 0))

	tc.write(20_000)
	tc.skip()
	tc.advance(roundTrip)
	tc.input(ack(30, 31, 34))
	tc.wantCA(caDisorder)
	for tc.c.ca != caLoss {
		tc.fire()
	}
	degree(3)
}

// Where the flight is small and nothing new can be sent, half of it will do.
func TestDupThreshOfSmallFlights(t *testing.T) {
	for _, tt := range []struct{ flight, unsent, degree, want int }{
		{10, 0, 0, 3},
		{10, 0, 3, 3},
		{10, 0, 8, 8},
		{8, 0, 8, 4},
		{4, 0, 8, 3},
		{8, 5000, 8, 8}, // more can be sent, and tell
	} {
		tc := onPath(t, sackOnly, tt.flight, counting)
		tc.write(tt.unsent)
		tc.c.reo.degree = uint16(tt.degree)
		if got := tc.c.lossThreshold(); got != tt.want {
			t.Errorf("%+v: %d", tt, got)
		}
	}
}

// A path that reorders by six segments seems to lose once, and not for each that is late.
func TestCountingOnAPathThatReorders(t *testing.T) {
	ch := newChannel(t, 1)
	ch.delay, ch.rate = 10*time.Millisecond, 12_500_000
	ch.late, ch.lateBy = 0.01, 6
	ch.ends[0].send = 4 << 20
	counting(ch.ends[0].p)
	ch.connect(1500, 0)
	ch.run(1_000_000)
	ch.wantAll()
	if n := ch.ends[0].p.Counters.Retransmits.Load(); n > 10 {
		t.Errorf("%d retransmissions, though nothing was lost", n)
	}
}
