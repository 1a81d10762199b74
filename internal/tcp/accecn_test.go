package tcp

import (
	"fmt"
	"testing"
	"time"

	"example.com/berth/internal/header"
	"example.com/berth/socket"
)

// aceOf writes the ACE field as flags.
func aceOf(v int) (s string) {
	for bit, letter := range []string{"E", "W", "A"} {
		if v>>bit&1 != 0 {
			s += letter
		}
	}
	return s
}

// RFC 9768, table 2, from the side that is asked.
func TestAccurateECNIsGranted(t *testing.T) {
	const none, classic, accurate = 0, 1, 2
	for _, tt := range []struct {
		mode   ECNMode
		syn    int // its flags
		ecn    int // the codepoint with which it arrives
		synAck int
		want   int
	}{
		{ECNAccurate, 0b111, 0, 0b010, accurate},
		{ECNAccurate, 0b111, 1, 0b011, accurate},
		{ECNAccurate, 0b111, 2, 0b100, accurate},
		{ECNAccurate, 0b111, 3, 0b110, accurate},
		{ECNAccurateGranted, 0b111, 0, 0b010, accurate},
		{ECNAccuratePassive, 0b111, 0, 0b010, accurate},
		{ECNAccurate, 0b101, 0, 0b010, accurate}, // RFC 9768 3.1.3
		{ECNAccurate, 0b001, 0, 0b010, accurate},
		{ECNAccurate, 0b011, 0, 0b001, classic},
		{ECNAccurate, 0b000, 0, 0b000, none},
		{ECNPassive, 0b111, 0, 0b001, classic},
		{ECNOn, 0b111, 0, 0b001, classic},
		{ECNOff, 0b111, 0, 0b000, none},
	} {
		tc := talk(t, withECN(tt.mode))
		tc.begin(fmt.Sprintf("S%s 0:0(0) win 50000 ecn %d %s", aceOf(tt.syn), tt.ecn, noOptions))
		tc.want("S." + aceOf(tt.synAck) + " 0:0(0) ack 1")
		reply := ""
		if tt.want == accurate {
			reply = aceOf(0b010)
		}
		tc.input("." + reply + " 1:1(0) ack 1 win 50000")
		if got := tc.c.Info(tc.now).ECN; got != (tt.want != none) || tc.c.ecn.accurate != (tt.want == accurate) {
			t.Errorf("%+v: ECN %v, accurate %v", tt, got, tc.c.ecn.accurate)
		}
		tc.write(1000)
		tc.want(map[int]string{
			none: ". 1:1001(1000) ack 1 ecn 0", classic: ". 1:1001(1000) ack 1 ecn 2", accurate: ".EA 1:1001(1000) ack 1 ecn 2",
		}[tt.want])
	}
}

// RFC 9768, tables 2 and 3, from the side that asks: what the SYN,ACK grants, and
// how its codepoint is told.
func TestAccurateECNIsAskedFor(t *testing.T) {
	for _, tt := range []struct {
		synAck, ecn int
		ack, cep    int  // the ACE field of the first acknowledgment, and of data
		sends       bool // ECN-capable packets
		accurate    bool
	}{
		{0b010, 0, 0b010, 5, true, true},
		{0b010, 1, 0b011, 5, true, true},
		{0b010, 2, 0b100, 5, true, true},
		{0b010, 3, 0b110, 6, true, true},
		{0b011, 0, 0b010, 5, false, true}, // RFC 9768 3.2.2.3: our SYN was not ECN-capable
		{0b100, 0, 0b010, 5, false, true},
		{0b110, 0, 0b010, 5, false, true},
		{0b001, 0, 0, 0, true, false}, // classic
		{0b101, 0, 0, 0, true, false},
		{0b000, 0, 0, 0, false, false},
		{0b111, 0, 0, 0, false, false}, // reflected
	} {
		tc := talk(t, withECN(ECNAccurate))
		if err := tc.c.Connect(tc.now, tc.opening()); err != nil {
			t.Fatal(err)
		}
		tc.pull()
		tc.want("SEWA 0:0(0) ecn 0")
		tc.input(fmt.Sprintf("S.%s 0:0(0) ack 1 win 50000 ecn %d %s", aceOf(tt.synAck), tt.ecn, noOptions))
		tc.want("." + aceOf(tt.ack) + " 1:1(0) ack 1 ecn 0")
		if tc.c.ecn.accurate != tt.accurate {
			t.Errorf("%+v: accurate %v", tt, tc.c.ecn.accurate)
		}
		tc.write(1000)
		ecn := 0
		if tt.sends {
			ecn = 2
		}
		tc.want(fmt.Sprintf(".%s 1:1001(1000) ack 1 ecn %d", aceOf(tt.cep), ecn))
	}
}

