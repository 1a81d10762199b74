package wire_test

import (
	"fmt"
	"sync"
	"testing"

	"example.com/berth/link"
	"example.com/berth/link/linktest"
	"example.com/berth/link/wire"
)

// A collector is a handler that remembers what came in.
type collector struct {
	mu      sync.Mutex // guards all below
	frames  []string
	batches []int
	changes int
	onInput func(frames []link.Frame) // called without the lock
}

func (c *collector) Input(frames []link.Frame) {
	c.mu.Lock()
	for i := range frames {
		c.frames = append(c.frames, string(frames[i].AppendTo(nil)))
	}
	c.batches = append(c.batches, len(frames))
	f := c.onInput
	c.mu.Unlock()
	if f != nil {
		f(frames)
	}
}

func (c *collector) Changed() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.changes++
}

func (c *collector) got() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return fmt.Sprint(c.frames)
}

func (c *collector) wantFrames(t *testing.T, want ...string) {
	t.Helper()
	if got := c.got(); got != fmt.Sprint(want) {
		t.Errorf("came in: %v, want %v", got, want)
	}
}

// frames returns a frame for each text.
func frames(texts ...string) []link.Frame {
	f := make([]link.Frame, len(texts))
	for i, s := range texts {
		f[i] = link.Frame{Payload: []byte(s)}
	}
	return f
}

// attach attaches a collector.
func attach(t *testing.T, d link.Device) *collector {
	t.Helper()
	c := new(collector)
	if err := d.Attach(c); err != nil {
		t.Fatal(err)
	}
	return c
}

// send sends a frame for each text, all of which must be taken.
func send(t *testing.T, d link.Device, texts ...string) {
	t.Helper()
	if n, err := d.Output(frames(texts...)); n != len(texts) || err != nil {
		t.Errorf("Output of %d frames = %d, %v", len(texts), n, err)
	}
}

func TestOptionsThatCannotBe(t *testing.T) {
	for _, tt := range []struct {
		name string
		opt  wire.Option
		want string
	}{
		{"MTU too small", wire.MTU(67), "wire: MTU 67: want 68 to 65535"},
		{"MTU too large", wire.MTU(65536), "wire: MTU 65536: want 68 to 65535"},
		{"no queue", wire.Queue(0), "wire: queue of 0 frames: want 1 to 1048576"},
		{"segments", wire.MaxSegments(-1), "wire: at most -1 segments: want 0 or more"},
		{"offload", wire.Offload(link.OffloadTCP4), "wire: offload 0x2: large segments need OffloadChecksum"},
		{
			"group address", wire.Addr([6]byte{1, 2, 3, 4, 5, 6}),
			"wire: address 010203040506: a device cannot have a group address",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a, _ := wire.Pair(tt.opt)
			if err := a.Attach(new(collector)); err == nil || err.Error() != tt.want {
				t.Errorf("Attach = %v, want %v", err, tt.want)
			}
		})
	}
}

func TestInfo(t *testing.T) {
	a, b := wire.Pair(wire.Names("left", "right"), wire.MTU(9000), wire.MaxSegments(17))
	want := link.Info{Name: "left", MTU: 9000, Up: true, Offload: link.OffloadAll, MaxSegments: 17}
	if a.Info() != want {
		t.Errorf("Info = %+v, want %+v", a.Info(), want)
	}
	if b.Info().Name != "right" {
		t.Errorf("the other end is named %q", b.Info().Name)
	}
}

func TestAddresses(t *testing.T) {
	given := [6]byte{2, 0, 0, 0, 0, 9}
	a, b := wire.Pair(wire.Ethernet(), wire.Addrs(given, [6]byte{}))
	if a.Info().Addr != given {
		t.Errorf("address %x, want the given one", a.Info().Addr)
	}
	c, _ := wire.Pair(wire.Ethernet())
	if b.Info().Addr == c.Info().Addr || b.Info().Addr == given {
		t.Errorf("addresses %x, %x, %x are not different", given, b.Info().Addr, c.Info().Addr)
	}
	if first := c.Info().Addr[0]; first&3 != 2 {
		t.Errorf("the address begins with %#x: not a local one of a station", first)
	}

	seeded := func(seed uint64) [6]byte {
		s := wire.NewSwitch(wire.Seed(seed))
		s.Port()
		return s.Port().Info().Addr
	}
	one, again, two := seeded(1), seeded(1), seeded(2)
	if one != again || one == two {
		t.Errorf("seeds 1, 1, 2 gave %x, %x, %x", one, again, two)
	}
	if ip, _ := wire.Pair(); ip.Info().Addr != ([6]byte{}) {
		t.Error("a device for IP packets has an Ethernet address")
	}
}

