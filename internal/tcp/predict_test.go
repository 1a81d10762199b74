package tcp

import (
	"fmt"
	"hash/fnv"
	"testing"
	"time"

	"example.com/berth/internal/header"
	"example.com/berth/internal/seqnum"
)

// What goes over the wire, and what each end thinks of it, is the same whether
// segments are predicted or not: with bad networks and good ones, and whatever the
// algorithm.
func TestPredictionChangesNothing(t *testing.T) {
	story := func(seed uint64, a *Algorithm, long bool) string {
		ch := newChannel(t, seed)
		r := ch.rng
		if r.IntN(3) > 0 { // else nothing goes wrong
			ch.loss, ch.twice, ch.cut = r.Float64()*0.05, r.Float64()*0.05, r.Float64()*0.02
			ch.jitter = time.Duration(r.Int64N(int64(5 * time.Millisecond)))
			ch.late, ch.lateBy = r.Float64()*0.05, 1+r.IntN(8)
		}
		ch.delay = time.Duration(r.Int64N(int64(30 * time.Millisecond)))
		ch.mss = r.Float64()
		ch.noSACK = r.IntN(8) == 0
		if r.IntN(2) == 0 {
			ch.rate, ch.mark = 10_000_000, time.Millisecond
		}
		for _, s := range ch.ends {
			s.p.Algorithms = []*Algorithm{a}
			s.p.noPrediction = long
			s.p.ECN = []ECNMode{ECNOff, ECNPassive, ECNOn, ECNAccurate}[r.IntN(4)]
			s.send, s.slow = r.IntN(300<<10), r.IntN(4) == 0
		}
		sum := fnv.New64a()
		ch.trace = func(now time.Duration, from int, s *Segment) {
			fmt.Fprintln(sum, now, from, s.Seq, s.Ack, s.Flags, s.Window, s.Urgent, s.ECN, s.Options, len(s.Payload))
		}
		ch.connect(1500, []int{0, 65160}[r.IntN(2)])
		for n := 0; n < 50_000 && !ch.done() && ch.step(); n++ {
			if c := ch.ends[n%2].c; c != nil {
				fmt.Fprintln(sum, c.Vitals(), c.Info(ch.now), c.Deadline(), c.reo, c.rtt, c.cwv, c.delack)
				if c.fl != nil {
					fmt.Fprintln(sum, c.fl.rack, c.fl.lossEdge, c.fl.top)
				}
			}
		}
		return fmt.Sprintf("%x: %s", sum.Sum64(), ch.describe())
	}
	for _, a := range Algorithms() {
		for seed := range uint64(25 / raceScale) {
			if long, short := story(seed, a, true), story(seed, a, false); long != short {
				t.Errorf("%s, seed %d:\n%s\npredicted:\n%s", a.Name, seed, long, short)
			}
		}
	}
}