// RFC 9768 3.1.4.1: two SYNs ask; then the flags may be what is dropped. Which
// feedback there is the SYN,ACK says.
func TestAccurateECNFallsBack(t *testing.T) {
	for _, tt := range []struct {
		synAck string
		data   string
	}{
		{"S.W", ".EA 1:1001(1000) ack 1 ecn 2"},
		{"S.E", ". 1:1001(1000) ack 1 ecn 0"},
		{"S.", ". 1:1001(1000) ack 1 ecn 0"},
	} {
		tc := talk(t, withECN(ECNAccurate))
		if err := tc.c.Connect(tc.now, tc.opening()); err != nil {
			t.Fatal(err)
		}
		tc.pull()
		tc.want("SEWA 0:0(0)")
		tc.fire()
		tc.want("SEWA 0:0(0)")
		tc.fire()
		tc.want("S 0:0(0)")
		tc.input(tt.synAck + " 0:0(0) ack 1 win 50000 " + noOptions)
		tc.skip()
		tc.write(1000)
		tc.want(tt.data)
	}
}

// RFC 9768 3.2.3.2.2 and 3.1.5: so does the other side, which then must not send
// ECN-capable packets, and goes on counting.
func TestAccurateSynAckFallsBack(t *testing.T) {
	tc := talk(t, withECN(ECNAccuratePassive))
	tc.begin("SEWA 0:0(0) win 50000 " + noOptions)
	tc.want("S.W 0:0(0) ack 1")
	tc.fireRequest()
	tc.want("S.W 0:0(0) ack 1")
	tc.fireRequest()
	tc.want("S. 0:0(0) ack 1")
	tc.input(".W 1:1(0) ack 1 win 50000")
	tc.write(1000)
	tc.want(".EA 1:1001(1000) ack 1 ecn 0")
	tc.input(".EA 1:501(500) ack 1001 win 50000 ecn 3")
	tc.want(".WA 1001:1001(0) ack 501")
}

// RFC 9768 3.1.5: the SYN that comes again.
func TestRepeatedSYNsOfAccurateECN(t *testing.T) {
	for _, tt := range []struct{ first, again, want string }{ // 16 is 0 on the wire
		{"SEWA", "SEWA 0:0(0) ecn 3", "S.WA 0:0(0) ack 1"}, // tells of the latest
		{"SEWA", "S 0:0(0)", "S.W 0:0(0) ack 1"},
		{"SEWA", "SEW 0:0(0)", "R. 16:16(0) ack 1"},
		{"SEW", "SEWA 0:0(0)", "R. 16:16(0) ack 1"},
		{"S", "SEWA 0:0(0)", "S. 0:0(0) ack 1"},
	} {
		tc := talk(t, withECN(ECNAccuratePassive))
		tc.begin(tt.first + " 0:0(0) win 50000 " + noOptions)
		tc.skip()
		tc.input(tt.again + " win 50000 " + noOptions)
		tc.want(tt.want)
	}
	tc := talk(t, withECN(ECNAccuratePassive))
	tc.begin("SEWA 0:0(0) win 50000 " + noOptions)
	tc.input("S 0:0(0) win 50000 " + noOptions)
	tc.skip()
	tc.input(".W 1:1(0) ack 1 win 50000")
	tc.write(1000)
	tc.want(".EA 1:1001(1000) ack 1 ecn 0")
}

