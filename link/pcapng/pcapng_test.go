package pcapng_test

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"example.com/berth/internal/header"
	"example.com/berth/link"
	"example.com/berth/link/linktest"
	"example.com/berth/link/pcapng"
	"example.com/berth/link/wire"
)

// blocks reads what a test wrote.
func blocks(t *testing.T, b *bytes.Buffer) []block {
	t.Helper()
	all, err := read(b.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// packets describes the packets among blocks.
func packets(all []block) (p []string) {
	for _, b := range all {
		if b.typ == 6 {
			p = append(p, b.packet())
		}
	}
	return p
}

func types(all []block) (t []uint32) {
	for _, b := range all {
		t = append(t, b.typ)
	}
	return t
}

func text(s string) link.Frame { return link.Frame{Payload: []byte(s)} }

// sink is a handler that does nothing.
type sink struct{}

func (sink) Input([]link.Frame) {}
func (sink) Changed()           {}

func TestHead(t *testing.T) {
	for _, tt := range []struct {
		opts pcapng.Options
		want map[uint16][]string
	}{
		{pcapng.Options{}, map[uint16][]string{1: nil, 2: nil, 4: {"berth"}}},
		{
			pcapng.Options{Application: "test", Hardware: "none", Comment: "seed 7"},
			map[uint16][]string{1: {"seed 7"}, 2: {"none"}, 4: {"test"}},
		},
	} {
		var b bytes.Buffer
		pcapng.NewWriter(&b, tt.opts)
		all := blocks(t, &b)
		head := all[0]
		if len(all) != 1 || head.typ != 0x0a0d0d0a || head.u32(0) != 0x1a2b3c4d || head.u32(4) != 1 || head.time(8) != -1 {
			t.Errorf("head %+v", head)
		}
		for code, want := range tt.want {
			if got := head.all(code); !slices.Equal(got, want) {
				t.Errorf("option %d is %q, want %q", code, got, want)
			}
		}
	}
}

func TestInterfaces(t *testing.T) {
	var b bytes.Buffer
	w := pcapng.NewWriter(&b, pcapng.Options{})
	w.Interface("ip", link.IP, 0)
	w.Interface("ethernet", link.Ethernet, 96)
	dev, _ := wire.Pair(wire.Ethernet(), wire.Names("dev", ""), wire.Addrs([6]byte{2, 1, 2, 3, 4, 5}, [6]byte{}))
	pcapng.Wrap(dev, w, "")
	all := blocks(t, &b)[1:]
	for i, want := range []struct {
		linktype, snaplen uint32
		name              string
		mac               []string
	}{
		{101, 0, "ip", nil},
		{1, 96, "ethernet", nil},
		{1, 0, "dev", []string{"\x02\x01\x02\x03\x04\x05"}},
	} {
		got := all[i]
		if got.typ != 1 || got.u32(0) != want.linktype || got.u32(4) != want.snaplen ||
			!slices.Equal(got.all(2), []string{want.name}) || !slices.Equal(got.all(6), want.mac) ||
			!slices.Equal(got.all(9), []string{"\x09"}) {
			t.Errorf("interface %d: %+v, want %+v", i, got, want)
		}
	}
}

func TestBothDirectionsOnFakeTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var b bytes.Buffer
		w := pcapng.NewWriter(&b, pcapng.Options{})
		x, y := wire.Pair()
		a, other := pcapng.Wrap(x, w, "a"), pcapng.Wrap(y, w, "b")
		a.Attach(sink{})
		other.Attach(answer{other})
		time.Sleep(1500*time.Millisecond + 7)
		if n, err := a.Output([]link.Frame{text("one"), {Payload: []byte("two!"), Comment: "second"}}); n != 2 || err != nil {
			t.Errorf("Output = %d, %v", n, err)
		}
		all := blocks(t, &b)
		want := []string{
			`0 out "one"`, `0 out "two!" (second)`,
			`1 in "one"`, `1 in "two!" (second)`,
			`1 out "answer"`, `0 in "answer"`,
		}
		if got := packets(all); !slices.Equal(got, want) {
			t.Errorf("captured %v, want %v", got, want)
		}
		// Fake time begins at midnight UTC 2000-01-01.
		if got := all[3].time(4); got != 946684801500000007 {
			t.Errorf("at %d", got)
		}
	})
}

// answer is a handler that answers.
type answer struct{ dev link.Device }

