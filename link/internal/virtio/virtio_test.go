package virtio

import (
	"bytes"
	"encoding/binary"
	"errors"
	"testing"

	"example.com/berth/link"
)

func TestHeaderBytes(t *testing.T) {
	h := Header{Flags: NeedsCsum, Type: TypeTCP4 | TypeECN, HdrLen: 54, SegSize: 1448, CsumStart: 34, CsumOffset: 16}
	want := []byte{1, 0x81}
	for _, v := range []uint16{54, 1448, 34, 16} {
		want = binary.NativeEndian.AppendUint16(want, v)
	}
	got := h.Append([]byte{0xaa})
	if !bytes.Equal(got, append([]byte{0xaa}, want...)) {
		t.Fatalf("encoded % x, want aa % x", got, want)
	}
	var back Header
	rest, err := back.Parse(append(want, 7, 8))
	if err != nil || back != h || !bytes.Equal(rest, []byte{7, 8}) {
		t.Errorf("parsed %+v, rest % x, error %v; want %+v", back, rest, err, h)
	}
	for n := range Len {
		if _, err := back.Parse(want[:n]); !errors.Is(err, ErrTruncated) {
			t.Errorf("%d bytes: error %v", n, err)
		}
	}
}

// frame returns a frame of n bytes with its headers in Head up to split, and a
// TCP data offset of 32 bytes and flags at start.
func frame(n, split, start int, flags byte) link.Frame {
	b := make([]byte, n)
	if start+tcpFlags < n {
		b[start+tcpDataOffset], b[start+tcpFlags] = 8<<4, flags
	}
	return link.Frame{Head: b[:split], Payload: b[split:]}
}

func TestReceivedHeaderDescribesTheFrame(t *testing.T) {
	const size = 3000
	for _, tt := range []struct {
		name string
		h    Header
		want link.Frame
		err  error
	}{
		{name: "plain", want: link.Frame{}},
		{name: "verified", h: Header{Flags: DataValid}, want: link.Frame{Checksum: link.ChecksumVerified}},
		{
			name: "partial", h: Header{Flags: NeedsCsum, CsumStart: 20, CsumOffset: 6},
			want: link.Frame{Checksum: link.ChecksumPartial, CsumStart: 20, CsumOffset: 6},
		},
		{
			name: "partial has the last word over verified", h: Header{Flags: NeedsCsum | DataValid, CsumStart: 20, CsumOffset: 6},
			want: link.Frame{Checksum: link.ChecksumPartial, CsumStart: 20, CsumOffset: 6},
		},
		{
			name: "coalescing information is not a checksum", h: Header{Flags: RSCInfo | DataValid, CsumStart: 3, CsumOffset: 2},
			want: link.Frame{Checksum: link.ChecksumVerified},
		},
		{
			name: "large TCP over IPv4", h: Header{Flags: NeedsCsum, Type: TypeTCP4, HdrLen: 52, SegSize: 1448, CsumStart: 20, CsumOffset: 16},
			want: link.Frame{GSO: link.GSOTCP4, SegSize: 1448, Checksum: link.ChecksumPartial, CsumStart: 20, CsumOffset: 16},
		},
		{
			name: "large TCP over IPv6 with CWR", h: Header{Flags: NeedsCsum, Type: TypeTCP6 | TypeECN, SegSize: 1428, CsumStart: 40, CsumOffset: 16},
			want: link.Frame{GSO: link.GSOTCP6, SegSize: 1428, Checksum: link.ChecksumPartial, CsumStart: 40, CsumOffset: 16},
		},
		{
			name: "large UDP, verified", h: Header{Flags: DataValid, Type: TypeUDPL4, SegSize: 1200},
			want: link.Frame{GSO: link.GSOUDP, SegSize: 1200, Checksum: link.ChecksumVerified},
		},
		{
			name: "checksum in the last two bytes", h: Header{Flags: NeedsCsum, CsumStart: size - 18, CsumOffset: 16},
			want: link.Frame{Checksum: link.ChecksumPartial, CsumStart: size - 18, CsumOffset: 16},
		},
		{name: "checksum behind the end", h: Header{Flags: NeedsCsum, CsumStart: size - 17, CsumOffset: 16}, err: ErrChecksum},
		{name: "checksum far away", h: Header{Flags: NeedsCsum, CsumStart: 65535, CsumOffset: 65535}, err: ErrChecksum},
		{name: "fragments of a datagram", h: Header{Type: TypeUDP, SegSize: 1480}, err: ErrType},
		{name: "unknown", h: Header{Type: 0x7f, SegSize: 1480}, err: ErrType},
		{name: "large without a segment size", h: Header{Type: TypeTCP4}, err: ErrSegSize},
	} {
		f := frame(size, 0, 0, 0)
		f.GSO, f.SegSize, f.Checksum, f.CsumStart, f.CsumOffset = 9, 9, 9, 9, 9 // of the frame before
		if err := tt.h.Describe(&f); !errors.Is(err, tt.err) {
			t.Errorf("%s: error %v, want %v", tt.name, err, tt.err)
			continue
		}
		if w := tt.want; tt.err == nil && (f.GSO != w.GSO || f.SegSize != w.SegSize || f.Checksum != w.Checksum ||
			f.CsumStart != w.CsumStart || f.CsumOffset != w.CsumOffset) {
			t.Errorf("%s: GSO %d/%d, checksum %d at %d+%d; want %d/%d, %d at %d+%d", tt.name, f.GSO, f.SegSize,
				f.Checksum, f.CsumStart, f.CsumOffset, w.GSO, w.SegSize, w.Checksum, w.CsumStart, w.CsumOffset)
		}
	}
}

