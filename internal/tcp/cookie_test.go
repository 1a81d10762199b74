package tcp

import (
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"example.com/berth/internal/header"
	"example.com/berth/internal/seqnum"
	"example.com/berth/internal/siphash"
	"example.com/berth/socket"
)

var (
	cookieLocal4  = netip.MustParseAddrPort("10.0.0.1:80")
	cookieRemote4 = netip.MustParseAddrPort("192.0.2.1:5000")
	cookieLocal6  = netip.MustParseAddrPort("[fd00::1]:80")
	cookieRemote6 = netip.MustParseAddrPort("[2001:db8::1]:5000")
)

// A flood is a listener in one, and a peer who calls it.
type flood struct {
	*conversation
	jar           CookieJar
	local, remote netip.AddrPort
}

func flooded(t testing.TB, change ...func(*Params)) *flood {
	tc := talk(t, change...)
	return &flood{tc, CookieJar{Params: tc.p, Key: siphash.Key{K0: 1, K1: 2}}, cookieLocal4, cookieRemote4}
}

// call is the peer's SYN, and returns the answer. ISS is the cookie afterwards.
func (f *flood) call(syn string) Segment {
	f.t.Helper()
	seg := f.parse(syn, true)
	var out Segment
	f.jar.SynAck(f.now, f.local, f.remote, f.opening(), &seg, f.c.Options(), &out)
	f.iss = out.Seq
	return out
}

// answer is the peer's acknowledgment of the cookie. It tells whether that opened
// a connection.
func (f *flood) answer(ack string) bool {
	f.t.Helper()
	seg := f.parse(ack, true)
	c := f.jar.Open(f.now, f.local, f.remote, f.opening(), &seg, f.c.Options())
	if c == nil {
		return false
	}
	f.c = c
	f.c.Input(f.now, &seg)
	f.pull()
	f.wantState(socket.TCP_ESTABLISHED)
	return true
}

// What a SYN asks for is known when the acknowledgment has come, though nothing
// was kept of it.
func TestCookieKeepsWhatWasNegotiated(t *testing.T) {
	type terms struct {
		mss                 int
		sack, ts, ws, ecn   bool
		sndWScale, rcvScale uint8
	}
	for _, tt := range []struct {
		syn  string
		want terms
	}{
		{"S 0:0(0) win 1000 <mss 1460,sackOK,TS val 100 ecr 0,wscale 9>", terms{mss: 1448, sack: true, ts: true, ws: true, sndWScale: 9, rcvScale: 7}},
		{"S 0:0(0) win 1000 <mss 1460,sackOK,TS val 100 ecr 0,wscale 14>", terms{mss: 1448, sack: true, ts: true, ws: true, sndWScale: 14, rcvScale: 7}},
		{"SEW 0:0(0) win 1000 <mss 1460,sackOK,TS val 100 ecr 0,wscale 0>", terms{mss: 1448, sack: true, ts: true, ws: true, ecn: true, rcvScale: 7}},
		// A host without accurate ECN grants the classic one (RFC 9768, table 2).
		{"SEWA 0:0(0) win 1000 <mss 1460,sackOK,TS val 100 ecr 0,wscale 0>", terms{mss: 1448, sack: true, ts: true, ws: true, ecn: true, rcvScale: 7}},
		{"S 0:0(0) win 1000 <mss 1459,TS val 100 ecr 0>", terms{mss: 1428, ts: true}},
		{"S 0:0(0) win 1000 <mss 1300,sackOK,TS val 100 ecr 0>", terms{mss: 1288, sack: true, ts: true}},
		{"S 0:0(0) win 1000 <mss 9000,sackOK,wscale 7>", terms{mss: 1460}}, // nothing to put it in
		{"SEW 0:0(0) win 1000 <mss 1000>", terms{mss: 536}},
		{"S 0:0(0) win 1000", terms{mss: 536}},
	} {
		f := flooded(t)
		synack := f.call(tt.syn)
		ack := ". 1:1(0) ack 1 win 500"
		seg := f.parse(ack, true)
		if synack.Options.HasTS {
			seg.Options.HasTS, seg.Options.TSVal, seg.Options.TSEcr = true, 101, synack.Options.TSVal
		}
		f.now += 50 * time.Millisecond
		f.c = f.jar.Open(f.now, f.local, f.remote, f.opening(), &seg, f.c.Options())
		if f.c == nil {
			t.Fatalf("%s: the cookie is not taken", tt.syn)
		}
		f.c.Input(f.now, &seg)
		i := f.c.Info(f.now)
		got := terms{int(i.SndMSS), i.SACK, i.Timestamps, i.WindowScale, i.ECN, i.SndWScale, i.RcvWScale}
		if got != tt.want {
			t.Errorf("%s: %+v, want %+v", tt.syn, got, tt.want)
		}
		if want := 500 << i.SndWScale; int(i.SndWnd) != want {
			t.Errorf("%s: SND.WND %d, want %d", tt.syn, i.SndWnd, want)
		}
		if o := synack.Options; o.SACKPermitted != tt.want.sack || o.HasWScale != tt.want.ws || o.HasWScale && o.WScale != i.RcvWScale ||
			(synack.Flags&header.ECE != 0) != tt.want.ecn {
			t.Errorf("%s: the SYN,ACK %+v offers something else than %+v", tt.syn, synack, got)
		}
	}
}

// The timestamp of a cookie is not ahead of the clock, and hardly behind it.
func TestCookieTimestampIsOfItsTime(t *testing.T) {
	for now := time.Hour; now < time.Hour+time.Second; now += time.Millisecond {
		for _, bits := range []uint32{0, cookieBits, cookieNoWScale | cookieSACK} {
			ts, clock := cookieClock(now, bits), uint32(now/tsTick)
			if age := int32(clock - ts); age < 0 || age > cookieBits+1 || ts&cookieBits != bits {
				t.Fatalf("at %d the timestamp for %b is %d", clock, bits, ts)
			}
		}
	}
}