func (a answer) Input([]link.Frame) { a.dev.Output([]link.Frame{text("answer")}) }
func (answer) Changed()             {}

func TestTimeOfTheFrame(t *testing.T) {
	var b bytes.Buffer
	w := pcapng.NewWriter(&b, pcapng.Options{})
	x, y := wire.Pair()
	in := pcapng.Wrap(y, w, "")
	in.Attach(sink{})
	f := text("stamped")
	f.Time = time.Unix(5, 6)
	x.Output([]link.Frame{f})
	if got := blocks(t, &b)[2].time(4); got != 5000000006 {
		t.Errorf("at %d, want the time that the device gave", got)
	}
}

func TestRecord(t *testing.T) {
	var b bytes.Buffer
	w := pcapng.NewWriter(&b, pcapng.Options{})
	i := w.Interface("short", link.IP, 5)
	f := text("longer than 5")
	f.Comment = "of the frame"
	i.Record(time.Unix(1, 2), pcapng.Out, &f, "lost")
	before := time.Now().UnixNano()
	i.Record(time.Time{}, pcapng.In, &f, strings.Repeat("x", 65534)+"\u00e9")
	all := blocks(t, &b)[2:]
	if got := all[0].packet(); got != `0 out "longe" (of the frame) (lost)` || all[0].u32(16) != 13 || all[0].time(4) != 1000000002 {
		t.Errorf("captured %v of %d bytes at %d", got, all[0].u32(16), all[0].time(4))
	}
	if got := all[1].time(4); got < before || got > time.Now().UnixNano() {
		t.Errorf("at %d, want now", got)
	}
	if got := all[1].all(1)[1]; got != strings.Repeat("x", 65534) {
		t.Errorf("a long comment became %d bytes", len(got))
	}
}

func TestNames(t *testing.T) {
	var b bytes.Buffer
	w := pcapng.NewWriter(&b, pcapng.Options{})
	w.Name(netip.MustParseAddr("192.0.2.1"), "web", "www")
	w.Name(netip.MustParseAddr("2001:db8::1"), "web")
	w.Name(netip.Addr{}, "nobody")
	w.Name(netip.MustParseAddr("192.0.2.2"))
	w.Name(netip.MustParseAddr("192.0.2.3"), strings.Repeat("x", 70000), "short")
	all := blocks(t, &b)[1:]
	var got []string
	for _, bl := range all {
		records, err := options(bl.body)
		if bl.typ != 4 || err != nil || len(records) != 1 {
			t.Fatalf("block %d: %v, %v", bl.typ, records, err)
		}
		got = append(got, fmt.Sprintf("%d %q", records[0].code, records[0].value))
	}
	want := []string{
		`1 "\xc0\x00\x02\x01web\x00www\x00"`,
		`2 " \x01\r\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01web\x00"`,
		`1 "\xc0\x00\x02\x03short\x00"`,
	}
	if !slices.Equal(got, want) {
		t.Errorf("names %v, want %v", got, want)
	}
}

func TestKeyLog(t *testing.T) {
	var b bytes.Buffer
	w := pcapng.NewWriter(&b, pcapng.Options{})
	const line = "CLIENT_RANDOM 00 11\n"
	if n, err := w.KeyLog().Write([]byte(line)); n != len(line) || err != nil {
		t.Errorf("Write = %d, %v", n, err)
	}
	bl := blocks(t, &b)[1]
	if bl.typ != 10 || bl.u32(0) != 0x544c534b || int(bl.u32(4)) != len(line) || string(bl.body[8:8+len(line)]) != line {
		t.Errorf("secrets %+v", bl)
	}
}

func TestStatistics(t *testing.T) {
	var b bytes.Buffer
	w := pcapng.NewWriter(&b, pcapng.Options{})
	x, y := wire.Pair(wire.Queue(1))
	dev := pcapng.Wrap(x, w, "a")
	y.Attach(answerTo{func() {
		// The queue has room for one.
		if n, _ := dev.Output([]link.Frame{text("2"), text("3"), text("4")}); n != 1 {
			t.Errorf("%d were taken", n)
		}
	}})
	dev.Output([]link.Frame{text("1")})
	for range 2 {
		if err := w.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	}
	dev.Output([]link.Frame{text("after Close")})
	w.Name(netip.MustParseAddr("192.0.2.1"), "after Close")
	w.Interface("after Close", link.IP, 0).Record(time.Time{}, pcapng.In, &link.Frame{}, "")

	all := blocks(t, &b)
	if got := types(all); !slices.Equal(got, []uint32{0x0a0d0d0a, 1, 6, 6, 6, 6, 5}) {
		t.Errorf("blocks %v", got)
	}
	st := all[len(all)-1]
	received, dropped := st.all(4)[0], st.all(5)[0]
	if received != "\x04\x00\x00\x00\x00\x00\x00\x00" || dropped != "\x02\x00\x00\x00\x00\x00\x00\x00" {
		t.Errorf("received %q, dropped %q", received, dropped)
	}
	if len(st.all(2)[0]) != 8 || len(st.all(3)[0]) != 8 || st.time(4) < 1e18 {
		t.Errorf("times %q, %q, %d", st.all(2), st.all(3), st.time(4))
	}
}