func TestHeaderOfAFrameToSend(t *testing.T) {
	const cwr = 0x80
	partial := func(f link.Frame, gso link.GSO, seg, start, offset uint16) link.Frame {
		f.GSO, f.SegSize, f.Checksum, f.CsumStart, f.CsumOffset = gso, seg, link.ChecksumPartial, start, offset
		return f
	}
	for _, tt := range []struct {
		name string
		f    link.Frame
		want Header
		err  error
	}{
		{name: "full checksum", f: frame(100, 40, 20, 0)},
		{name: "verified, forwarded", f: link.Frame{Payload: make([]byte, 60), Checksum: link.ChecksumVerified}},
		{
			name: "partial", f: partial(frame(100, 52, 20, 0), link.GSONone, 0, 20, 16),
			want: Header{Flags: NeedsCsum, CsumStart: 20, CsumOffset: 16},
		},
		{
			name: "large TCP4 behind an Ethernet header", f: partial(frame(3000, 66, 34, 0), link.GSOTCP4, 1448, 34, 16),
			want: Header{Flags: NeedsCsum, Type: TypeTCP4, HdrLen: 66, SegSize: 1448, CsumStart: 34, CsumOffset: 16},
		},
		{
			name: "large TCP6 with CWR in one piece", f: partial(frame(3000, 0, 40, cwr), link.GSOTCP6, 1428, 40, 16),
			want: Header{Flags: NeedsCsum, Type: TypeTCP6 | TypeECN, HdrLen: 72, SegSize: 1428, CsumStart: 40, CsumOffset: 16},
		},
		{
			name: "large UDP", f: partial(frame(3000, 28, 20, 0), link.GSOUDP, 1200, 20, 6),
			want: Header{Flags: NeedsCsum, Type: TypeUDPL4, HdrLen: 28, SegSize: 1200, CsumStart: 20, CsumOffset: 6},
		},
		{
			name: "large of one segment", f: partial(frame(52+1448, 52, 20, 0), link.GSOTCP4, 1448, 20, 16),
			want: Header{Flags: NeedsCsum, CsumStart: 20, CsumOffset: 16},
		},
		{name: "large with a full checksum", f: link.Frame{Payload: make([]byte, 3000), GSO: link.GSOTCP4, SegSize: 1448}, err: ErrPartial},
		{name: "checksum behind the end", f: partial(frame(37, 37, 20, 0), link.GSONone, 0, 20, 16), err: ErrChecksum},
		{name: "large shorter than its header", f: partial(frame(40, 40, 20, 0), link.GSOTCP4, 10, 20, 16), err: ErrChecksum},
		{name: "large cut within TCP", f: partial(frame(30, 30, 20, 0), link.GSOTCP4, 10, 20, 2), err: ErrChecksum},
		{name: "large without a segment size", f: partial(frame(3000, 52, 20, 0), link.GSOTCP4, 0, 20, 16), err: ErrSegSize},
	} {
		var h Header
		if err := h.FromFrame(&tt.f); !errors.Is(err, tt.err) {
			t.Errorf("%s: error %v, want %v", tt.name, err, tt.err)
		} else if err == nil && h != tt.want {
			t.Errorf("%s: %+v, want %+v", tt.name, h, tt.want)
		}
	}
}

