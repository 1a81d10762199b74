package tcp

import (
	"flag"
	"math/rand/v2"
	"syscall"
	"testing"
	"time"

	"example.com/berth/internal/buffer"
	"example.com/berth/internal/header"
	"example.com/berth/internal/seqnum"
	"example.com/berth/socket"
)

// The model check: two machines back to back, through a channel that does with
// segments what it likes, under users who call what they like. After each step
// the rules below must hold; and when the channel becomes a good one, all must
// come to an end.
var (
	modelSteps = flag.Int("model.steps", 200_000, "how many steps the model check takes")
	modelSeed  = flag.Uint64("model.seed", 1, "the seed of its first run")
)

func TestModel(t *testing.T) {
	steps := *modelSteps / raceScale
	runs := uint64(0)
	for taken := 0; taken < steps && !t.Failed(); runs++ {
		m := newModel(t, *modelSeed+runs)
		taken += m.run()
	}
	t.Logf("%d runs", runs)
}

// model is one run.
type model struct {
	t     *testing.T
	seed  uint64
	rng   *rand.Rand
	now   time.Duration
	ends  [2]*modelEnd
	air   []modelSegment // what is under way, in the order in which it was sent
	good  bool           // the channel has become a good one
	steps int
}

// modelEnd is one machine with its user.
type modelEnd struct {
	c       *Conn
	p       *Params
	iss     seqnum.Value
	written int
	read    int
	eof     bool
	aborted bool // the user has, or the peer has, or nobody answered
	lossy   bool // closed with data that nobody had read
}

type modelSegment struct {
	to   int
	seg  Segment
	data []byte
}

func newModel(t *testing.T, seed uint64) *model {
	m := &model{t: t, seed: seed, rng: rand.New(rand.NewPCG(seed, 0x6d6f64656c)), now: time.Hour}
	for i := range m.ends {
		p := DefaultParams()
		p.Budget = buffer.NewBudget(64 << 20)
		p.RcvBuf.Default, p.RcvBuf.Max = 8<<10<<m.rng.IntN(5), 1<<20
		p.SndBuf.Max = 256 << 10
		all := Algorithms()
		p.Algorithms = append(all[m.rng.IntN(len(all)):], all...)
		if m.rng.IntN(3) == 0 {
			p.ECN = ECNOn
		}
		iss := seqnum.Value(m.rng.Uint32())
		if m.rng.IntN(2) == 0 {
			iss = seqnum.Value(-m.rng.IntN(20000)) // wraps around soon
		}
		m.ends[i] = &modelEnd{p: p, iss: iss}
	}
	return m
}

func (m *model) fatalf(format string, args ...any) {
	m.t.Helper()
	for i, e := range m.ends {
		if e.c != nil {
			r, w := e.c.Queues()
			m.t.Logf("%d: %v, wrote %d, read %d, queues %d and %d, una %d, nxt %d, rcv.nxt %d, wnd %d, deadline %v", i, e.c.State(), e.written, e.read, r, w,
				e.c.snd.una-e.iss, e.c.snd.nxt-e.iss, e.c.rcv.nxt-e.c.irs, e.c.snd.wnd, e.c.Deadline()-m.now)
		}
	}
	m.t.Fatalf("seed %d, step %d: "+format, append([]any{m.seed, m.steps}, args...)...)
}

// run plays one story and returns how many steps it took.
func (m *model) run() int {
	both := m.rng.IntN(5) == 0 // a simultaneous open
	for i, e := range m.ends {
		if i == 0 || both {
			e.c = NewConn(e.p)
			if err := e.c.Connect(m.now, m.opening(e)); err != nil {
				m.fatalf("Connect: %v", err)
			}
			m.pump(i)
		}
	}
	for range 200 + m.rng.IntN(3000) {
		m.step()
		if m.over() {
			break
		}
	}
	m.finish()
	return m.steps
}

func (m *model) opening(e *modelEnd) Opening {
	o := Opening{ISS: e.iss, TSOffset: m.rng.Uint32(), MTU: 576 + m.rng.IntN(8)*200}
	if m.rng.IntN(3) == 0 {
		o.LargeSend = 20000
	}
	return o
}

// step lets one thing happen.
func (m *model) step() {
	switch n := m.rng.IntN(100); {
	case n < 60 && len(m.air) > 0:
		m.deliver(m.anyInAir())
	case n < 66 && len(m.air) > 0: // lost
		m.drop(m.anyInAir())
	case n < 69:
		m.now += time.Duration(m.rng.Int64N(int64(time.Millisecond) << m.rng.IntN(12)))
		m.timers()
	case n < 78:
		m.jump()
	default:
		m.user(m.rng.IntN(2))
	}
	m.steps++
	m.check()
}

