package tcp

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"example.com/berth/internal/buffer"
	"example.com/berth/internal/header"
	"example.com/berth/internal/seqnum"
	"example.com/berth/socket"
)

// A conversation is a test of one connection: what the peer says, what the user
// calls, what the connection is to answer. Segments are written as packetdrill
// and tcpdump write them:
//
//	S. 0:0(0) ack 1 win 65535 <mss 1460,sackOK,TS val 10 ecr 0,wscale 7>
//
// Flags are S F R P U E (ECE) W (CWR) A (AE) and . for ACK; "ecn 3" is the mark in the
// IP header; sequence numbers are relative to the
// initial ones of their direction, and so are those of SACK blocks. In what is
// wanted, window and options are compared where they are mentioned; PSH is not
// compared unless wanted; "ack" must agree in any case.
type conversation struct {
	t   testing.TB
	c   *Conn
	r   *Request // a handshake, before there is a connection
	p   *Params
	now time.Duration

	irs, iss seqnum.Value
	tsOffset uint32
	sent     []Segment // not yet wanted
	result   Result
	written  byte // counter of the pattern that the user writes
}

const (
	testISS = seqnum.Value(0xfffffff0) // sequence numbers wrap early
	testIRS = seqnum.Value(0x7ffffff8)
)

// talk begins a conversation with a connection in CLOSED.
func talk(t testing.TB, change ...func(*Params)) *conversation {
	p := DefaultParams()
	p.Algorithms = []*Algorithm{renoAlgorithm} // its numbers are easy to follow
	for _, f := range change {
		f(p)
	}
	tc := &conversation{t: t, p: p, now: time.Hour, iss: testISS, irs: testIRS, tsOffset: 1000}
	tc.c = NewConn(p)
	return tc
}

func (tc *conversation) opening() Opening {
	return Opening{ISS: tc.iss, TSOffset: tc.tsOffset, MTU: 1500}
}

// connect is the active open; the SYN is wanted.
func (tc *conversation) connect() *conversation {
	tc.t.Helper()
	if err := tc.c.Connect(tc.now, tc.opening()); err != nil {
		tc.t.Fatal(err)
	}
	tc.pull()
	tc.want("S 0:0(0)")
	return tc
}

// accept is the passive open by a SYN without a Request before it; nothing is
// wanted yet.
func (tc *conversation) accept(syn string) *conversation {
	tc.t.Helper()
	seg := tc.parse(syn, true)
	if v := ListenInput(&seg); v != Open {
		tc.t.Fatalf("LISTEN does not open for %q: %v", syn, v)
	}
	tc.c = Passive(tc.p, tc.now, tc.opening(), &seg, tc.c.Options())
	tc.pull()
	return tc
}

// The options that the peer of established offers.
const (
	allOptions = "<mss 1460,sackOK,TS val 100 ecr 0,wscale 7>"
	sackOnly   = "<mss 1000,sackOK>"
	noOptions  = "<mss 1000>"
)

// set changes options of the connection that no method sets.
func (tc *conversation) set(change func(*Options)) {
	o := *tc.c.Options()
	change(&o)
	tc.c.SetOptions(o)
}

// established begins a conversation in ESTABLISHED: opened by the peer with
// these options, and a window of 50000 bytes.
func established(t testing.TB, options string, change ...func(*Params)) *conversation {
	t.Helper()
	tc := talk(t, change...)
	tc.begin("S 0:0(0) win 50000 " + options)
	tc.want("S. 0:0(0) ack 1")
	win := 50000
	if strings.Contains(options, "wscale 7") {
		win >>= 7
	}
	tc.input(fmt.Sprintf(". 1:1(0) ack 1 win %d", win))
	tc.wantState(socket.TCP_ESTABLISHED)
	tc.wantNothing()
	return tc
}

// input is a segment from the peer.
func (tc *conversation) input(s string) {
	tc.t.Helper()
	seg := tc.parse(s, true)
	if tc.r != nil {
		tc.inputRequest(&seg)
		return
	}
	tc.result = tc.c.Input(tc.now, &seg)
	tc.pull()
}

// inputs are several segments between which the connection is not asked for
// what it sends.
func (tc *conversation) inputs(all ...string) {
	tc.t.Helper()
	for _, s := range all {
		seg := tc.parse(s, true)
		tc.c.Input(tc.now, &seg)
	}
	tc.pull()
}