func TestOutputRefuses(t *testing.T) {
	large := link.Frame{Head: make([]byte, 40), Payload: make([]byte, 3000), GSO: link.GSOTCP4, SegSize: 1460}
	tooLarge, segmentTooLong, noSize, other := large, large, large, large
	tooLarge.Payload = make([]byte, link.MaxFrame)
	segmentTooLong.SegSize = 1461
	noSize.SegSize = 0
	other.GSO = link.GSOTCP6
	for _, tt := range []struct {
		name    string
		offload link.Offload
		frame   link.Frame
		want    error
	}{
		{"a packet of the MTU", 0, link.Frame{Payload: make([]byte, 1500)}, nil},
		{"a longer one", 0, link.Frame{Payload: make([]byte, 1501)}, link.ErrTooLong},
		{"head and payload together", 0, link.Frame{Head: make([]byte, 40), Payload: make([]byte, 1461)}, link.ErrTooLong},
		{"a partial checksum", link.OffloadChecksum, link.Frame{Checksum: link.ChecksumPartial}, nil},
		{"a partial checksum without offload", 0, link.Frame{Checksum: link.ChecksumPartial}, link.ErrOffload},
		{"a large frame", link.OffloadAll, large, nil},
		{"a large frame without offload", 0, large, link.ErrOffload},
		{"a large frame of another kind", link.OffloadChecksum | link.OffloadTCP4, other, link.ErrOffload},
		{"a large frame without a segment size", link.OffloadAll, noSize, link.ErrOffload},
		{"a large frame over 64 KiB", link.OffloadAll, tooLarge, link.ErrTooLong},
		{"segments longer than the MTU", link.OffloadAll, segmentTooLong, link.ErrTooLong},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a, b := wire.Pair(wire.Offload(tt.offload))
			in := attach(t, b)
			ok := link.Frame{Payload: []byte("ok")}
			n, err := a.Output([]link.Frame{ok, tt.frame, ok})
			wantN, st := 3, a.Stats()
			if tt.want != nil {
				wantN = 1
			}
			if n != wantN || err != tt.want || len(in.frames) != wantN {
				t.Errorf("Output = %d, %v, and %d came in; want %d, %v", n, err, len(in.frames), wantN, tt.want)
			}
			if (st.TooLong == 1) != (tt.want == link.ErrTooLong) || (st.BadOffload == 1) != (tt.want == link.ErrOffload) {
				t.Errorf("counted %+v", st)
			}
		})
	}
}

func TestAnswersToAnswersWait(t *testing.T) {
	// Each end answers "n" with "n+1" up to 7: the first answer is delivered
	// within the first Input, the answer to it would enter that end again.
	a, b := wire.Pair()
	atA, atB := attach(t, a), attach(t, b)
	depth, deepest := 0, 0
	answer := func(from *wire.Device) func([]link.Frame) {
		return func(in []link.Frame) {
			depth++
			deepest = max(deepest, depth)
			for i := range in {
				if c := in[i].Payload[0]; c < '7' {
					send(t, from, string(c+1), string(c+1)+"'")
				}
			}
			depth--
		}
	}
	atA.onInput, atB.onInput = answer(a), answer(b)
	send(t, a, "5")
	atB.wantFrames(t, "5", "7", "7'", "7", "7'")
	atA.wantFrames(t, "6", "6'")
	if deepest != 2 {
		t.Errorf("handlers were entered %d deep, want one call of each", deepest)
	}
	if st := b.Stats(); st.Queued != 4 || st.InFrames != 5 || st.InBytes != 7 {
		t.Errorf("counted %+v", st)
	}
}

func TestBatchesStayBatches(t *testing.T) {
	a, b := wire.Pair()
	in := attach(t, b)
	in.onInput = func([]link.Frame) {
		in.onInput = nil
		send(t, a, "3", "4")
		send(t, a, "5")
	}
	send(t, a, "1", "2")
	in.wantFrames(t, "1", "2", "3", "4", "5")
	if fmt.Sprint(in.batches) != "[2 3]" {
		t.Errorf("batches of %v", in.batches)
	}
}

func TestWhatWaitsIsCopied(t *testing.T) {
	a, b := wire.Pair()
	in := attach(t, b)
	in.onInput = func([]link.Frame) {
		in.onInput = nil
		head, payload := []byte("head "), []byte("payload")
		a.Output([]link.Frame{{Head: head, Payload: payload}})
		copy(head, "xxxxx") // lent for the length of the call
		copy(payload, "xxxxxxx")
	}
	send(t, a, "1")
	in.wantFrames(t, "1", "head payload")
}

func TestAFullQueueTakesFewer(t *testing.T) {
	a, b := wire.Pair(wire.Queue(3))
	in := attach(t, b)
	in.onInput = func([]link.Frame) {
		in.onInput = nil
		send(t, a, "2")
		if n, err := a.Output(frames("3", "4", "5", "6")); n != 2 || err != nil {
			t.Errorf("Output = %d, %v; there was room for 2", n, err)
		}
	}
	send(t, a, "1")
	in.wantFrames(t, "1", "2", "3", "4")
	if st := b.Stats(); st.QueueFull != 2 || st.Queued != 3 {
		t.Errorf("counted %+v", st)
	}
	if st := a.Stats(); st.OutFrames != 4 {
		t.Errorf("counted %+v", st)
	}
}