// RFC 9768 3.2.2.1: a SYN,ACK that comes again is told of, too.
func TestRepeatedSynAckOfAccurateECN(t *testing.T) {
	tc := talk(t, withECN(ECNAccurate))
	if err := tc.c.Connect(tc.now, tc.opening()); err != nil {
		t.Fatal(err)
	}
	tc.pull()
	tc.skip()
	tc.input("S.W 0:0(0) ack 1 win 50000 " + noOptions)
	tc.want(".W 1:1(0) ack 1")
	for range 2 {
		tc.advance(time.Second)
		tc.input("S.W 0:0(0) ack 1 win 50000 ecn 3 " + noOptions)
		tc.want(".WA 1:1(0) ack 1")
	}
	tc.write(1000)
	tc.want(".WA 1:1001(1000) ack 1 ecn 2") // counted once: 6
}

// RFC 9768, table 4: what the last acknowledgment of the handshake says.
func TestHandshakeAckOfAccurateECN(t *testing.T) {
	for _, tt := range []struct {
		ace  int
		ecn  int // of what is sent
		cwnd int
	}{
		{0b000, 0, 10}, // the peer counts nothing
		{0b001, 2, 10},
		{0b010, 2, 10},
		{0b011, 0, 10}, // the SYN,ACK was not ECN-capable
		{0b100, 0, 10},
		{0b101, 2, 10},
		{0b110, 0, 5}, // nor was this, but what marks it may mean it
		{0b111, 2, 10},
	} {
		tc := talk(t, withECN(ECNAccuratePassive))
		tc.begin("SEWA 0:0(0) win 50000 " + noOptions)
		tc.want("S.W 0:0(0) ack 1")
		tc.input("." + aceOf(tt.ace) + " 1:1(0) ack 1 win 50000")
		tc.wantCwnd(tt.cwnd)
		tc.write(1000)
		tc.want(fmt.Sprintf(".EA 1:1001(1000) ack 1 ecn %d", tt.ecn))
	}
}

// accurateEstablished is established with AccECN, opened by the peer.
func accurateEstablished(t *testing.T, options string, change ...func(*Params)) *conversation {
	t.Helper()
	tc := talk(t, append(change, withECN(ECNAccuratePassive))...)
	tc.begin("SEWA 0:0(0) win 50000 " + options)
	tc.want("S.W 0:0(0) ack 1")
	tc.input(".W 1:1(0) ack 1 win 50000")
	tc.wantState(socket.TCP_ESTABLISHED)
	tc.wantNothing()
	return tc
}

// RFC 9768 3.2.2: every packet that is marked counts, and the counter wraps.
func TestMarksAreCounted(t *testing.T) {
	tc := accurateEstablished(t, noOptions)
	seq := 1
	for i := range 20 {
		tc.input(fmt.Sprintf(".EA %d:%d(1000) ack 1 win 50000 ecn 3", seq, seq+1000))
		tc.advance(time.Second)
		seq += 1000
		sent := tc.skip()
		if len(sent) == 0 {
			t.Fatal("no acknowledgment")
		}
		if got, want := ace(sent[len(sent)-1].Flags), uint8(5+i+1)&7; got != want {
			t.Fatalf("after %d marks ACE is %d, want %d", i+1, got, want)
		}
	}
	if i := tc.c.Info(tc.now); i.ReceivedCE != 20 {
		t.Errorf("TCP_INFO tells of %d marked packets", i.ReceivedCE)
	}
}

