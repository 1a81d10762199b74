package tcp

import (
	"fmt"
	"testing"
	"time"

	"example.com/berth/internal/header"
	"example.com/berth/socket"
)

// withOption is a change of the parameters: when the option is sent.
func withOption(when AccECNOption) func(*Params) {
	return func(p *Params) { p.AccECNOption = when }
}

// optionEstablished is established with AccECN, opened by a peer that sends the
// option.
func optionEstablished(t *testing.T, options string, change ...func(*Params)) *conversation {
	t.Helper()
	tc := talk(t, append(change, withECN(ECNAccuratePassive))...)
	tc.begin("SEWA 0:0(0) win 50000 " + options)
	tc.skip()
	tc.input(".W 1:1(0) ack 1 win 50000 <ECN e0b 1 ceb 0 e1b 1>")
	tc.wantState(socket.TCP_ESTABLISHED)
	tc.wantNothing()
	return tc
}

// optionDoubted is the same, but that the first SYN,ACK was lost: it may have been for
// the option.
func optionDoubted(t *testing.T) *conversation {
	t.Helper()
	tc := talk(t, withECN(ECNAccuratePassive))
	tc.begin("SEWA 0:0(0) win 50000 " + sackOnly)
	tc.fireRequest()
	tc.skip()
	tc.input(".W 1:1(0) ack 1 win 50000 <ECN e0b 1 ceb 0 e1b 1>")
	return tc
}

// RFC 9768 3.2.3.2.1: the SYN,ACK has the option, and the first acknowledgment and
// the first data, for it tests the path. On a SYN it means nothing.
func TestAccECNOptionInTheHandshake(t *testing.T) {
	tc := talk(t, withECN(ECNAccuratePassive))
	tc.begin("SEWA 0:0(0) win 50000 <mss 1000,sackOK,ECN e0b 9 ceb 9 e1b 9>")
	tc.want("S.W 0:0(0) ack 1 <mss 1460,sackOK,ECN e1b 1 ceb 0 e0b 1>")
	tc.fireRequest()
	tc.want("S.W 0:0(0) ack 1 <noECN>") // 3.2.3.2.2: something may drop it
	tc.input(".W 1:1(0) ack 1 win 50000 <ECN e0b 1 ceb 0 e1b 1>")
	tc.write(988)
	tc.want(".EA 1:989(988) ack 1 <ECN e1b 1 ceb 0 e0b 1>")

	for _, tt := range []struct{ synAck, want string }{
		{"S.W 0:0(0) ack 1 win 50000 <mss 1000,ECN e0b 1 ceb 0 e1b 1>", "<ECN e1b 1 ceb 0 e0b 1>"},
		{"S.W 0:0(0) ack 1 win 50000 <mss 1000,ECN>", "<ECN e1b 1 ceb 0 e0b 1>"},
		{"S.W 0:0(0) ack 1 win 50000 <mss 1000>", "<noECN>"},
		{"S.E 0:0(0) ack 1 win 50000 <mss 1000,ECN e0b 1 ceb 0 e1b 1>", "<noECN>"},
	} {
		for _, when := range []AccECNOption{AccECNOptionAlways, AccECNOptionNeeded} {
			tc := talk(t, withECN(ECNAccurate), withOption(when))
			if err := tc.c.Connect(tc.now, tc.opening()); err != nil {
				t.Fatal(err)
			}
			tc.pull()
			tc.want("SEWA 0:0(0) <noECN>")
			tc.input(tt.synAck)
			ack, data := ".W 1:1(0) ack 1 ", ".EA 1:501(500) ack 1 "
			if !tc.c.ecn.accurate {
				ack, data = ". 1:1(0) ack 1 ", ". 1:501(500) ack 1 "
			}
			tc.want(ack + tt.want)
			tc.write(500)
			tc.want(data + tt.want)
		}
	}
}

