package tcp

import (
	"container/heap"
	"fmt"
	"math/rand/v2"
	"syscall"
	"testing"
	"time"

	"example.com/berth/internal/buffer"
	"example.com/berth/internal/header"
	"example.com/berth/internal/seqnum"
	"example.com/berth/socket"
)

// A channel joins two connections on virtual time, and does to segments what
// networks do.
type channel struct {
	t    testing.TB
	rng  *rand.Rand
	luck *rand.Rand // of the network, apart from that of the users
	now  time.Duration
	ends [2]*side
	q    flights
	n    int // events so far, to order those at one time

	delay, jitter    time.Duration
	loss, twice, mss float64 // probabilities; mss: hand large segments over whole
	cut              float64 // probability that a segment loses its end
	rate             int     // bytes a second each way; 0: no limit
	queue            time.Duration
	mark             time.Duration     // what waits longer is marked, if it can be (ECN); 0: nothing
	busy             *[2]time.Duration // until when each way is; channels may share it
	dropped          int
	noSACK           bool // the option is taken out of SYNs
	drop             func(from int, s *Segment) bool
	trace            func(now time.Duration, from int, s *Segment)
	// late is the probability that a segment is held back until so many later ones
	// of its direction have overtaken it, or for lateHold if there are none.
	late    float64
	lateBy  int
	waiting [2][]overtaken
	// stall tells when a side's machine attends to what is due at a time; nil: at
	// once.
	stall func(side int, at time.Duration) time.Duration
}

// A side is one end with its user.
type side struct {
	c       *Conn
	p       *Params
	isn     seqnum.Value
	send    int // bytes to write in all
	written int
	read    int
	eof     bool
	closed  bool
	err     error
	slow    bool // reads at random times only
	pause   time.Duration
	dead    bool // does not answer any more
}

type flying struct {
	at   time.Duration
	n    int
	to   int // 0, 1: a segment; 2, 3: the user of side 0, 1 wakes
	seg  Segment
	data []byte
}

// lateHold is how long a segment waits at most for others to overtake it.
const lateHold = 10 * time.Millisecond

// An overtaken segment waits until so many others have passed.
type overtaken struct {
	f    flying
	left int
}

type flights []flying

func (f flights) Len() int { return len(f) }
func (f flights) Less(i, j int) bool {
	return f[i].at < f[j].at || f[i].at == f[j].at && f[i].n < f[j].n
}
func (f flights) Swap(i, j int) { f[i], f[j] = f[j], f[i] }
func (f *flights) Push(x any)   { *f = append(*f, x.(flying)) }
func (f *flights) Pop() any {
	old := *f
	x := old[len(old)-1]
	old[len(old)-1] = flying{}
	*f = old[:len(old)-1]
	return x
}

func newChannel(t testing.TB, seed uint64) *channel {
	ch := &channel{t: t, rng: rand.New(rand.NewPCG(seed, 7)), luck: rand.New(rand.NewPCG(seed, 8)), now: time.Hour, busy: new([2]time.Duration)}
	for i := range ch.ends {
		p := DefaultParams()
		p.Budget = buffer.NewBudget(64 << 20)
		ch.ends[i] = &side{p: p, isn: seqnum.Value(ch.rng.Uint32())}
	}
	return ch
}

func (ch *channel) opening(i, mtu, large int) Opening {
	return Opening{ISS: ch.ends[i].isn, TSOffset: ch.rng.Uint32(), MTU: mtu, LargeSend: large}
}

// connect opens side 0 to side 1, which is made when the SYN arrives.
func (ch *channel) connect(mtu, large int) {
	ch.ends[0].c = NewConn(ch.ends[0].p)
	if err := ch.ends[0].c.Connect(ch.now, ch.opening(0, mtu, large)); err != nil {
		ch.t.Fatal(err)
	}
	ch.pump(0)
}

// pump sends what side i has to send.
func (ch *channel) pump(i int) {
	s := ch.ends[i]
	if s.c == nil {
		return
	}
	var seg Segment
	for k := 0; s.c.Next(ch.now, &seg); k++ {
		ch.transmit(i, &seg)
		seg.Buffer.Release()
		if k > 100000 {
			ch.t.Fatal("Next does not end")
		}
	}
}

// transmit puts a segment on the wire, a large one in pieces or whole.
func (ch *channel) transmit(from int, seg *Segment) {
	if seg.SegSize == 0 || ch.rng.Float64() < ch.mss {
		ch.wire(from, *seg)
		return
	}
	for p := seg.Payload; len(p) > 0; {
		n := min(seg.SegSize, len(p))
		piece := *seg
		piece.SegSize = 0
		piece.Payload = p[:n]
		piece.Seq = seg.Seq.Add(len(seg.Payload) - len(p))
		if p = p[n:]; len(p) > 0 {
			piece.Flags &^= header.FIN | header.PSH
		}
		ch.wire(from, piece)
	}
}