func (tc *conversation) pull() {
	tc.t.Helper()
	var seg Segment
	for i := 0; tc.c.Next(tc.now, &seg); i++ {
		if seg.Len() > 0 && len(seg.Payload) > 0 && seg.Buffer == nil {
			tc.t.Fatal("a payload without its buffer")
		}
		seg.Payload = append([]byte(nil), seg.Payload...)
		seg.Buffer.Release()
		seg.Buffer = nil
		tc.sent = append(tc.sent, seg)
		if i > 10000 {
			tc.t.Fatal("Next does not end")
		}
	}
}

// want says what the connection sends next.
func (tc *conversation) want(s string) Segment {
	tc.t.Helper()
	if len(tc.sent) == 0 {
		tc.t.Fatalf("at %v: nothing sent, want %s", tc.now-time.Hour, s)
	}
	got := tc.sent[0]
	tc.sent = tc.sent[1:]
	if !tc.matches(s, &got) {
		tc.t.Fatalf("at %v:\nsent %s\nwant %s", tc.now-time.Hour, tc.format(&got), s)
	}
	return got
}

// wantNothing says that nothing more is sent.
func (tc *conversation) wantNothing() {
	tc.t.Helper()
	for _, s := range tc.sent {
		tc.t.Errorf("at %v: sent %s, want nothing", tc.now-time.Hour, tc.format(&s))
	}
	if len(tc.sent) > 0 {
		tc.t.FailNow()
	}
}

// skip drops what was sent, and returns it.
func (tc *conversation) skip() []Segment {
	s := tc.sent
	tc.sent = nil
	return s
}

func (tc *conversation) wantState(s socket.TCPState) {
	tc.t.Helper()
	if got := tc.state(); got != s {
		tc.t.Fatalf("state %v, want %v", got, s)
	}
}

// write writes n bytes of a pattern, all of which must fit.
func (tc *conversation) write(n int) {
	tc.t.Helper()
	b := make([]byte, n)
	for i := range b {
		b[i] = tc.written
		tc.written++
	}
	if got, err := tc.c.Write(tc.now, b, false); got != n || err != nil {
		tc.t.Fatalf("Write of %d: %d, %v", n, got, err)
	}
	tc.pull()
}

// read reads exactly n bytes.
func (tc *conversation) read(n int) []byte {
	tc.t.Helper()
	b := make([]byte, n+1)
	got, err := tc.c.Read(tc.now, b)
	if got != n || err != nil {
		tc.t.Fatalf("Read: %d, %v; want %d", got, err, n)
	}
	tc.pull()
	return b[:n]
}

func (tc *conversation) wantReadError(want error) {
	tc.t.Helper()
	n, err := tc.c.Read(tc.now, make([]byte, 10))
	if n != 0 || err != want {
		tc.t.Fatalf("Read: %d, %v; want %v", n, err, want)
	}
}

func (tc *conversation) close()           { tc.c.Close(tc.now); tc.pull() }
func (tc *conversation) closeWrite()      { _ = tc.c.CloseWrite(tc.now); tc.pull() }
func (tc *conversation) wantEOF()         { tc.t.Helper(); tc.wantReadError(nil) }
func (tc *conversation) wantAgain()       { tc.t.Helper(); tc.wantReadError(syscall.EAGAIN) }
func (tc *conversation) count() *Counters { return tc.p.Counters }

// advance lets time pass, with the timers that are due in it.
func (tc *conversation) advance(d time.Duration) {
	tc.t.Helper()
	end := tc.now + d
	for i := 0; ; i++ {
		at := tc.c.Deadline()
		if at == 0 || at > end {
			break
		}
		tc.fire()
		if i > 1000 {
			tc.t.Fatal("timers do not end")
		}
	}
	tc.now = end
}

// fire goes to the next deadline and runs what is due.
func (tc *conversation) fire() {
	tc.t.Helper()
	if tc.r != nil {
		tc.fireRequest()
		return
	}
	at := tc.c.Deadline()
	if at == 0 {
		tc.t.Fatal("no timer is armed")
	}
	tc.now = max(tc.now, at)
	if tc.c.Timer(tc.now); tc.c.excused { // the test let it pass
		tc.now = tc.c.Deadline()
		tc.c.Timer(tc.now)
	}
	tc.pull()
	if d := tc.c.Deadline(); d != 0 && d <= tc.now && len(tc.sent) == 0 {
		tc.t.Fatalf("at %v: the deadline %v stays in the past", tc.now, d)
	}
}