func TestWhatNobodyHearsIsLost(t *testing.T) {
	a, b := wire.Pair()
	send(t, a, "before Attach")
	in := attach(t, b)
	send(t, a, "1")
	b.SetUp(false)
	send(t, a, "while down")
	if a.Info().Up || b.Info().Up {
		t.Error("a link is up with one end down")
	}
	b.SetUp(true)
	send(t, a, "2")
	in.wantFrames(t, "1", "2")
	if st := b.Stats(); st.Unheard != 1 {
		t.Errorf("the receiver counted %+v", st)
	}
	if st := a.Stats(); st.LinkDown != 1 {
		t.Errorf("the sender counted %+v", st)
	}
	if in.changes != 2 {
		t.Errorf("told of %d changes, want 2", in.changes)
	}
}

func TestCloseTakesTheLinkDown(t *testing.T) {
	a, b := wire.Pair()
	atA := attach(t, a)
	b.Close()
	if a.Info().Up || atA.changes != 1 {
		t.Errorf("up %v, told %d times", a.Info().Up, atA.changes)
	}
	send(t, a, "lost")
	a.SetUp(true)
	if a.Info().Up {
		t.Error("up again with the other end closed")
	}
}

func TestSetMTU(t *testing.T) {
	a, b := wire.Pair()
	atA, atB := attach(t, a), attach(t, b)
	if err := a.SetMTU(100); err != nil {
		t.Fatal(err)
	}
	if n, err := a.Output([]link.Frame{{Payload: make([]byte, 101)}}); n != 0 || err != link.ErrTooLong {
		t.Errorf("Output = %d, %v", n, err)
	}
	if err := a.SetMTU(67); err == nil {
		t.Error("an MTU of 67 was set")
	}
	a.SetMTU(100)
	if atA.changes != 1 || atB.changes != 0 || b.Info().MTU != 1500 {
		t.Errorf("told %d and %d times, MTU of the other end %d", atA.changes, atB.changes, b.Info().MTU)
	}
}

func TestAHandlerThatDoesNotReturn(t *testing.T) {
	a, b := wire.Pair()
	in := attach(t, b)
	in.onInput = func([]link.Frame) {
		in.onInput = nil
		send(t, a, "queued")
		panic("handler")
	}
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the panic was swallowed")
			}
		}()
		a.Output(frames("1"))
	}()
	send(t, a, "2")
	in.wantFrames(t, "1", "2")
	b.Close()
}

// A sink counts and forgets.
type sink struct{ frames int }

func (s *sink) Input(frames []link.Frame) { s.frames += len(frames) }
func (s *sink) Changed()                  {}

// An echo sends one frame of its own for each batch that comes in, until as
// many as it has been told.
type echo struct {
	dev   link.Device
	reply []link.Frame
	left  int
}

func (e *echo) Input([]link.Frame) {
	if e.left > 0 {
		e.left--
		e.dev.Output(e.reply)
	}
}
func (e *echo) Changed() {}

func TestNoAllocs(t *testing.T) {
	payload := link.NewBuffer(1400)
	batch := make([]link.Frame, 8)
	for i := range batch {
		batch[i] = link.Frame{Head: make([]byte, 54), Payload: payload.Bytes()[:1400], Buffer: payload}
		batch[i].Head[0], batch[i].Head[5] = 2, 1 // to 02:00:00:00:00:01
		batch[i].Head[6], batch[i].Head[11] = 2, 2
	}
	t.Run("direct", func(t *testing.T) {
		a, b := wire.Pair()
		b.Attach(new(sink))
		linktest.NoAllocs(t, func() { a.Output(batch) })
	})
	t.Run("queued", func(t *testing.T) {
		a, b := wire.Pair()
		ends := [2]*echo{{dev: a, reply: batch}, {dev: b, reply: batch}}
		a.Attach(ends[0])
		b.Attach(ends[1])
		linktest.NoAllocs(t, func() {
			ends[0].left, ends[1].left = 5, 5
			a.Output(batch)
		})
	})
	t.Run("switch", func(t *testing.T) {
		s := wire.NewSwitch()
		from := s.Port()
		for range 3 {
			s.Port().Attach(new(sink))
		}
		linktest.NoAllocs(t, func() { from.Output(batch) })
	})
}

func BenchmarkPair(b *testing.B) {
	for _, size := range []int{1, 16} {
		b.Run(fmt.Sprintf("batch=%d", size), func(b *testing.B) {
			x, y := wire.Pair()
			y.Attach(new(sink))
			payload := link.NewBuffer(1400)
			batch := make([]link.Frame, size)
			for i := range batch {
				batch[i] = link.Frame{Head: make([]byte, 54), Payload: payload.Bytes()[:1400], Buffer: payload}
			}
			b.ReportAllocs()
			for b.Loop() {
				x.Output(batch)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*size), "ns/frame")
		})
	}
}