// The SYN,ACK has as much of the option as there is room for, beside a cookie of
// Fast Open and timestamps.
func TestAccECNOptionBesidesOthersInTheSynAck(t *testing.T) {
	cookie := header.FastOpen{Present: true, Len: 8}
	for _, tt := range []struct {
		o      header.TCPOptions
		fields int // -1: no option
	}{
		{header.TCPOptions{MSS: 1460, SACKPermitted: true, HasTS: true, HasWScale: true}, 3},
		{header.TCPOptions{MSS: 1460, SACKPermitted: true, HasTS: true, HasWScale: true, FastOpen: cookie}, 2},
		{header.TCPOptions{MSS: 1460, SACKPermitted: true, HasWScale: true, FastOpen: cookie}, 3},
		{header.TCPOptions{MSS: 1460, SACKPermitted: true, HasTS: true, FastOpen: header.FastOpen{Present: true, Len: 16}}, 0},
		{header.TCPOptions{MSS: 1460, SACKPermitted: true, HasTS: true, HasWScale: true, FastOpen: header.FastOpen{Present: true, Len: 16}}, -1},
	} {
		o := tt.o
		DefaultParams().addHandshakeOption(&o)
		got := int(o.AccECN.Fields)
		if o.AccECN.Order == header.AccECNNone {
			got = -1
		}
		if got != tt.fields || got >= 0 && o.Len() > header.TCPOptionsMax {
			t.Errorf("%d of other options: %d fields, want %d; %d in all", tt.o.Len(), got, tt.fields, o.Len())
		}
	}
}

// A peer that sends no option will hardly read one. Whenever it does send one, ours
// go out, too (as Linux).
func TestAccECNOptionFollowsThePeer(t *testing.T) {
	tc := accurateEstablished(t, sackOnly)
	tc.write(1000)
	tc.want(".EA 1:1001(1000) ack 1 <noECN>")
	tc.input(".EA 1:501(500) ack 1001 win 50000 ecn 2 <ECN e0b 1001 ceb 0 e1b 1>")
	tc.want(".EA 1001:1001(0) ack 501 <ECN e1b 1 ceb 0 e0b 501>")
	tc.write(988)
	tc.want(".EA 1001:1989(988) ack 501 <ECN e1b 1 ceb 0 e0b 501>")

	tc = optionEstablished(t, sackOnly, withOption(AccECNOptionNever))
	tc.write(1000)
	tc.want(".EA 1:1001(1000) ack 1 <noECN>")
}

// RFC 9768 3.2: bytes count by the codepoint with which they arrive, those that came
// before, too; the option has the last 24 bits.
func TestBytesAreCounted(t *testing.T) {
	tc := optionEstablished(t, sackOnly)
	seq := 1
	for i, tt := range []struct {
		ecn  int
		want string
	}{
		{2, "EA 1:1(0) ack 501 <ECN e1b 1 ceb 0 e0b 501>"},
		{3, "WA 1:1(0) ack 1001 <ECN e1b 1 ceb 500 e0b 501>"},
		{1, "WA 1:1(0) ack 1501 <ECN e1b 501 ceb 500 e0b 501>"},
		{0, "WA 1:1(0) ack 2001 <ECN e1b 501 ceb 500 e0b 501>"},
		{3, "EWA 1:1(0) ack 2501 <ECN e1b 501 ceb 1000 e0b 501>"},
	} {
		tc.input(fmt.Sprintf(".EA %d:%d(500) ack 1 win 50000 ecn %d", seq, seq+500, tt.ecn))
		if seq += 500; i < 5 {
			tc.want("." + tt.want)
		}
	}
	tc.input(".EA 2001:3001(1000) ack 1 win 50000 ecn 2") // half of it came before
	tc.want(".EWA 1:1(0) ack 3001 <ECN e1b 501 ceb 1000 e0b 1501>")
	tc.c.rare.accurate.bytes.received[ecnECT0] += 1<<24 - 1500
	tc.input(".EA 3001:3501(500) ack 1 win 50000 ecn 2")
	tc.want(".EWA 1:1(0) ack 3501 <ECN e1b 501 ceb 1000 e0b 501>")
	i := tc.c.Info(tc.now)
	if i.ReceivedE0Bytes != 500+1<<24 || i.ReceivedE1Bytes != 500 || i.ReceivedCEBytes != 1000 || i.ReceivedCE != 2 {
		t.Errorf("%+v", i)
	}
}