// RFC 9768 3.2.2.5.1: what makes an acknowledgment go at once.
func TestMarksAreToldSoon(t *testing.T) {
	tc := accurateEstablished(t, sackOnly)
	tc.c.delack.quick = 0
	tc.input(".EA 1:501(500) ack 1 win 50000 ecn 2")
	tc.wantNothing()
	tc.input(".EA 501:1001(500) ack 1 win 50000 ecn 3") // the first marked one
	tc.want(".WA 1:1(0) ack 1001")
	tc.c.delack.quick = 0
	tc.input(".EA 1001:1501(500) ack 1 win 50000 ecn 3")
	tc.wantNothing()
	tc.input(".EA 1501:2001(500) ack 1 win 50000 ecn 3") // the second since
	tc.want(". 1:1(0) ack 2001")
	// Acknowledgments may be ECN-capable (RFC 8311): every third marked one is
	// answered.
	tc.write(1000)
	tc.want(". 1:1001(1000) ack 2001")
	for range 2 {
		tc.input(".EA 2001:2001(0) ack 1 win 50000 ecn 3")
		tc.wantNothing()
	}
	tc.input(".EA 2001:2001(0) ack 1 win 50000 ecn 3")
	tc.want(".EW 1001:1001(0) ack 2001")
	tc.wantNothing()
}

// RFC 9768 3.2.2.5.2: what an acknowledgment tells of marks. Each row is one of
// so many segments of 1000 bytes with the counter at so much.
func TestMarksThatThePeerCounts(t *testing.T) {
	for _, tt := range []struct {
		name   string
		acked  int
		ace    int
		before int // marks told of an acknowledgment earlier
		option string
		want   int
	}{
		{"none", 2, 5, 0, "", 0},
		{"one", 2, 6, 0, "", 1},
		{"two, past the end", 2, 5 + 3&7, 0, "", 3},
		{"more than there are segments: control packets", 1, 1, 0, "", 4},
		{"may have wrapped", 10, 7, 0, "", 10},
		{"cannot have wrapped", 7, 7, 0, "", 2},
		{"quiet path, many segments", 10, 5, 0, "", 0},
		{"marks were seen: all may be marked", 8, 6, 1, "", 8},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tc := accurateEstablished(t, sackOnly, func(p *Params) { p.InitialWindow = 20 })
			tc.write(12_000)
			tc.skip()
			tc.advance(time.Millisecond)
			una := 1001
			tc.input(fmt.Sprintf(".%s 1:1(0) ack %d win 50000", aceOf(5+tt.before), una))
			before := tc.c.seldom().deliveredCE
			tc.input(fmt.Sprintf(".%s 1:1(0) ack %d win 50000", aceOf(tt.ace&7), una+tt.acked*1000))
			if got := int(tc.c.seldom().deliveredCE - before); got != tt.want {
				t.Errorf("%d marks, want %d", got, tt.want)
			}
		})
	}
}

