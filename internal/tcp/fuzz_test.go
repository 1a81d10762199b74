package tcp

import (
	"encoding/binary"
	"syscall"
	"testing"
	"time"

	"example.com/berth/internal/buffer"
	"example.com/berth/internal/header"
	"example.com/berth/internal/seqnum"
	"example.com/berth/socket"
)

// A script of a fuzzer is a stream of operations on a live connection, each a
// byte and its arguments.
type script struct{ b []byte }

func (s *script) byte() int {
	if len(s.b) == 0 {
		return 0
	}
	x := s.b[0]
	s.b = s.b[1:]
	return int(x)
}

func (s *script) short() int { return s.byte()<<8 | s.byte() }

// fuzzed is a connection with what must hold of it.
type fuzzed struct {
	t   *testing.T
	p   *Params
	c   *Conn
	now time.Duration
}

// FuzzConn feeds a live connection a stream of operations and segments. It must
// not panic, hold more memory than it may, answer a reset, or answer a segment
// more than once; its deadline must not stay in the past; and what is read is
// what the peer's stream has at that place.
//
// DEF-22.
func FuzzConn(f *testing.F) {
	for _, seed := range [][]byte{
		{},
		{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
		{1, 3, 16, 0, 0, 0, 0, 1, 0, 200, 2, 100, 1, 3, 17, 0, 0, 0, 0, 4, 5, 5},
		{1, 2, 16, 0, 10, 0, 0, 1, 2, 16, 0, 0, 0, 0, 10, 3, 5, 5, 1, 1, 17, 0, 0, 0, 0, 0, 7, 5, 9},
		{2, 255, 255, 1, 0, 16, 0, 0, 1, 144, 0, 0, 5, 1, 0, 16, 0, 0, 0, 1, 0, 0, 6, 5, 5, 5},
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		s := &script{b}
		z := &fuzzed{t: t, now: time.Hour, p: DefaultParams()}
		z.p.Budget = buffer.NewBudget(4 << 20)
		z.p.RcvBuf.Max, z.p.SndBuf.Max = 1<<20, 1<<20
		z.open(s)
		for n := 0; len(s.b) > 0 && n < 3000; n++ {
			z.step(s)
			z.check()
		}
		z.c.Close(z.now)
		z.end()
	})
}

const (
	fuzzISS = seqnum.Value(0xffffff00)
	fuzzIRS = seqnum.Value(0x7fffff00)
)

func (z *fuzzed) open(s *script) {
	how := s.byte()
	syn := Segment{Seq: fuzzIRS, Flags: header.SYN, Window: 60000}
	syn.Options.MSS = uint16(s.short())
	syn.Options.SACKPermitted = how&1 != 0
	syn.Options.HasTS = how&2 != 0
	syn.Options.HasWScale, syn.Options.WScale = how&4 != 0, uint8(how>>5)
	o := Opening{ISS: fuzzISS, MTU: 300 + s.short()%9000, IPv6: how&8 != 0}
	if how&16 != 0 {
		o.LargeSend = 20000
	}
	opening := s.byte()
	if opening&2 != 0 {
		z.p.ECN = ECNOn
		syn.Flags |= header.ECE
	}
	if opening&16 != 0 {
		z.p.ECN = ECNAccurate
		syn.Flags |= withACE(uint8(opening >> 5))
	}
	if opening&128 != 0 {
		z.p.MTUProbing.Mode = MTUProbeAlways
	}
	all := Algorithms()
	z.p.Algorithms = append(all[opening>>2&3:], all...)
	if opening&1 != 0 {
		z.c = NewConn(z.p)
		_ = z.c.Connect(z.now, o)
		z.pull(nil)
		syn.Flags |= header.ACK
		syn.Ack = fuzzISS + 1
		z.input(&syn)
		return
	}
	syn.Flags |= syn.Flags & header.ECE << 1 // and CWR
	z.c = Passive(z.p, z.now, o, &syn, nil)
	z.pull(nil)
	z.input(&Segment{Seq: fuzzIRS + 1, Ack: fuzzISS + 1, Flags: header.ACK, Window: 60000})
}

// step is one operation.
func (z *fuzzed) step(s *script) {
	c := z.c
	switch op := s.byte() % 16; op {
	case 0, 1, 2, 3, 4:
		seg := z.segment(s)
		z.input(&seg)
		return
	case 5, 6:
		z.now += time.Duration(s.byte()) << (s.byte() % 30)
		c.Timer(z.now)
	case 7:
		if d := c.Deadline(); d > z.now {
			z.now = d
		}
		c.Timer(z.now)
	case 8, 9:
		_, _ = c.Write(z.now, make([]byte, s.short()), s.byte()&7 == 0)
	case 10:
		z.readSome(s)
	case 11:
		z.options(s)
	case 12:
		c.SetMTU(z.now, s.short(), c.snd.una.Add(s.byte()), s.byte()&1 == 0)
	case 13:
		c.Error(z.now, syscall.EHOSTUNREACH, s.byte()&1 == 0, c.snd.una.Add(s.byte()))
	case 14:
		switch s.byte() & 31 {
		case 0:
			c.Abort(z.now)
		case 1:
			c.Close(z.now)
		case 2, 3:
			_ = c.CloseWrite(z.now)
		case 4:
			_ = c.CloseRead()
		case 5:
			_, _ = c.WriteUrgent(z.now, make([]byte, s.byte()))
		}
	case 15:
		c.Info(z.now)
		_ = c.TakeError()
	}
	z.pull(nil)
}