func (ch *channel) wire(from int, seg Segment) {
	if ch.noSACK {
		seg.Options.SACKPermitted = false
	}
	if ch.trace != nil {
		ch.trace(ch.now, from, &seg)
	}
	if ch.luck.Float64() < ch.loss || ch.drop != nil && ch.drop(from, &seg) {
		ch.dropped++
		return
	}
	at := ch.now
	if ch.rate > 0 {
		start := max(ch.busy[from], ch.now)
		if ch.queue > 0 && start-ch.now > ch.queue {
			ch.dropped++
			return
		}
		if ch.mark > 0 && start-ch.now > ch.mark && seg.ECN != 0 {
			seg.ECN = ecnCE
		}
		at = start + time.Duration(len(seg.Payload)+60)*time.Second/time.Duration(ch.rate)
		ch.busy[from] = at
	}
	ch.fly(from, seg, at)
	if ch.luck.Float64() < ch.twice {
		ch.fly(from, seg, at)
	}
}

func (ch *channel) fly(from int, seg Segment, at time.Duration) {
	f := flying{at: at + ch.delay, to: 1 - from, seg: seg}
	if ch.jitter > 0 {
		f.at += time.Duration(ch.luck.Int64N(int64(ch.jitter)))
	}
	f.at = ch.attended(f.to, f.at)
	f.data = append([]byte(nil), seg.Payload...)
	if len(f.data) > 1 && ch.luck.Float64() < ch.cut {
		f.data = f.data[:1+ch.rng.IntN(len(f.data)-1)]
		f.seg.Flags &^= header.FIN | header.PSH
	}
	f.seg.Buffer, f.seg.Payload = nil, nil
	if ch.late > 0 && ch.luck.Float64() < ch.late {
		ch.waiting[from] = append(ch.waiting[from], overtaken{f, ch.lateBy})
		ch.push(flying{at: f.at + lateHold, to: 4 + from})
		return
	}
	ch.push(f)
	ch.overtake(from, f.at)
}

// overtake lets go of those that wait, and have been overtaken by as many as they
// were to be, or have waited long enough.
func (ch *channel) overtake(from int, at time.Duration) {
	w := ch.waiting[from]
	for i := range w {
		w[i].left--
	}
	for len(w) > 0 && (w[0].left <= 0 || w[0].f.at+lateHold <= at) {
		w[0].f.at = max(w[0].f.at, at)
		ch.push(w[0].f)
		w = w[1:]
	}
	ch.waiting[from] = w
}

// attended is when a side's machine attends to what is due at a time.
func (ch *channel) attended(side int, at time.Duration) time.Duration {
	if ch.stall == nil {
		return at
	}
	return ch.stall(side, at)
}

func (ch *channel) push(f flying) {
	ch.n++
	f.n = ch.n
	heap.Push(&ch.q, f)
}

// next returns when the next thing happens, and whose timer that is; negative
// if it is a segment that arrives.
func (ch *channel) next() (at time.Duration, timer int, ok bool) {
	timer = -1
	for i, s := range ch.ends {
		if s.c == nil || s.dead {
			continue
		}
		if d := s.c.Deadline(); d != 0 {
			if d = ch.attended(i, d); timer < 0 || d < at {
				at, timer = d, i
			}
		}
	}
	if len(ch.q) > 0 && (timer < 0 || ch.q[0].at <= at) {
		return ch.q[0].at, -1, true
	}
	return at, timer, timer >= 0
}

// step lets the next thing happen, and reports whether there was one.
func (ch *channel) step() bool {
	at, timer, ok := ch.next()
	if !ok {
		return false
	}
	if timer < 0 {
		f := heap.Pop(&ch.q).(flying)
		ch.now = max(ch.now, f.at)
		ch.arrive(&f)
		return true
	}
	ch.now = max(ch.now, at)
	ch.ends[timer].c.Timer(ch.now)
	ch.settle(timer)
	return true
}

func (ch *channel) arrive(f *flying) {
	if f.to >= 4 {
		ch.overtake(f.to-4, ch.now)
		return
	}
	if f.to >= 2 {
		ch.ends[f.to-2].pause = 0
		ch.settle(f.to - 2)
		return
	}
	s := ch.ends[f.to]
	if s.dead {
		return
	}
	f.seg.Payload = f.data
	if len(f.data) > 0 && ch.rng.IntN(4) > 0 { // as different devices hand it in
		size := []int{buffer.Small, buffer.Medium, buffer.Large}[ch.rng.IntN(3)]
		f.seg.Buffer, f.seg.Payload = pooled(f.data, size)
		defer f.seg.Buffer.Release()
	}
	var out Segment
	switch {
	case s.c == nil && ListenInput(&f.seg) == Open:
		s.c = Passive(s.p, ch.now, ch.opening(f.to, 1500, 0), &f.seg, nil)
	case s.c == nil:
		if ResetFor(&f.seg, &out) {
			ch.wire(f.to, out)
		}
	default:
		if r := s.c.Input(ch.now, &f.seg); r.Closed && ResetFor(&f.seg, &out) {
			ch.wire(f.to, out)
		}
	}
	if ch.stall != nil && len(ch.q) > 0 && ch.q[0].at == f.at && ch.q[0].to == f.to {
		return // what has come meanwhile is one batch
	}
	ch.settle(f.to)
}