// wantDeadline says how far ahead the next deadline is.
func (tc *conversation) wantDeadline(d time.Duration) {
	tc.t.Helper()
	at := tc.c.Deadline()
	if d == 0 && at != 0 || d != 0 && at != tc.now+d {
		tc.t.Fatalf("the next deadline is in %v, want %v", at-tc.now, d)
	}
}

// parse reads a segment; in says that it is the peer's.
func (tc *conversation) parse(s string, in bool) Segment {
	tc.t.Helper()
	mine, other := tc.iss, tc.irs
	if in {
		mine, other = other, mine
	}
	head, opts, _ := strings.Cut(s, "<")
	f := strings.Fields(head)
	var seg Segment
	for _, r := range f[0] {
		i := strings.IndexRune("FSRP.UEWA", r)
		if i < 0 && r != '-' {
			tc.t.Fatalf("flags in %q", s)
		}
		if i >= 0 {
			seg.Flags |= header.TCPFlags(1) << i
		}
	}
	var a, b, n int
	if _, err := fmt.Sscanf(f[1], "%d:%d(%d)", &a, &b, &n); err != nil || b-a != n {
		tc.t.Fatalf("sequence in %q", s)
	}
	seg.Seq = mine.Add(a)
	if n > 0 {
		seg.Payload = pattern(a, n)
	}
	for i := 2; i+1 < len(f); i += 2 {
		v, err := strconv.Atoi(f[i+1])
		if err != nil {
			tc.t.Fatalf("number in %q", s)
		}
		switch f[i] {
		case "ack":
			seg.Ack = other.Add(v)
		case "win":
			seg.Window = uint16(v)
		case "urg":
			seg.Urgent = uint16(v)
		case "ecn":
			seg.ECN = uint8(v)
		default:
			tc.t.Fatalf("%q in %q", f[i], s)
		}
	}
	tc.parseOptions(strings.TrimSuffix(opts, ">"), &seg, other)
	return seg
}

func (tc *conversation) parseOptions(s string, seg *Segment, other seqnum.Value) {
	tc.t.Helper()
	o := &seg.Options
	for _, opt := range strings.Split(s, ",") {
		f := strings.Fields(opt)
		if len(f) == 0 {
			continue
		}
		num := func(i int) int64 {
			v, err := strconv.ParseInt(f[i], 10, 64)
			if err != nil {
				tc.t.Fatalf("option %q", opt)
			}
			return v
		}
		switch f[0] {
		case "mss":
			o.MSS = uint16(num(1))
		case "sackOK":
			o.SACKPermitted = true
		case "wscale":
			o.HasWScale, o.WScale = true, uint8(num(1))
		case "TS": // TS val 1 ecr 2
			o.HasTS, o.TSVal, o.TSEcr = true, uint32(num(2)), uint32(num(4))
		case "sack": // sack 1:2 3:4
			for _, b := range f[1:] {
				var l, r int
				if _, err := fmt.Sscanf(b, "%d:%d", &l, &r); err != nil {
					tc.t.Fatalf("option %q", opt)
				}
				o.SACK[o.SACKCount] = header.SACKBlock{Left: other.Add(l), Right: other.Add(r)}
				o.SACKCount++
			}
		case "ECN": // ECN e0b 1 ceb 2 e1b 3
			o.AccECN.Order = header.AccECN1
			if len(f) == 1 || f[1] == "e0b" {
				o.AccECN.Order = header.AccECN0
			}
			o.AccECN.Fields = uint8(len(f) / 2)
			for i := 1; i < len(f); i += 2 {
				*map[string]*uint32{"e0b": &o.AccECN.ECT0, "ceb": &o.AccECN.CE, "e1b": &o.AccECN.ECT1}[f[i]] = uint32(num(i + 1))
			}
		case "nosack", "noECN":
		default:
			tc.t.Fatalf("option %q", opt)
		}
	}
}