func (z *fuzzed) options(s *script) {
	c := z.c
	switch n := s.short(); s.byte() % 10 {
	case 0:
		c.SetNoDelay(n&1 == 0)
	case 1:
		c.SetCork(n&1 == 0)
		c.SetOOBInline(n&2 != 0)
	case 2:
		c.SetKeepAlive(z.now, n&1 == 0)
	case 3:
		c.SetUserTimeout(z.now, time.Duration(n%7200)*time.Second)
	case 4:
		c.SetRcvBuf(max(n, 2048))
	case 5:
		c.SetSndBuf(max(n, 2048))
	case 6:
		c.SetQuickAck(n&1 == 0)
	case 7:
		c.SetMaxSeg(n)
	case 8:
		all := Algorithms()
		_ = c.SetCongestion(z.now, all[n%len(all)].Name)
	case 9:
		c.SetMaxPacingRate(uint64(n) << (n & 15))
	}
}

// segment is one of the peer, mostly near the windows.
func (z *fuzzed) segment(s *script) Segment {
	seg := Segment{
		Flags:  header.TCPFlags(s.byte()),
		Seq:    z.c.rcv.nxt.Add(int(int16(s.short()))),
		Ack:    z.c.snd.una.Add(int(int16(s.short()))),
		Window: uint16(s.short()),
		Urgent: uint16(s.byte()) << 4,
	}
	how := s.byte()
	seg.ECN = uint8(seg.Seq & 3)
	if seg.Ack&4 != 0 {
		seg.Flags |= header.AE
		seg.Options.AccECN = header.AccECN{Order: header.AccECN1, Fields: uint8(seg.Ack>>3) & 3, CE: uint32(seg.Ack) & 0xffffff, ECT1: 1, ECT0: uint32(seg.Seq) & 0xffffff}
	}
	if how&1 != 0 {
		seg.Seq = z.c.rcv.nxt
	}
	if how&2 != 0 {
		seg.Ack = z.c.snd.nxt
	}
	if how&4 != 0 {
		seg.Flags |= header.ACK
	}
	if how&8 != 0 {
		seg.Flags &^= header.SYN | header.RST | header.FIN
	}
	if z.c.useTS && how&16 != 0 {
		seg.Options.HasTS = true
		seg.Options.TSVal = z.c.tsRecent + uint32(int8(s.byte()))
		seg.Options.TSEcr = z.c.tsAt(z.now) - uint32(s.byte())
	}
	for range how >> 5 & 3 {
		l := z.c.snd.una.Add(int(int16(s.short())))
		seg.Options.SACK[seg.Options.SACKCount] = header.SACKBlock{Left: l, Right: l.Add(s.short())}
		seg.Options.SACKCount++
	}
	if n := s.byte() * 7; n > 0 {
		seg.Payload = make([]byte, n)
		for i := range seg.Payload {
			seg.Payload[i] = fuzzByte(seg.Seq.Add(i).Sub(fuzzIRS))
		}
		if how&128 != 0 {
			seg.Buffer, seg.Payload = pooled(seg.Payload, s.byte()<<8)
		}
	}
	return seg
}

// fuzzByte is byte i of the peer's stream.
func fuzzByte(i int) byte { return byte(i ^ i>>8) }

func (z *fuzzed) input(seg *Segment) {
	reset := seg.has(header.RST)
	buf := seg.Buffer
	before := z.c.State()
	z.c.Input(z.now, seg)
	buf.Release()
	if after := z.c.State(); before == socket.TCP_CLOSE && after != before {
		z.t.Fatalf("%v after CLOSED", after)
	}
	z.pull(&reset)
}

// pull takes out what is sent. After a segment, which may have been a reset,
// there is one answer at most, data aside; of marks DCTCP tells with another.
func (z *fuzzed) pull(answerTo *bool) {
	var out Segment
	answers := 0
	for n := 0; z.c.Next(z.now, &out); n++ {
		z.wellFormed(&out)
		if len(out.Payload) == 0 && !out.has(header.FIN) {
			answers++
		}
		if answerTo != nil && *answerTo && out.has(header.RST) {
			z.t.Fatal("a reset was answered with a reset")
		}
		out.Buffer.Release()
		if n > z.p.SndBuf.Max+100 { // a byte in each is the least
			z.t.Fatal("Next does not end")
		}
	}
	most := 1
	if z.c.ecn.echo && z.c.algorithm().ECN {
		most = 2 // before and after the marks began
	}
	if answerTo != nil && answers > most {
		z.t.Fatalf("%d answers to one segment", answers)
	}
}