// answerTo calls a function once, when something comes in.
type answerTo struct{ f func() }

func (a answerTo) Input(frames []link.Frame) {
	if string(frames[0].Payload) == "1" {
		a.f()
	}
}
func (answerTo) Changed() {}

func TestRefusedFramesAreNotInTheCapture(t *testing.T) {
	var b bytes.Buffer
	w := pcapng.NewWriter(&b, pcapng.Options{})
	x, _ := wire.Pair()
	dev := pcapng.Wrap(x, w, "a")
	long := link.Frame{Payload: make([]byte, 2000)}
	if n, err := dev.Output([]link.Frame{text("1"), long, text("2")}); n != 1 || err != link.ErrTooLong {
		t.Errorf("Output = %d, %v", n, err)
	}
	if got := packets(blocks(t, &b)); len(got) != 1 {
		t.Errorf("captured %v", got)
	}
}

// tcp is a large frame of IPv4.
func tcp(payload, size int) link.Frame {
	src, dst := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2")
	h := (&header.IPv4{PayloadLen: 20 + payload, DF: true, TTL: 64, Protocol: header.ProtocolTCP, Src: src, Dst: dst}).Append(nil)
	sum := header.Partial(header.PseudoSum(src, dst, header.ProtocolTCP, 20+payload))
	h = (&header.TCP{
		SrcPort: 40000, DstPort: 80, Seq: 1, Ack: 1, Flags: header.ACK | header.PSH, Window: 65535, Checksum: sum,
	}).Append(h)
	return link.Frame{
		Head: h, Payload: make([]byte, payload), GSO: link.GSOTCP4, SegSize: uint16(size),
		Checksum: link.ChecksumPartial, CsumStart: 20, CsumOffset: 16,
	}
}

func TestLargeFramesAreWrittenAsTheirSegments(t *testing.T) {
	var b bytes.Buffer
	w := pcapng.NewWriter(&b, pcapng.Options{})
	i := w.Interface("", link.IP, 0)
	f := tcp(2500, 1000)
	i.Record(time.Time{}, pcapng.Out, &f, "why")
	bad := f
	bad.Head = f.Head[:30]
	i.Record(time.Time{}, pcapng.Out, &bad, "")
	all := blocks(t, &b)[2:]
	var lengths []int
	for _, bl := range all {
		lengths = append(lengths, len(bl.data()))
	}
	if !slices.Equal(lengths, []int{1040, 1040, 540, 2530}) {
		t.Errorf("packets of %v bytes", lengths)
	}
	for _, bl := range all[:3] {
		var ip header.IPv4
		segment, err := ip.Parse([]byte(bl.data()))
		if err != nil || header.Fold(header.Sum(segment, header.PseudoSum(ip.Src, ip.Dst, ip.Protocol, len(segment)))) != 0 {
			t.Errorf("a segment with a bad checksum: %v", err)
		}
		if got := bl.all(1); !slices.Equal(got, []string{"why"}) {
			t.Errorf("comments %q", got)
		}
	}
	if got := all[3].all(1); len(got) != 1 || got[0] != "large frame or partial checksum that cannot be made whole" {
		t.Errorf("comments %q", got)
	}
}

// limited is a writer that fails beyond a number of bytes.
type limited struct {
	bytes.Buffer
	left int
}

var errFull = errors.New("disk full")

func (l *limited) Write(b []byte) (int, error) {
	if l.left -= len(b); l.left < 0 {
		return 0, errFull
	}
	return l.Buffer.Write(b)
}