// RFC 9768 3.2.3.3: what changed is told, or nothing; two SACK blocks come first,
// the third gives way.
func TestAccECNOptionAndSACK(t *testing.T) {
	const timestamps = "<mss 1000,sackOK,TS val 100 ecr 0>"
	for _, tt := range []struct {
		name, options string
		holes         int // segments out of order, with ECT(1), before
		ecn           int // of the one that comes now
		want          string
	}{
		{"one block", timestamps, 0, 1, "<ECN e1b 501 ceb 0 e0b 1,sack 1001:1501>"},
		{"two blocks and ECT(1)", timestamps, 1, 1, "<ECN e1b 1001 ceb 0,sack 2001:2501 1001:1501>"},
		{"two blocks and CE", timestamps, 1, 3, "<ECN e1b 501 ceb 500,sack 2001:2501 1001:1501>"},
		{"two blocks and ECT(0)", timestamps, 1, 2, "<ECN e0b 501 ceb 0,sack 2001:2501 1001:1501>"},
		{"the third block gives way", timestamps, 2, 3, "<ECN e1b 1001 ceb 500,sack 3001:3501 2001:2501>"},
		{"nothing changed", timestamps, 2, 0, "<noECN,sack 3001:3501 2001:2501 1001:1501>"},
		{"three blocks without timestamps", sackOnly, 2, 3, "<ECN e1b 1001 ceb 500 e0b 1,sack 3001:3501 2001:2501 1001:1501>"},
		{"the fourth block gives way", sackOnly, 3, 3, "<ECN e1b 1501 ceb 500 e0b 1,sack 4001:4501 3001:3501 2001:2501>"},
	} {
		tc := optionEstablished(t, tt.options)
		next := func(ecn int) {
			seq := 1001 + 1000*tt.holes
			ts := ""
			if tt.options == timestamps {
				ts = fmt.Sprintf("<TS val %d ecr 0>", 101+tt.holes)
			}
			tc.input(fmt.Sprintf(".EA %d:%d(500) ack 1 win 50000 ecn %d %s", seq, seq+500, ecn, ts))
		}
		last := tt.holes
		for tt.holes = 0; tt.holes < last; tt.holes++ {
			next(1)
		}
		tc.skip()
		next(tt.ecn)
		ace := ".EA"
		if tt.ecn == 3 {
			ace = ".WA"
		}
		t.Run(tt.name, func(t *testing.T) { tc.t = t; tc.want(ace + " 1:1(0) ack 1 " + tt.want) })
	}
}

// Data leaves room for the option, and for SACK blocks beside it.
func TestAccECNOptionTakesRoom(t *testing.T) {
	for _, tt := range []struct {
		options    string
		size, sack int // of a full segment, and of one with SACK blocks
	}{
		{noOptions, 988, 0},
		{sackOnly, 988, 964},
		{"<mss 1000,sackOK,TS val 100 ecr 0>", 976, 960},
	} {
		tc := optionEstablished(t, tt.options)
		tc.write(5000)
		for _, s := range tc.skip()[:3] {
			if len(s.Payload) != tt.size || s.Options.Len()+len(s.Payload) > 1000 {
				t.Errorf("%s: %d bytes with %d of options", tt.options, len(s.Payload), s.Options.Len())
			}
		}
		if tt.sack == 0 {
			continue
		}
		tc.input(".EA 1001:1501(500) ack 1 win 50000 ecn 2 <TS val 101 ecr 0>")
		tc.skip()
		tc.write(5000)
		for _, s := range tc.skip()[:3] {
			if len(s.Payload) != tt.sack || s.Options.SACKCount == 0 || s.Options.AccECN.Fields == 0 || s.Options.Len()+len(s.Payload) > 1000 {
				t.Errorf("%s with SACK: %d bytes with %d of options: %+v", tt.options, len(s.Payload), s.Options.Len(), s.Options)
			}
		}
	}
}