// With the option the bytes say whether the counter wrapped; one that something
// zeroes is not believed (RFC 9768 3.2.3.2.4), and one that contradicts the
// counter ends ECN (3.2.3.2.5).
//
// DEF-57.
func TestAccurateECNOption(t *testing.T) {
	ce := func(n uint32) header.AccECN { return header.AccECN{Order: header.AccECN1, Fields: 2, ECT1: 1, CE: n} }
	for _, tt := range []struct {
		name    string
		ace     int
		options [2]header.AccECN
		marks   int
		ect     bool
	}{
		{"no mark", 5, [2]header.AccECN{ce(0), ce(0)}, 0, true},
		{"two", 7, [2]header.AccECN{ce(0), ce(2000)}, 2, true},
		{"ten", 7, [2]header.AccECN{ce(0), ce(10_000)}, 10, true},
		{"past the end", 7, [2]header.AccECN{ce(0xffffff), ce(1999)}, 2, true},
		{"zeroed", 7, [2]header.AccECN{{Order: header.AccECN1, Fields: 3}, {Order: header.AccECN1, Fields: 3}}, 10, true},
		{"impossible", 7, [2]header.AccECN{ce(0), ce(0xffffff)}, 10, true},
		{"none the first time", 7, [2]header.AccECN{{}, ce(2000)}, 2, true},
		{"none the second time", 7, [2]header.AccECN{ce(0), {}}, 10, true},
		{"of the packets one is without payload", 7, [2]header.AccECN{ce(0), ce(1000)}, 2, true},
	} {
		tc := accurateEstablished(t, sackOnly, func(p *Params) { p.InitialWindow = 20 })
		tc.write(12_000)
		tc.skip()
		tc.advance(time.Millisecond)
		for i, ack := range []int{1001, 11_001} {
			seg := tc.parse(fmt.Sprintf(".%s 1:1(0) ack %d win 50000", aceOf([]int{5, tt.ace}[i]), ack), true)
			seg.Options.AccECN = tt.options[i]
			tc.c.Input(tc.now, &seg)
		}
		tc.pull()
		if got := int(tc.c.seldom().deliveredCE); got != tt.marks || tc.c.ecn.send != tt.ect {
			t.Errorf("%s: %d marks, want %d; ECN-capable %v", tt.name, got, tt.marks, tc.c.ecn.send)
		}
	}
	tc := accurateEstablished(t, sackOnly)
	tc.write(3000)
	tc.skip()
	for i, marked := range []uint32{0, 1000} {
		seg := tc.parse(fmt.Sprintf(".EA 1:1(0) ack %d win 50000", 1001+1000*i), true)
		seg.Options.AccECN = ce(marked)
		tc.c.Input(tc.now, &seg)
	}
	if tc.c.ecn.send {
		t.Error("bytes were marked, packets were not, and it goes on")
	}
}

// RFC 9768 3.2.2.2: an old acknowledgment says nothing, though its counter would
// seem to have wrapped. With timestamps one without progress is known to be new.
func TestOldCountersAreIgnored(t *testing.T) {
	tc := accurateEstablished(t, sackOnly)
	tc.write(8000)
	tc.skip()
	tc.input(".WA 1:1(0) ack 3001 win 50000")  // one mark
	tc.input(".EA 1:1(0) ack 2001 win 50000")  // none, but old
	tc.input(".EA 1:1(0) ack 3001 win 50000")  // none, perhaps old
	tc.input(".WA 1:1(0) ack 4001 win 50000")  // still one
	tc.input(".EWA 1:1(0) ack 5001 win 50000") // two
	if n := tc.c.seldom().deliveredCE; n != 2 {
		t.Errorf("%d marks, want 2", n)
	}
	tc = accurateEstablished(t, "<mss 1000,sackOK,TS val 100 ecr 0>")
	tc.write(3000)
	tc.skip()
	tc.input(".EA 1:1(0) ack 989 win 50000 <TS val 101 ecr 1000>")
	tc.input(".WA 1:1(0) ack 989 win 50000 <TS val 102 ecr 1000>")
	if n := tc.c.seldom().deliveredCE; n != 1 {
		t.Errorf("%d marks with timestamps, want 1", n)
	}
}

// Row 32 of the attacks: the ACE field bleached on the way. RFC 9768 3.2.2.4.
//
// DEF-32.
func TestZeroedACE(t *testing.T) {
	tc := accurateEstablished(t, noOptions)
	tc.write(2000)
	tc.want(".EA 1:1001(1000) ack 1 ecn 2")
	tc.skip()
	tc.input(". 1:1(0) ack 1001 win 50000")
	tc.write(1000)
	tc.want(".EA 2001:3001(1000) ack 1 ecn 0")
	tc.input(".W 1:1(0) ack 2001 win 50000")
	if n := tc.count().ECNReductions.Load(); n != 0 || tc.c.seldom().deliveredCE != 0 {
		t.Errorf("%d reductions", n)
	}
	// It still counts for the other side.
	tc.input(". 1:1001(1000) ack 2001 win 50000 ecn 3")
	tc.want(".WA 3001:3001(0) ack 1001")
}