// Only what changes nothing but the next numbers is predicted.
func TestWhatIsPredicted(t *testing.T) {
	for _, tt := range []struct {
		name   string
		seg    func(*Segment)
		conn   func(*Conn)
		expect bool
	}{
		{"data in order, with an acknowledgment", nil, nil, true},
		{"pushed", func(s *Segment) { s.Flags |= header.PSH }, nil, true},
		{"an acknowledgment alone", func(s *Segment) { s.Payload = nil }, nil, true},
		{"another window", func(s *Segment) { s.Window-- }, nil, true},
		{"FIN", func(s *Segment) { s.Flags |= header.FIN }, nil, false},
		{"RST", func(s *Segment) { s.Flags |= header.RST }, nil, false},
		{"SYN", func(s *Segment) { s.Flags |= header.SYN }, nil, false},
		{"URG", func(s *Segment) { s.Flags |= header.URG }, nil, false},
		{"ECE", func(s *Segment) { s.Flags |= header.ECE }, nil, false},
		{"CWR", func(s *Segment) { s.Flags |= header.CWR }, nil, false},
		{"no ACK", func(s *Segment) { s.Flags = 0 }, nil, false},
		{"before what is next", func(s *Segment) { s.Seq-- }, nil, false},
		{"beyond what is next", func(s *Segment) { s.Seq++ }, nil, false},
		{"beyond the window", func(s *Segment) { s.Payload = make([]byte, 1<<20) }, nil, false},
		{"nothing acknowledged of what is in flight", func(s *Segment) { s.Ack -= 1000 }, nil, false},
		{"a part of a segment acknowledged", func(s *Segment) { s.Ack-- }, nil, false},
		{"an old acknowledgment", func(s *Segment) { s.Ack -= 1001 }, nil, false},
		{"an acknowledgment of what was not sent", func(s *Segment) { s.Ack++ }, nil, false},
		{"SACK", func(s *Segment) { s.Options.SACKCount = 1 }, nil, false},
		{"no timestamp", func(s *Segment) { s.Options.HasTS = false }, nil, false},
		{"an old timestamp", func(s *Segment) { s.Options.TSVal-- }, nil, false},
		{"a signature", func(s *Segment) { s.Options.Auth.Kind = header.TCPAuthMD5 }, nil, false},
		{"a closed window", nil, func(c *Conn) { c.snd.wnd = 0 }, false},
		{"in a recovery", nil, func(c *Conn) { c.ca = caRecovery }, false},
		{"after one", nil, func(c *Conn) { c.ep = new(episode) }, false},
		{"in disorder", nil, func(c *Conn) { c.ca = caDisorder }, false},
		{"with something out of order", nil, func(c *Conn) { c.ooo = new(reassembly) }, false},
		{"with a segment resent", nil, func(c *Conn) { c.fl.records.front().flags = flagTwice }, false},
		{"with a probe in flight", nil, func(c *Conn) { c.tlp.out = true }, false},
		{"with marks", nil, func(c *Conn) { c.ecn.send = true }, false},
		{"with anything rare", nil, func(c *Conn) { c.rare = new(rare) }, false},
		{"after the user has gone", nil, func(c *Conn) { c.orphan = true }, false},
		{"after the end of reading", nil, func(c *Conn) { c.readShut = true }, false},
		{"urgent data on the way", nil, func(c *Conn) { c.rcv.urgent = urgentAnnounced }, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			pr := newPair(t, 1500, 0)
			pr.send(t, 1000)
			if _, err := pr.a.Write(pr.now, pr.buf[:1000], false); err != nil {
				t.Fatal(err)
			}
			pr.a.Next(pr.now, &pr.seg)
			c := pr.a
			seg := Segment{
				Seq: c.rcv.nxt, Ack: c.snd.nxt, Flags: header.ACK, Window: 1000, Payload: make([]byte, 10),
				Options: header.TCPOptions{HasTS: true, TSVal: c.tsRecent},
			}
			if tt.seg != nil {
				tt.seg(&seg)
			}
			if tt.conn != nil {
				tt.conn(c)
			}
			if got := c.expects(&seg); got != tt.expect {
				t.Errorf("expected: %v, want %v", got, tt.expect)
			}
		})
	}
	if f := (*flight)(nil); !f.confirmed(5, 5, 5) || f.confirmed(6, 5, seqnum.Value(9)) {
		t.Error("without a flight only what is acknowledged already is")
	}
}

// What comes for a user who waits goes to them at once, where that is as if they had
// read it then; and else it is for them to read.
func TestInputForOneWhoWaits(t *testing.T) {
	for _, tt := range []struct {
		name  string
		room  int
		conn  func(c *Conn)
		seg   func(s *Segment)
		given int
	}{
		{"more room than data", 100, nil, nil, 10},
		{"as much room", 10, nil, nil, 10},
		{"too little room", 9, nil, nil, 0},
		{"nobody waits", 0, nil, nil, 0},
		{"an acknowledgment alone", 100, nil, func(s *Segment) { s.Payload = nil }, 0},
		{"a full segment", 2000, nil, func(s *Segment) { s.Payload = make([]byte, 1448) }, 0},
		{"behind a gap", 100, nil, func(s *Segment) { s.Seq++ }, 0},
		{"behind what is not read", 100, func(c *Conn) { c.recvQ.add([]byte("before"), nil, true, c.p.Budget) }, nil, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			story := func(into []byte) (string, int) {
				pr := newPair(t, 1500, 0)
				pr.send(t, 1000)
				c := pr.b
				if tt.conn != nil {
					tt.conn(c)
				}
				seg := Segment{
					Seq: c.rcv.nxt, Ack: c.snd.nxt, Flags: header.ACK | header.PSH, Window: 1000,
					Payload: []byte("0123456789"), Options: header.TCPOptions{HasTS: true, TSVal: c.tsRecent},
				}
				if tt.seg != nil {
					tt.seg(&seg)
				}
				given := c.InputFor(pr.now, &seg, into).Given
				read := into[:given]
				if given == 0 {
					buf := make([]byte, 100)
					n, _ := c.Read(pr.now, buf)
					read = buf[:n]
				}
				var out Segment
				sent := c.Next(pr.now, &out)
				c.p = nil
				return fmt.Sprintf("%q %v %v %v %v %v %v", read, sent, out, c.rcv, c.delack, c.rate, c.stats), given
			}
			queued, _ := story(nil)
			direct, given := story(make([]byte, tt.room))
			if given != tt.given {
				t.Errorf("%d bytes given, want %d", given, tt.given)
			}
			if direct != queued {
				t.Errorf("given:\n%s\nread:\n%s", direct, queued)
			}
		})
	}
}