// RFC 9768 3.2.3.3: as needed means twice where the codepoint changed or is CE, once
// in 4 MiB else, and some times a round trip.
func TestAccECNOptionAsNeeded(t *testing.T) {
	tc := optionEstablished(t, sackOnly, withOption(AccECNOptionNeeded), func(p *Params) { p.AccECNBeacon = 0 })
	tc.c.delack.quick = 100
	seq := 1
	next := func(ecn int, option string) {
		t.Helper()
		tc.input(fmt.Sprintf(". %d:%d(500) ack 1 win 50000 ecn %d", seq, seq+500, ecn))
		seq += 500
		sent := tc.skip()
		got := "no ECN"
		if len(sent) != 1 {
			t.Fatalf("%d segments", len(sent))
		}
		if o := sent[0].Options.AccECN; o.Order != header.AccECNNone {
			got = fmt.Sprintf("e1b %d ceb %d e0b %d", o.ECT1, o.CE, o.ECT0)
		}
		if got != option {
			t.Errorf("byte %d: %s, want %s", seq, got, option)
		}
	}
	next(2, "e1b 1 ceb 0 e0b 501")
	next(2, "e1b 1 ceb 0 e0b 1001")
	next(2, "no ECN")
	next(3, "e1b 1 ceb 500 e0b 1501")
	next(3, "e1b 1 ceb 1000 e0b 1501")
	next(3, "e1b 1 ceb 1500 e0b 1501")
	next(2, "e1b 1 ceb 1500 e0b 2001")
	next(2, "e1b 1 ceb 1500 e0b 2501")
	next(2, "no ECN")
	tc.c.rare.accurate.bytes.received[ecnECT0] = 1<<22 - 600
	next(2, "no ECN")
	next(2, "e1b 1 ceb 1500 e0b 4194705")
	next(2, "no ECN")
	tc.p.AccECNBeacon, tc.c.rtt.srtt = 3, 30*time.Millisecond
	tc.advance(9 * time.Millisecond)
	next(2, "no ECN")
	tc.advance(time.Millisecond)
	next(2, "e1b 1 ceb 1500 e0b 4196205")
	next(2, "no ECN")
}

// With the option as needed it is data that changes its size.
func TestAccECNOptionAsNeededOnData(t *testing.T) {
	tc := optionEstablished(t, sackOnly, withOption(AccECNOptionNeeded), func(p *Params) { p.AccECNBeacon = 0 })
	tc.write(988 + 988 + 1000)
	tc.want(".EA 1:989(988) ack 1 <ECN e1b 1 ceb 0 e0b 1>")
	tc.want(".EA 989:1977(988) ack 1 <ECN e1b 1 ceb 0 e0b 1>")
	tc.want(".EA 1977:2977(1000) ack 1 <noECN>")
}

// RFC 9768 3.2.3.2.2: if the first data with the option is lost, it goes again without,
// and the option is no more sent, unless something else that had it has arrived.
func TestAccECNOptionThatIsLost(t *testing.T) {
	for _, tt := range []struct {
		name, ack, again string
		blocked          uint64
	}{
		{"all is lost", "", ".EA 1:989(988) ack 1 <noECN>", 1},
		{"it was one of them", ".EA 1:1(0) ack 1 win 50000 <sack 989:1977>", ".EA 1:989(988) ack 1 <ECN e1b 1 ceb 0 e0b 1>", 0},
	} {
		tc := optionDoubted(t)
		tc.c.tlp.out = true // no probe
		tc.write(2 * 988)
		tc.want(".EA 1:989(988) ack 1 <ECN e1b 1 ceb 0 e0b 1>")
		tc.want(".EA 989:1977(988) ack 1 <ECN e1b 1 ceb 0 e0b 1>")
		if tt.ack != "" {
			tc.input(tt.ack)
		}
		for range 3 {
			if len(tc.sent) == 0 {
				tc.fire()
			}
		}
		t.Run(tt.name, func(t *testing.T) { tc.t = t; tc.want(tt.again) })
		if n := tc.count().AccECNBlocked.Load(); n != tt.blocked {
			t.Errorf("%s: %d blocked", tt.name, n)
		}
		if tt.blocked == 0 {
			continue
		}
		// It goes on counting, and reads the peer's.
		tc.input(".EA 1:501(500) ack 1977 win 50000 ecn 3 <ECN e0b 1977 ceb 0 e1b 1>")
		tc.want(".WA 1977:1977(0) ack 501 <noECN>")
		if i := tc.c.Info(tc.now); i.DeliveredE0Bytes != 1976 || i.ReceivedCEBytes != 500 {
			t.Errorf("%+v", i)
		}
	}
}