// settle lets the user of a side do what it can, and sends.
func (ch *channel) settle(i int) {
	ch.pump(i)
	for s := ch.ends[i]; s.c != nil && ch.use(i, s); {
		ch.pump(i)
	}
	ch.pump(i)
}

// use lets the user of a side do one thing, and reports whether it did.
func (ch *channel) use(i int, s *side) bool {
	if s.err != nil || s.pause > 0 {
		return false
	}
	e := s.c.Events()
	if e&socket.POLLERR != 0 {
		s.err = s.c.TakeError()
		return true
	}
	if e&socket.POLLIN != 0 && !s.eof {
		return ch.readSome(i, s)
	}
	st := s.c.State()
	if st == socket.TCP_SYN_SENT || st == socket.TCP_SYN_RECV {
		return false
	}
	if s.written < s.send && e&socket.POLLOUT != 0 {
		return ch.writeSome(i, s)
	}
	if s.written == s.send && !s.closed {
		s.closed = true
		if s.eof {
			s.c.Close(ch.now)
		} else {
			_ = s.c.CloseWrite(ch.now)
		}
		return true
	}
	return false
}

func (ch *channel) readSome(i int, s *side) bool {
	if s.slow && ch.rng.IntN(3) > 0 {
		s.pause = time.Duration(ch.rng.Int64N(int64(300 * time.Millisecond)))
		ch.push(flying{at: ch.now + s.pause, to: 2 + i})
		return false
	}
	b := make([]byte, 1+ch.rng.IntN(20000))
	n, err := s.c.Read(ch.now, b)
	if err != nil {
		s.err = err
		return false
	}
	for k, x := range b[:n] {
		if want := streamByte(1-i, s.read+k); x != want {
			ch.t.Fatalf("side %d: byte %d is %d, want %d", i, s.read+k, x, want)
		}
	}
	s.read += n
	s.eof = n == 0
	return true
}

func (ch *channel) writeSome(i int, s *side) bool {
	b := make([]byte, min(s.send-s.written, 1+ch.rng.IntN(40000)))
	for k := range b {
		b[k] = streamByte(i, s.written+k)
	}
	n, err := s.c.Write(ch.now, b, false)
	if err == syscall.EAGAIN {
		return false
	}
	if err != nil {
		s.err = err
		return false
	}
	s.written += n
	return true
}

// streamByte is byte k of what side i writes.
func streamByte(i, k int) byte { return byte(k ^ k>>8 ^ k>>16 ^ i*0x55) }

// done tells whether both users have what they came for, and both connections
// are closed.
func (ch *channel) done() bool {
	for _, s := range ch.ends {
		if s.c == nil || !s.c.Done() {
			return false
		}
	}
	return true
}

// run runs until both sides are done.
func (ch *channel) run(steps int) {
	ch.t.Helper()
	for range steps {
		if ch.done() {
			return
		}
		if !ch.step() {
			ch.t.Fatalf("deadlock: %s", ch.describe())
		}
	}
	ch.t.Fatalf("not done after %d steps: %s", steps, ch.describe())
}

func (ch *channel) describe() string {
	s := fmt.Sprint("at ", ch.now-time.Hour)
	for i, e := range ch.ends {
		if e.c == nil {
			s += fmt.Sprintf("; %d: none", i)
			continue
		}
		r, w := e.c.Queues()
		s += fmt.Sprintf("; %d: %v, wrote %d of %d, read %d, eof %v, err %v, queues %d %d, una %d nxt %d wnd %d, deadline %v",
			i, e.c.State(), e.written, e.send, e.read, e.eof, e.err, r, w,
			e.c.snd.una-e.c.iss, e.c.snd.nxt-e.c.iss, e.c.snd.wnd, e.c.Deadline()-ch.now)
	}
	return s
}

// wantAll says that each user read what the other wrote, and nothing is left.
func (ch *channel) wantAll() {
	ch.t.Helper()
	for i, s := range ch.ends {
		if s.err != nil {
			ch.t.Fatalf("side %d: %v: %s", i, s.err, ch.describe())
		}
		if other := ch.ends[1-i]; s.read != other.send || !s.eof {
			ch.t.Fatalf("side %d read %d of %d, eof %v", i, s.read, other.send, s.eof)
		}
		if u := s.p.Budget.Used(); u != 0 {
			ch.t.Fatalf("side %d holds %d bytes of the budget", i, u)
		}
	}
}