// wellFormed looks at a segment that is sent.
func (z *fuzzed) wellFormed(out *Segment) {
	c := z.c
	if len(out.Payload) > 0 && out.Buffer == nil {
		z.t.Fatal("a payload without its buffer")
	}
	if out.has(header.RST) {
		return
	}
	end := out.end()
	if c.snd.nxt.Less(end) || out.Seq.Less(c.snd.una-1) {
		z.t.Fatalf("sent %d:%d outside of SND.UNA %d and SND.NXT %d", out.Seq-c.iss, end-c.iss, c.snd.una-c.iss, c.snd.nxt-c.iss)
	}
	if out.has(header.FIN) && (end != c.snd.nxt || !c.snd.finSent) {
		z.t.Fatalf("FIN at %d, SND.NXT is %d", end-c.iss, c.snd.nxt-c.iss)
	}
	size := len(out.Payload)
	if out.SegSize > 0 {
		size = out.SegSize
	}
	if c.synchronized() && size > 0 && size+out.Options.Len()+c.headers() > max(c.mtu, c.headers()+12+1) {
		z.t.Fatalf("%d bytes with %d of options in an MTU of %d", size, out.Options.Len(), c.mtu)
	}
}

func (z *fuzzed) readSome(s *script) {
	b := make([]byte, s.short())
	peek := s.byte()&3 == 0
	at := z.c.readSeq().Sub(fuzzIRS)
	if z.c.atHole() && len(b) > 0 {
		at++ // the octet at the mark is not in the stream
	}
	read := func() (int, error) { return z.c.Read(z.now, b) }
	if peek {
		read = func() (int, error) { return z.c.Peek(b, 0) }
	}
	n, err := read()
	if err != nil {
		return
	}
	if octet, ok, _ := z.c.ReadUrgent(true); ok {
		if want := fuzzByte((z.c.rcv.up - 1).Sub(fuzzIRS)); octet != want {
			z.t.Fatalf("the urgent byte is %d, want %d", octet, want)
		}
	}
	for i, x := range b[:n] {
		if x != fuzzByte(at+i) {
			z.t.Fatalf("byte %d is %d, want %d", at+i, x, fuzzByte(at+i))
		}
	}
}

// check is what holds after each operation.
func (z *fuzzed) check() {
	c := z.c
	if d := c.Deadline(); d != 0 && d <= z.now {
		c.Timer(z.now)
		z.pull(nil)
		if d := c.Deadline(); d != 0 && d <= z.now {
			z.t.Fatalf("the deadline %v stays in the past of %v: %v", d, z.now, c.deadlines)
		}
	}
	held := c.sendQ.held + c.recvQ.held
	if c.ooo != nil {
		held += c.ooo.held
	}
	if u := z.p.Budget.Used(); u != int64(held) {
		z.t.Fatalf("%d bytes taken from the budget, %d held", u, held)
	}
	if m := c.Memory(); m > 8<<20 {
		z.t.Fatalf("%d bytes of memory", m)
	}
	if c.recvQ.held > 2*max(c.rcvBuf, c.recvQ.queued)+buffer.Large {
		z.t.Fatalf("%d bytes held for %d", c.recvQ.held, c.recvQ.queued)
	}
	c.fl.check(z.t)
	c.Events()
}

// end closes the connection and waits for it to go away, in bounded time and
// with nothing left.
func (z *fuzzed) end() {
	z.pull(nil)
	start := z.now
	for n := 0; !z.c.Done(); n++ {
		d := z.c.Deadline()
		if d == 0 || n > 1000 || z.now-start > 24*time.Hour {
			z.t.Fatalf("%v for ever", z.c.State())
		}
		z.now = max(z.now, d)
		z.c.Timer(z.now)
		z.pull(nil)
	}
	if u := z.p.Budget.Used(); u != 0 {
		z.t.Fatalf("%d bytes are left", u)
	}
	if z.c.Deadline() != 0 {
		z.t.Fatal("a timer is left")
	}
}

// TestRandomScripts runs the fuzz target on random scripts, for a start.
func TestRandomScripts(t *testing.T) {
	for seed := range 400 / raceScale {
		b := make([]byte, 4000)
		x := uint64(seed)*0x9e3779b97f4a7c15 + 1
		for i := 0; i+8 <= len(b); i += 8 {
			x ^= x << 13
			x ^= x >> 7
			x ^= x << 17
			binary.LittleEndian.PutUint64(b[i:], x)
		}
		s := &script{b}
		z := &fuzzed{t: t, now: time.Hour, p: DefaultParams()}
		z.p.Budget = buffer.NewBudget(4 << 20)
		z.p.RcvBuf.Max, z.p.SndBuf.Max = 1<<20, 1<<20
		z.open(s)
		for len(s.b) > 0 {
			z.step(s)
			z.check()
		}
		z.c.Close(z.now)
		z.end()
	}
}