func TestNoAllocs(t *testing.T) {
	do := roundTrip(t)
	if n := testing.AllocsPerRun(100, do); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkHeader(b *testing.B) {
	do := roundTrip(b)
	b.ReportAllocs()
	for b.Loop() {
		do()
	}
}

// roundTrip writes a header for a large frame, and reads it.
func roundTrip(tb testing.TB) func() {
	f := frame(3000, 52, 20, 0)
	f.GSO, f.SegSize, f.Checksum, f.CsumStart, f.CsumOffset = link.GSOTCP4, 1448, link.ChecksumPartial, 20, 16
	buf := make([]byte, 0, Len)
	return func() {
		var h Header
		if h.FromFrame(&f) != nil {
			tb.Fatal("refused")
		}
		if _, err := h.Parse(h.Append(buf)); err != nil || h.Describe(&f) != nil {
			tb.Fatal("refused on the way back")
		}
	}
}

// FuzzHeader: whatever the header says, a frame that it is accepted for can be
// sent on and arrives as the same.
func FuzzHeader(f *testing.F) {
	for _, h := range []Header{
		{},
		{Flags: DataValid},
		{Flags: NeedsCsum, CsumStart: 20, CsumOffset: 6},
		{Flags: NeedsCsum, Type: TypeTCP4, HdrLen: 40, SegSize: 100, CsumStart: 20, CsumOffset: 16},
		{Flags: NeedsCsum, Type: TypeTCP6 | TypeECN, HdrLen: 60, SegSize: 100, CsumStart: 40, CsumOffset: 16},
		{Flags: NeedsCsum, Type: TypeUDPL4, HdrLen: 28, SegSize: 100, CsumStart: 20, CsumOffset: 6},
	} {
		f.Add(append(h.Append(nil), make([]byte, 500)...))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var in, out Header
		packet, err := in.Parse(b)
		if err != nil {
			return
		}
		a := link.Frame{Payload: packet}
		if in.Describe(&a) != nil || out.FromFrame(&a) != nil {
			return
		}
		z := link.Frame{Payload: packet}
		if _, err := in.Parse(out.Append(nil)); err != nil {
			t.Fatal(err)
		}
		if err := in.Describe(&z); err != nil {
			t.Fatalf("our own header %+v is refused: %v", out, err)
		}
		if a.GSO == link.GSONone && a.Checksum == link.ChecksumPartial &&
			(z.Checksum != a.Checksum || z.CsumStart != a.CsumStart || z.CsumOffset != a.CsumOffset) {
			t.Fatalf("the checksum moved: %+v", out)
		}
		if out.Type != TypeNone && (z.GSO != a.GSO || z.SegSize != a.SegSize) {
			t.Fatalf("the segments changed: %+v", out)
		}
	})
}