// RFC 9768 3.1.5: the window shrinks once in a round trip, however many marks
// there are, and CWR is no answer any more.
//
// DEF-32.
func TestAccurateMarksReduceTheWindowOnce(t *testing.T) {
	tc := accurateEstablished(t, noOptions)
	tc.write(10_000)
	tc.skip()
	tc.write(4000)
	tc.input(".WA 1:1(0) ack 2001 win 50000")
	tc.wantCwnd(5)
	tc.input(". 1:1(0) ack 4001 win 50000")
	tc.input(".W 1:1(0) ack 6001 win 50000")
	tc.wantCwnd(5)
	tc.want(".EA 10001:11001(1000) ack 1 ecn 2")
	if n := tc.count().ECNReductions.Load(); n != 1 {
		t.Errorf("%d reductions", n)
	}
}

// RFC 3168 6.1.2 clears CWR in all but the first of the segments that a device
// cuts, and with it a bit of the counter: with that set segments are not large.
func TestAccurateECNAndLargeSegments(t *testing.T) {
	tc := talk(t, withECN(ECNAccuratePassive))
	seg := tc.parse("SEWA 0:0(0) win 50000 "+noOptions, true)
	o := tc.opening()
	o.LargeSend = 60000
	tc.c = Passive(tc.p, tc.now, o, &seg, tc.c.Options())
	tc.pull()
	tc.skip()
	tc.input(".W 1:1(0) ack 1 win 50000")
	tc.write(4000)
	if s := tc.want(".EA 1:2001(2000) ack 1 ecn 2"); s.SegSize != 1000 {
		t.Errorf("segments of %d", s.SegSize)
	}
	tc.skip()
	tc.input(".EA 1:501(500) ack 4001 win 50000 ecn 3")
	tc.skip()
	tc.write(4000)
	for i := range 4 {
		tc.want(fmt.Sprintf(".WA %d:%d(1000) ack 501 ecn 2", 4001+1000*i, 5001+1000*i))
	}
}

// Accurate ECN between two of these ends, over a path that marks: nothing is lost,
// and both ends count the same.
func TestAccurateECNOverAMarkingQueue(t *testing.T) {
	if raceEnabled {
		t.Skip("slow under the race detector, and races are not what it looks for")
	}
	for a, least := range map[*Algorithm]float64{cubicAlgorithm: 85, renoAlgorithm: 75, dctcpAlgorithm: 90, bbrAlgorithm: 80} {
		t.Run(a.Name, func(t *testing.T) {
			p := path{rate: 12_500_000, rtt: 10 * time.Millisecond, queue: time.Second}
			ch := p.channel(t, 1, a)
			ch.mark = 5 * time.Millisecond
			ch.ends[0].p.ECN, ch.ends[1].p.ECN = ECNAccurate, ECNAccuratePassive
			ch.ends[0].send = 32 << 20
			start := ch.now
			ch.connect(1500, 0)
			for ch.ends[1].c == nil || !ch.ends[1].eof {
				if !ch.step() {
					t.Fatal(ch.describe())
				}
			}
			end := ch.now
			for ch.ends[0].c.snd.una != ch.ends[0].c.snd.nxt {
				if !ch.step() {
					t.Fatal(ch.describe())
				}
			}
			mbits := float64(32<<20) * 8 / (end - start).Seconds() / 1e6
			n := ch.ends[0].p.Counters
			if mbits < least || n.Retransmits.Load() > 0 || n.ECNReductions.Load() < 3 {
				t.Errorf("%.1f Mbit/s, %d resent, %d reductions", mbits, n.Retransmits.Load(), n.ECNReductions.Load())
			}
			wantExactFeedback(t, ch)
		})
	}
}