// pattern is what the peer sends: byte i of its stream has the value i.
func pattern(seq, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(seq + i)
	}
	return b
}

// matches compares what was sent with what is wanted.
func (tc *conversation) matches(want string, got *Segment) bool {
	tc.t.Helper()
	w := tc.parse(want, false)
	gotFlags := got.Flags
	if !w.has(header.PSH) {
		gotFlags &^= header.PSH
	}
	if gotFlags != w.Flags || got.Seq != w.Seq || len(got.Payload) != len(w.Payload) {
		return false
	}
	if w.has(header.ACK) && got.Ack != w.Ack {
		return false
	}
	if strings.Contains(want, "win ") && got.Window != w.Window ||
		strings.Contains(want, "ecn ") && got.ECN != w.ECN ||
		w.has(header.URG) && got.Urgent != w.Urgent {
		return false
	}
	return tc.matchOptions(want, &w.Options, &got.Options)
}

func (tc *conversation) matchOptions(want string, w, g *header.TCPOptions) bool {
	for name, same := range map[string]bool{
		"mss ":    w.MSS == g.MSS,
		"sackOK":  w.SACKPermitted == g.SACKPermitted,
		"wscale ": w.HasWScale == g.HasWScale && w.WScale == g.WScale,
		"TS ":     w.HasTS == g.HasTS && w.TSVal == g.TSVal && w.TSEcr == g.TSEcr,
		"sack ":   w.SACKCount == g.SACKCount && w.SACK == g.SACK,
		"nosack":  g.SACKCount == 0,
		"<ECN":    sameAccECN(w, g),
		",ECN":    sameAccECN(w, g),
		"noECN":   g.AccECN.Order == header.AccECNNone,
		"<>":      *g == header.TCPOptions{},
	} {
		if strings.Contains(want, name) && !same {
			return false
		}
	}
	return true
}

// sameAccECN compares the fields that are in the option.
func sameAccECN(w, g *header.TCPOptions) bool {
	return bytes.Equal((&header.TCPOptions{AccECN: w.AccECN}).Append(nil), (&header.TCPOptions{AccECN: g.AccECN}).Append(nil))
}

// format writes what was sent.
func (tc *conversation) format(s *Segment) string {
	var b strings.Builder
	for i, r := range "FSRP.UEWA" {
		if s.Flags&(1<<i) != 0 {
			b.WriteRune(r)
		}
	}
	seq := s.Seq.Sub(tc.iss)
	fmt.Fprintf(&b, " %d:%d(%d)", seq, seq+len(s.Payload), len(s.Payload))
	if s.has(header.ACK) {
		fmt.Fprintf(&b, " ack %d", s.Ack.Sub(tc.irs))
	}
	fmt.Fprintf(&b, " win %d", s.Window)
	if s.has(header.URG) {
		fmt.Fprintf(&b, " urg %d", s.Urgent)
	}
	o := &s.Options
	var opts []string
	if o.MSS != 0 {
		opts = append(opts, fmt.Sprintf("mss %d", o.MSS))
	}
	if o.SACKPermitted {
		opts = append(opts, "sackOK")
	}
	if o.HasTS {
		opts = append(opts, fmt.Sprintf("TS val %d ecr %d", o.TSVal, o.TSEcr))
	}
	if o.HasWScale {
		opts = append(opts, fmt.Sprintf("wscale %d", o.WScale))
	}
	if a := &o.AccECN; a.Order != header.AccECNNone {
		opts = append(opts, fmt.Sprintf("ECN order %d of %d: e0b %d ceb %d e1b %d", a.Order-1, a.Fields, a.ECT0, a.CE, a.ECT1))
	}
	if o.SACKCount > 0 {
		sack := "sack"
		for _, k := range o.SACK[:o.SACKCount] {
			sack += fmt.Sprintf(" %d:%d", k.Left.Sub(tc.irs), k.Right.Sub(tc.irs))
		}
		opts = append(opts, sack)
	}
	fmt.Fprintf(&b, " <%s>", strings.Join(opts, ","))
	return b.String()
}

// pooled puts a payload into a buffer of a size, as a device does.
func pooled(payload []byte, size int) (*buffer.Buffer, []byte) {
	buf := buffer.Get(max(size, len(payload)))
	return buf, buf.Bytes()[:copy(buf.Bytes(), payload)]
}