// A connection by a cookie moves data, with SACK and a scaled window.
func TestCookieConnectionTransfersData(t *testing.T) {
	f := flooded(t)
	synack := f.call("S 0:0(0) win 1000 " + allOptions)
	f.tsOffset = 0
	f.now += 50 * time.Millisecond
	ack := f.parse("P. 1:101(100) ack 1 win 500 <TS val 101 ecr 0>", true)
	ack.Options.TSEcr = synack.Options.TSVal
	if f.c = f.jar.Open(f.now, f.local, f.remote, Opening{MTU: 1500, TSOffset: 1000}, &ack, f.c.Options()); f.c == nil {
		t.Fatal("no connection")
	}
	f.c.Input(f.now, &ack) // data in the ACK of the handshake
	f.pull()
	f.want(". 1:1(0) ack 101")
	f.read(100)
	f.write(20000)
	n := 0
	for _, s := range f.skip() {
		n += len(s.Payload)
	}
	if n != 10*1448 {
		t.Errorf("%d bytes in the first flight", n)
	}
	f.input("P. 201:301(100) ack 1 win 500 <TS val 102 ecr 0>")
	if s := f.skip(); len(s) == 0 || s[0].Options.SACKCount != 1 {
		t.Errorf("no SACK for what came out of order: %+v", s)
	}
}

// A cookie is good for its ends, its sequence number and its minutes only.
//
// DEF-24.
func TestCookieIsGoodForOneHandshake(t *testing.T) {
	const syn, ack = "S 0:0(0) win 1000 <mss 1460>", ". 1:1(0) ack 1 win 1000"
	for _, tt := range []struct {
		name   string
		change func(f *flood)
		good   bool
	}{
		{"as it is", func(*flood) {}, true},
		{"a minute later", func(f *flood) { f.now += time.Minute }, true},
		{"two minutes later", func(f *flood) { f.now += 2 * time.Minute }, false},
		{"from another port", func(f *flood) { f.remote = netip.AddrPortFrom(f.remote.Addr(), 5001) }, false},
		{"from another address", func(f *flood) { f.remote = netip.MustParseAddrPort("192.0.2.2:5000") }, false},
		{"to another port", func(f *flood) { f.local = netip.MustParseAddrPort("10.0.0.1:81") }, false},
		{"to another address", func(f *flood) { f.local = netip.MustParseAddrPort("10.0.0.2:80") }, false},
		{"of another sequence number", func(f *flood) { f.irs++ }, false},
		{"off by four", func(f *flood) { f.iss += 4 }, false},
		{"of another host", func(f *flood) { f.jar.Key.K1++ }, false},
	} {
		f := flooded(t)
		f.call(syn)
		tt.change(f)
		if good := f.answer(ack); good != tt.good {
			t.Errorf("%s: %v", tt.name, good)
		}
	}
	for _, bad := range []string{"S. 1:1(0) ack 1 win 1000", "R. 1:1(0) ack 1", "F 1:1(0)"} {
		f := flooded(t)
		f.call(syn)
		if f.answer(bad) {
			t.Errorf("%s opened a connection", bad)
		}
	}
}

// Who guesses does not get in: of 10^7 random acknowledgments none is taken,
// where 0.02 are to be expected.
//
// DEF-24.
func TestCookiesAreNotGuessed(t *testing.T) {
	n := 10_000_000
	if testing.Short() || raceEnabled {
		n = 200_000
	}
	f := flooded(t)
	rnd := rand.New(rand.NewPCG(1, 2))
	for _, ends := range [][2]netip.AddrPort{{cookieLocal4, cookieRemote4}, {cookieLocal6, cookieRemote6}} {
		for range n / 2 {
			r := rnd.Uint64()
			seg := Segment{Flags: header.ACK, Seq: seqnum.Value(r), Ack: seqnum.Value(r >> 32)}
			if f.jar.Open(f.now, ends[0], ends[1], f.opening(), &seg, f.c.Options()) != nil {
				t.Fatalf("seq %d ack %d opened a connection", seg.Seq, seg.Ack)
			}
		}
	}
}

// Cookies of a peer's next port, next sequence number or next minute have nothing
// to do with each other.
func TestCookiesTellNothing(t *testing.T) {
	f := flooded(t)
	seen := make(map[seqnum.Value]bool)
	steps := make(map[seqnum.Value]bool)
	last := seqnum.Value(0)
	note := func() {
		f.call("S 0:0(0) win 1000 <mss 1460>")
		seen[f.iss], steps[f.iss-last] = true, true
		last = f.iss
	}
	for range 300 {
		f.remote = netip.AddrPortFrom(f.remote.Addr(), f.remote.Port()+1)
		note()
		f.irs++
		note()
		f.now += time.Minute
		note()
	}
	if len(seen) != 900 || len(steps) != 900 {
		t.Errorf("of 900 cookies %d are different, with %d steps between them", len(seen), len(steps))
	}
}

// Nothing is allocated for a SYN, nor for an acknowledgment without a cookie.
func TestCookiesAllocateNothing(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	f := flooded(t)
	syn := f.parse("S 0:0(0) win 1000 "+allOptions, true)
	ack := f.parse(". 1:1(0) ack 1 win 1000", true)
	o, opts := f.opening(), f.c.Options()
	var out Segment
	if n := testing.AllocsPerRun(100, func() {
		f.jar.SynAck(f.now, f.local, f.remote, o, &syn, opts, &out)
		if f.jar.Open(f.now, f.local, f.remote, o, &ack, opts) != nil {
			t.Fatal("a connection")
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