// What was acknowledged comes again and again: the acknowledgments may be lost for
// the option. A probe says nothing (as Linux).
func TestAcknowledgmentsThatAreLostForTheOption(t *testing.T) {
	tc := optionDoubted(t)
	tc.input(".EA 1:1001(1000) ack 1 win 50000 ecn 2")
	tc.want(".EA 1:1(0) ack 1001 <ECN e1b 1 ceb 0 e0b 1001>")
	for range 3 {
		tc.input(".EA 1000:1001(1) ack 1 win 50000")
		tc.want(".EA 1:1(0) ack 1001 <ECN e1b 1 ceb 0 e0b 1001,sack 1000:1001>")
	}
	tc.input(".EA 1:1001(1000) ack 1 win 50000 ecn 2")
	tc.want(".EA 1:1(0) ack 1001 <ECN e1b 1 ceb 0 e0b 2001,sack 1:1001>")
	tc.input(".EA 1001:2001(1000) ack 1 win 50000 ecn 2") // it moves
	tc.want(".EA 1:1(0) ack 2001 <ECN e1b 1 ceb 0 e0b 3001>")
	tc.input(".EA 1001:2001(1000) ack 1 win 50000 ecn 2")
	tc.want(".EA 1:1(0) ack 2001 <ECN e1b 1 ceb 0 e0b 4001,sack 1001:2001>")
	tc.input(".EA 1001:2001(1000) ack 1 win 50000 ecn 2")
	tc.want(".EA 1:1(0) ack 2001 <noECN,sack 1001:2001>")
	tc.input(".EA 2001:3001(1000) ack 1 win 50000 ecn 2")
	tc.want(".EA 1:1(0) ack 3001 <noECN>")

	// Where data with the option has arrived, or the SYN,ACK, that is not the reason.
	for _, established := range []func() *conversation{
		func() *conversation { return optionDoubted(t) },
		func() *conversation { return optionEstablished(t, sackOnly) },
	} {
		tc = established()
		tc.write(500)
		tc.skip()
		tc.input(".EA 1:1001(1000) ack 501 win 50000 ecn 2")
		tc.skip()
		for i := range 5 {
			tc.input(".EA 1:1001(1000) ack 501 win 50000 ecn 2")
			tc.want(fmt.Sprintf(".EA 501:501(0) ack 1001 <ECN e1b 1 ceb 0 e0b %d,sack 1:1001>", 2001+1000*i))
		}
	}
}

// What the peer's option tells is in TCP_INFO. One whose counters something zeroes is
// not believed, and that is looked at once: later a counter may be zero (RFC 9768
// 3.2.3.2.4).
func TestBytesThatThePeerCounts(t *testing.T) {
	tc := optionEstablished(t, sackOnly)
	tc.write(4 * 988)
	tc.skip()
	tc.input(".WA 1:1(0) ack 989 win 50000 <ECN e0b 1 ceb 988 e1b 1>")
	tc.input(".WA 1:1(0) ack 1977 win 50000 <ECN e1b 989 ceb 988 e0b 1>")
	tc.input(".WA 1:1(0) ack 2965 win 50000 <ECN e0b 989>")
	i := tc.c.Info(tc.now)
	if i.DeliveredE0Bytes != 988 || i.DeliveredE1Bytes != 988 || i.DeliveredCEBytes != 988 || i.DeliveredCE != 1 {
		t.Errorf("%+v", i)
	}
	tc.input(".WA 1:1(0) ack 3953 win 50000 <ECN e0b 0 ceb 988 e1b 989>") // it went back
	if i := tc.c.Info(tc.now); i.DeliveredE0Bytes != 1<<32-1 {
		t.Errorf("%d bytes with ECT(0)", i.DeliveredE0Bytes)
	}

	for _, zero := range []string{"<ECN e0b 0 ceb 0 e1b 0>", "<ECN e0b 0>", "<ECN e1b 0 ceb 0 e0b 1>"} {
		tc := accurateEstablished(t, sackOnly)
		tc.write(4000)
		tc.skip()
		tc.input(".WA 1:1(0) ack 1001 win 50000 " + zero)
		tc.input(".WA 1:1(0) ack 2001 win 50000 <ECN e0b 1001 ceb 1000 e1b 1>")
		if i := tc.c.Info(tc.now); i.DeliveredE0Bytes != 0 || i.DeliveredCEBytes != 0 || i.DeliveredCE != 1 {
			t.Errorf("%s: %+v", zero, i)
		}
	}
}