// anyInAir is the first that is under way, or, not so often, another.
func (m *model) anyInAir() int {
	if m.rng.IntN(4) > 0 {
		return 0
	}
	return m.rng.IntN(len(m.air))
}

func (m *model) drop(k int) { m.air = append(m.air[:k], m.air[k+1:]...) }

// deliver hands over a segment, which may come again, and may have been cut or
// lost options on the way.
func (m *model) deliver(k int) {
	f := m.air[k]
	if m.good || m.rng.IntN(20) > 0 {
		m.drop(k)
	}
	seg := f.seg
	seg.Payload = append([]byte(nil), f.data...)
	if !m.good {
		m.damage(&seg)
	}
	e := m.ends[f.to]
	var out Segment
	if e.c == nil {
		switch ListenInput(&seg) {
		case Open:
			e.c = Passive(e.p, m.now, m.opening(e), &seg, nil)
			m.pump(f.to)
		case Reset:
			if ResetFor(&seg, &out) {
				m.send(f.to, out)
			}
		}
		return
	}
	before := e.c.State()
	reset := seg.has(header.RST)
	r := e.c.Input(m.now, &seg)
	m.moved(f.to, before, bySegment)
	if reset && e.c.State() == socket.TCP_CLOSE && before != socket.TCP_CLOSE {
		e.aborted = true
	}
	if r.Reopen {
		m.fatalf("%v takes an old SYN for a new one", before)
	}
	if r.Closed && ResetFor(&seg, &out) {
		m.send(f.to, out)
	}
	m.pump(f.to)
}

// damage is what boxes in the middle of a network do to a segment.
func (m *model) damage(seg *Segment) {
	switch m.rng.IntN(40) {
	case 0:
		seg.Options.SACKCount = 0
	case 1:
		if n := len(seg.Payload); n > 1 && !seg.has(header.FIN) && seg.SegSize == 0 {
			seg.Payload = seg.Payload[:1+m.rng.IntN(n-1)]
		}
	case 2:
		seg.ECN = 3
	case 3:
		seg.Flags &^= header.PSH
	case 4:
		if seg.has(header.SYN) {
			seg.Options.SACKPermitted = false
		}
	}
}

// jump lets time pass until the next timer.
func (m *model) jump() {
	var first time.Duration
	for _, e := range m.ends {
		if e.c != nil {
			if d := e.c.Deadline(); d != 0 && (first == 0 || d < first) {
				first = d
			}
		}
	}
	m.now = max(m.now, first)
	m.timers()
}

func (m *model) timers() {
	for i, e := range m.ends {
		if e.c == nil {
			continue
		}
		for n := 0; ; n++ {
			d := e.c.Deadline()
			if d == 0 || d > m.now {
				break
			}
			if n > 10 {
				m.fatalf("the deadline %v stays in the past", d)
			}
			before := e.c.State()
			e.c.Timer(m.now)
			m.moved(i, before, byTime)
			if e.c.State() == socket.TCP_CLOSE && before != socket.TCP_TIME_WAIT {
				e.aborted = true
			}
			m.pump(i)
		}
	}
}

// user is one call of one user.
func (m *model) user(i int) {
	e := m.ends[i]
	if e.c == nil {
		return
	}
	before, edge := e.c.State(), byUser
	switch n := m.rng.IntN(200); {
	case n < 80:
		m.write(i, m.rng.IntN(1+1<<m.rng.IntN(15)), m.rng.IntN(10) == 0)
		edge = byNothing
	case n < 170:
		m.readSome(i, 1+m.rng.IntN(1<<m.rng.IntN(16)))
		edge = byNothing
	case n < 172:
		_ = e.c.CloseWrite(m.now)
	case n < 173:
		m.closeEnd(i)
	case n == 173 && m.rng.IntN(4) == 0:
		e.c.Abort(m.now)
		e.aborted = true
	case n < 176:
		e.c.SetNoDelay(m.rng.IntN(2) == 0)
	case n < 178:
		e.c.SetCork(m.rng.IntN(4) == 0)
	case n < 180:
		e.c.SetRcvBuf(2048 << m.rng.IntN(8))
	case n < 182:
		e.c.SetMTU(m.now, 552+m.rng.IntN(1000), e.c.snd.una, m.rng.IntN(2) == 0)
	case n < 184:
		e.c.Error(m.now, syscall.EHOSTUNREACH, false, e.c.snd.una)
	case n < 186:
		e.c.SetKeepAlive(m.now, m.rng.IntN(2) == 0)
	case n < 188:
		all := Algorithms()
		_ = e.c.SetCongestion(m.now, all[m.rng.IntN(len(all))].Name)
	case n < 189:
		_, _ = e.c.WriteUrgent(m.now, nil)
	}
	m.moved(i, before, edge)
	m.pump(i)
}

