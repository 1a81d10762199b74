package tcp

import (
	"math/rand/v2"
	"testing"
	"time"
	"unsafe"

	"example.com/berth/internal/header"
	"example.com/berth/socket"
)

// closedBoth is a connection in TIME-WAIT, closed by its user, that has moved data
// both ways.
func closedBoth(t testing.TB, options string) *conversation {
	t.Helper()
	tc := established(t, options)
	ts := ""
	if options == allOptions {
		ts = " <TS val 110 ecr 0>"
	}
	tc.input("P. 1:101(100) ack 1 win 500" + ts)
	tc.c.Read(tc.now, make([]byte, 100))
	tc.write(50)
	tc.skip()
	tc.input(". 101:101(0) ack 51 win 500" + ts)
	tc.c.Close(tc.now)
	tc.pull()
	tc.skip()
	tc.input("F. 101:101(0) ack 52 win 500" + ts)
	tc.skip()
	tc.wantState(socket.TCP_TIME_WAIT)
	tc.now += time.Second // past the limit of challenge ACKs
	return tc
}

// near is a segment with numbers about those that a connection expects.
func near(rng *rand.Rand, c *Conn) Segment {
	flags := []header.TCPFlags{
		header.ACK, header.ACK, header.SYN, header.RST, header.FIN | header.ACK, header.SYN | header.ACK,
		header.RST | header.ACK, header.ACK | header.PSH, 0, header.ACK | header.URG,
	}
	offsets := []int{0, 0, 0, -1, 1, -100, 100, 30_000, -30_000, 70_000, 1 << 30}
	seg := Segment{
		Seq:    c.rcv.nxt.Add(offsets[rng.IntN(len(offsets))]),
		Ack:    c.snd.nxt.Add(offsets[rng.IntN(len(offsets))]),
		Flags:  flags[rng.IntN(len(flags))],
		Window: uint16(rng.IntN(3) * 30_000),
		Urgent: uint16(rng.IntN(3)),
	}
	if rng.IntN(3) == 0 {
		seg.Payload = make([]byte, 1+rng.IntN(100))
	}
	if rng.IntN(2) == 0 {
		seg.Options.HasTS = true
		seg.Options.TSVal = c.tsRecent + uint32(offsets[rng.IntN(len(offsets))])
		seg.Options.TSEcr = c.tsAt(0) + uint32(rng.IntN(1000))
	}
	if rng.IntN(4) == 0 {
		seg.Options.SACKCount = 1
		left := c.snd.nxt.Add(-rng.IntN(60))
		seg.Options.SACK[0] = header.SACKBlock{Left: left, Right: left.Add(10)}
	}
	return seg
}

// What a remnant answers is what the connection would have, whatever comes, and
// however often it becomes the one or the other.
//
// MUST-13, DEF-47.
func TestARemnantAnswersAsTheConnection(t *testing.T) {
	for _, options := range []string{allOptions, sackOnly, noOptions} {
		for seed := range uint64(300) {
			rng := rand.New(rand.NewPCG(seed, 0))
			whole := closedBoth(t, options)
			part := closedBoth(t, options)
			now := whole.now
			for n := range 12 {
				var r Remnant
				var reopen *Remnant
				switch rests := part.c.Rest(&r); {
				case !rests && n == 0:
					t.Fatalf("%s: no remnant", options)
				case rests && (part.c.State() != socket.TCP_CLOSE || part.c.Deadline() != 0):
					t.Fatalf("%s: what left a remnant is in %v", options, part.c.State())
				case rests && r.Until() != whole.c.Deadline():
					t.Fatalf("%s: seed %d, segment %d: a remnant lasts until %v, not %v", options, seed, n, r.Until(), whole.c.Deadline())
				case rests:
					part.c = new(Conn)
					r.Revive(part.p, part.c)
					reopen = &r
				}
				a := near(rng, whole.c)
				b := a
				if reopen != nil {
					if got, want := reopen.Reopen(&a).Reopen, whole.c.reopen(&a).Reopen; got != want {
						t.Fatalf("%s: seed %d, segment %d: reopen is %v, not %v", options, seed, n, got, want)
					}
				}
				x, y := whole.c.Input(now, &a), part.c.Input(now, &b)
				if x != y {
					t.Fatalf("%s: seed %d, segment %d: %+v, not %+v", options, seed, n, y, x)
				}
				for again := true; again; {
					var v, w Segment
					again = whole.c.Next(now, &v)
					if got := part.c.Next(now, &w); got != again || !sameAnswer(&v, &w) {
						t.Fatalf("%s: seed %d, segment %d: %+v, not %+v", options, seed, n, w, v)
					}
				}
				if p, q := part.c.State(), whole.c.State(); p != q || part.c.Deadline() != whole.c.Deadline() {
					t.Fatalf("%s: seed %d, segment %d: in %v until %v, not in %v until %v", options, seed, n,
						p, part.c.Deadline(), q, whole.c.Deadline())
				}
				now += time.Duration(rng.IntN(1000)) * time.Millisecond
			}
			whole.c.Timer(whole.c.Deadline())
			part.c.Timer(part.c.Deadline())
			if p, q := part.c.State(), whole.c.State(); p != socket.TCP_CLOSE || q != socket.TCP_CLOSE {
				t.Fatalf("%s: at the end %v and %v", options, p, q)
			}
		}
	}
}

func sameAnswer(v, w *Segment) bool {
	return v.Seq == w.Seq && v.Ack == w.Ack && v.Flags == w.Flags && v.Window == w.Window &&
		v.Options == w.Options && len(v.Payload) == len(w.Payload)
}

// Only TIME-WAIT without a user leaves one, and not while something is to be sent.
func TestNoRemnant(t *testing.T) {
	var r Remnant
	for _, s := range []socket.TCPState{
		socket.TCP_ESTABLISHED, socket.TCP_FIN_WAIT1, socket.TCP_FIN_WAIT2, socket.TCP_CLOSING,
		socket.TCP_CLOSE_WAIT, socket.TCP_LAST_ACK, socket.TCP_TIME_WAIT,
	} {
		tc := established(t, sackOnly)
		if s != socket.TCP_ESTABLISHED {
			tc = reach(t, s)
		}
		if tc.c.Rest(&r) {
			t.Errorf("%v leaves a remnant", s)
		}
		tc.wantState(s)
	}
	tc := closedBoth(t, sackOnly)
	seg := tc.parse("F. 101:101(0) ack 52 win 500", true)
	tc.c.Input(tc.now, &seg)
	if tc.c.Rest(&r) {
		t.Error("a remnant of a connection that is to answer")
	}
	tc.pull()
	tc.want(". 52:52(0) ack 102")
	if !tc.c.Rest(&r) {
		t.Error("no remnant of one that has answered")
	}
}

func TestARemnantIsSmall(t *testing.T) {
	if n := unsafe.Sizeof(Remnant{}); n > 128 {
		t.Errorf("it takes %d bytes", n)
	}
}