// Options come with some acknowledgments only. The bytes of one, and the packets of
// those before it, are the same marks (RFC 9768 3.2.3.2.5).
func TestOptionsThatComeNowAndThen(t *testing.T) {
	tc := optionEstablished(t, sackOnly, withDCTCP)
	tc.write(8 * 988)
	tc.skip()
	tc.input(".EWA 1:1(0) ack 1977 win 50000") // two marks: 7
	tc.input(".EWA 1:1(0) ack 3953 win 50000 <ECN e0b 1977 ceb 1976 e1b 1>")
	if i := tc.c.Info(tc.now); i.DeliveredCE != 2 || i.DeliveredCEBytes != 1976 || !tc.c.ecn.send {
		t.Errorf("ECN-capable %v: %+v", tc.c.ecn.send, i)
	}
	tc.input(".EWA 1:1(0) ack 4941 win 50000 <ECN e0b 1977 ceb 2964 e1b 1>") // bytes, and no packet
	if tc.c.ecn.send {
		t.Error("bytes were marked, packets were not, and it goes on")
	}
}

// wantExactFeedback compares what one end of a channel has counted with what the
// other one was told of.
func wantExactFeedback(t *testing.T, ch *channel) {
	t.Helper()
	told, got := ch.ends[0].c.Info(ch.now), ch.ends[1].c.Info(ch.now)
	if got.ReceivedCE == 0 || told.DeliveredCE != got.ReceivedCE ||
		told.DeliveredCEBytes != got.ReceivedCEBytes || told.DeliveredE0Bytes != got.ReceivedE0Bytes {
		t.Errorf("%d marks arrived, %d were told of; bytes: %d and %d with CE, %d and %d with ECT(0)", got.ReceivedCE, told.DeliveredCE,
			got.ReceivedCEBytes, told.DeliveredCEBytes, got.ReceivedE0Bytes, told.DeliveredE0Bytes)
	}
}

// Each packet is marked, acknowledgments are lost in rows longer than the counter
// counts where many segments are in flight (as with BBR, which takes no notice of
// marks), and what the sender knows in the end is exact: the option says how often the
// counter went round. Without it the sender may take it for more, never for less.
func TestFeedbackStaysExact(t *testing.T) {
	for _, a := range []*Algorithm{cubicAlgorithm, dctcpAlgorithm, bbrAlgorithm} {
		for _, tt := range []struct {
			name string
			when AccECNOption
			lose int // so many acknowledgments of each sixteen
			mark int // one packet of so many
		}{
			{"all marked", AccECNOptionAlways, 0, 1},
			{"all marked, option as needed", AccECNOptionNeeded, 0, 1},
			{"all marked, no option", AccECNOptionNever, 0, 1},
			{"all marked, acknowledgments lost", AccECNOptionAlways, 15, 1},
			{"all marked, acknowledgments lost, option as needed", AccECNOptionNeeded, 15, 1},
			{"some marked, acknowledgments lost", AccECNOptionAlways, 15, 9},
			{"all marked, acknowledgments lost, no option", AccECNOptionNever, 12, 1},
		} {
			t.Run(a.Name+"/"+tt.name, func(t *testing.T) {
				p := path{rate: 12_500_000, rtt: 10 * time.Millisecond, queue: time.Second}
				ch := p.channel(t, 1, a)
				data, acks := 0, 0
				ch.drop = func(from int, seg *Segment) bool {
					if len(seg.Payload) == 0 {
						acks++
						return from == 1 && ch.ends[0].c.fl.len() > 16 && acks%16 < tt.lose
					}
					if data++; seg.ECN != 0 && data%tt.mark == 0 {
						seg.ECN = ecnCE
					}
					return false
				}
				ch.ends[0].p.MTUProbing.Mode = MTUProbeNever // so many losses seem a black hole
				for i, e := range ch.ends {
					e.p.ECN, e.p.AccECNOption = []ECNMode{ECNAccurate, ECNAccuratePassive}[i], tt.when
				}
				ch.ends[0].send = 1 << 20
				ch.connect(1500, 0)
				for ch.ends[1].c == nil || !ch.ends[1].eof || ch.ends[0].c.snd.una != ch.ends[0].c.snd.nxt {
					if !ch.step() {
						t.Fatal(ch.describe())
					}
				}
				if tt.when != AccECNOptionNever {
					wantExactFeedback(t, ch)
					return
				}
				told, got := ch.ends[0].c.Info(ch.now).DeliveredCE, ch.ends[1].c.Info(ch.now).ReceivedCE
				if got == 0 || told < got || tt.lose == 0 && told != got {
					t.Errorf("%d marks arrived, %d were told of", got, told)
				}
			})
		}
	}
}