func (m *model) write(i, n int, more bool) {
	e := m.ends[i]
	b := make([]byte, n)
	for k := range b {
		b[k] = streamByte(i, e.written+k)
	}
	n, err := e.c.Write(m.now, b, more)
	if err == nil {
		e.written += n
	}
}

func (m *model) readSome(i, n int) {
	e := m.ends[i]
	b := make([]byte, n)
	n, err := e.c.Read(m.now, b)
	if err != nil {
		return
	}
	for k, x := range b[:n] {
		if want := streamByte(1-i, e.read+k); x != want {
			m.fatalf("side %d: byte %d is %d, want %d", i, e.read+k, x, want)
		}
	}
	e.read += n
	e.eof = e.eof || n == 0 && e.c.finRcvd
}

func (m *model) closeEnd(i int) {
	e := m.ends[i]
	unread, _ := e.c.Queues()
	e.lossy = true // what comes from now on nobody reads
	if unread > 0 {
		e.aborted = true
	}
	e.c.Close(m.now)
}

// pump takes out what a side sends.
func (m *model) pump(i int) {
	var seg Segment
	c := m.ends[i].c
	for n := 0; c.Next(m.now, &seg); n++ {
		m.send(i, seg)
		seg.Buffer.Release()
		if n > 10000 {
			m.fatalf("Next does not end")
		}
	}
}

func (m *model) send(from int, seg Segment) {
	f := modelSegment{to: 1 - from, seg: seg, data: append([]byte(nil), seg.Payload...)}
	f.seg.Buffer, f.seg.Payload = nil, nil
	m.air = append(m.air, f)
	if len(m.air) > 300 && !m.good { // a queue that is full
		m.drop(m.rng.IntN(len(m.air)))
	}
}

// over tells whether nothing is left of both connections.
func (m *model) over() bool {
	for _, e := range m.ends {
		if e.c == nil || !e.c.Done() {
			return false
		}
	}
	return len(m.air) == 0
}

// finish makes the channel a good one and the users good ones, who read all there
// is and close. All must end: that is what no deadlock means.
func (m *model) finish() {
	m.good = true
	for n := 0; !m.over(); n++ {
		m.steps++
		if n > 20_000 {
			m.fatalf("no end, %d segments are under way", len(m.air))
		}
		if len(m.air) > 0 {
			m.deliver(0)
		} else if !m.farewell() {
			if m.ends[1].c == nil && m.ends[0].c.Done() {
				break // nobody ever heard of it
			}
			m.jump()
			if m.ends[0].c.Deadline() == 0 && (m.ends[1].c == nil || m.ends[1].c.Deadline() == 0) && len(m.air) == 0 && !m.over() && !m.farewell() && !m.abandon() {
				m.fatalf("a deadlock")
			}
		}
		m.check()
	}
	m.all()
}

// farewell lets the users read what there is, and end. It tells whether that
// changed anything.
func (m *model) farewell() (did bool) {
	for i, e := range m.ends {
		if e.c == nil {
			continue
		}
		was, state := e.read, e.c.State()
		m.readSome(i, 1<<20)
		opened := state != socket.TCP_SYN_SENT && state != socket.TCP_SYN_RECV
		if opened && !e.c.writeShut && e.c.State() != socket.TCP_CLOSE {
			_ = e.c.CloseWrite(m.now)
		}
		m.moved(i, state, byUser)
		m.pump(i)
		did = did || e.read != was || e.c.State() != state
	}
	return did || len(m.air) > 0
}

// abandon has a user close who waits for a peer that is gone without a word, since
// the channel has lost its reset: nothing else would tell (RFC 9293 3.5.1).
func (m *model) abandon() (did bool) {
	for i, e := range m.ends {
		if o := m.ends[1-i]; e.c != nil && !e.c.orphan && o.aborted && o.c.Done() {
			e.aborted, did = true, true
			m.closeEnd(i)
			m.pump(i)
		}
	}
	return did
}

// all says that what was written was read, if nothing ended the connection but
// its users, and that nothing is left.
func (m *model) all() {
	for i, e := range m.ends {
		if e.c == nil {
			continue
		}
		m.readSome(i, 1<<20)
		e.c.Close(m.now)
		m.pump(i)
		if u := e.p.Budget.Used(); u != 0 {
			m.fatalf("side %d holds %d bytes", i, u)
		}
		if d := e.c.Deadline(); d != 0 {
			m.fatalf("side %d has a timer left", i)
		}
		o := m.ends[1-i]
		if o.c == nil || e.aborted || o.aborted || e.lossy || o.lossy {
			continue
		}
		if e.read != o.written {
			m.fatalf("side %d read %d of %d bytes", i, e.read, o.written)
		}
	}
}