func TestTheFirstErrorEndsTheCaptureAndNotTheTraffic(t *testing.T) {
	l := &limited{left: 250}
	w := pcapng.NewWriter(l, pcapng.Options{})
	x, y := wire.Pair()
	dev := pcapng.Wrap(x, w, "a")
	y.Attach(sink{})
	for range 10 {
		if n, err := dev.Output([]link.Frame{text("packet")}); n != 1 || err != nil {
			t.Errorf("Output = %d, %v", n, err)
		}
	}
	l.left = 1000 // room again: too late, blocks are missing
	if _, err := w.KeyLog().Write(nil); err != errFull {
		t.Errorf("KeyLog: %v", err)
	}
	w.Interface("late", link.IP, 0).Record(time.Time{}, pcapng.In, &link.Frame{}, "")
	if err := w.Err(); err != errFull {
		t.Errorf("Err = %v", err)
	}
	if err := dev.Close(); !errors.Is(err, errFull) {
		t.Errorf("Close of the device = %v", err)
	}
	if err := w.Close(); err != errFull {
		t.Errorf("Close = %v", err)
	}
	if got := y.Stats().InFrames; got != 10 {
		t.Errorf("%d packets came in", got)
	}
	if got := packets(blocks(t, &l.Buffer)); len(got) == 0 || len(got) == 10 {
		t.Errorf("captured %v", got)
	}
}

// TestUncleanEnd cuts a capture anywhere: all blocks before the cut are there.
func TestUncleanEnd(t *testing.T) {
	var b bytes.Buffer
	w := pcapng.NewWriter(&b, pcapng.Options{})
	i := w.Interface("a", link.IP, 0)
	ends := []int{b.Len()}
	for n := range 5 {
		f := text(strings.Repeat("x", n))
		i.Record(time.Time{}, pcapng.In, &f, "")
		ends = append(ends, b.Len())
	}
	for n := ends[0]; n <= b.Len(); n++ {
		whole := 0
		for _, end := range ends[1:] {
			if n >= end {
				whole++
			}
		}
		all, err := read(b.Bytes()[:n])
		if got := len(packets(all)); got != whole || (err == nil) != slices.Contains(ends, n) {
			t.Fatalf("cut at %d: %d packets, %v; want %d", n, got, err, whole)
		}
	}
}

func TestConcurrentUse(t *testing.T) {
	var b bytes.Buffer
	w := pcapng.NewWriter(&b, pcapng.Options{})
	x, y := wire.Pair()
	dev, other := pcapng.Wrap(x, w, "a"), pcapng.Wrap(y, w, "b")
	other.Attach(sink{})
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 100 {
				dev.Output([]link.Frame{text("x"), text("y")})
				w.Name(netip.MustParseAddr("192.0.2.1"), "web")
			}
		})
	}
	wg.Wait()
	if got := len(packets(blocks(t, &b))); got != 2*800 {
		t.Errorf("captured %d packets, want 1600", got)
	}
}

func TestContract(t *testing.T) {
	for name, opts := range map[string][]wire.Option{
		"IP": nil, "Ethernet": {wire.Ethernet()}, "no offload": {wire.Offload(0)},
	} {
		t.Run(name, func(t *testing.T) {
			linktest.Run(t, func(t *testing.T) (a, b link.Device) {
				var buf bytes.Buffer
				w := pcapng.NewWriter(&buf, pcapng.Options{})
				t.Cleanup(func() { blocks(t, &buf) })
				x, y := wire.Pair(opts...)
				return pcapng.Wrap(x, w, "a"), pcapng.Wrap(y, w, "b")
			})
		})
	}
}

type discard struct{}

func (discard) Write(b []byte) (int, error) { return len(b), nil }

func TestNoAllocs(t *testing.T) {
	w := pcapng.NewWriter(discard{}, pcapng.Options{})
	x, y := wire.Pair()
	dev := pcapng.Wrap(x, w, "a")
	y.Attach(sink{})
	batch := []link.Frame{tcp(10000, 1448), {Payload: make([]byte, 1400), Comment: "a remark"}}
	linktest.NoAllocs(t, func() { dev.Output(batch) })
}

func BenchmarkWrap(b *testing.B) {
	w := pcapng.NewWriter(discard{}, pcapng.Options{})
	x, y := wire.Pair()
	dev := pcapng.Wrap(x, w, "a")
	y.Attach(sink{})
	batch := []link.Frame{{Payload: make([]byte, 1400)}}
	b.ReportAllocs()
	for b.Loop() {
		dev.Output(batch)
	}
}
