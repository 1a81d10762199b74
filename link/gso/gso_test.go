package gso_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net/netip"
	"slices"
	"testing"

	"example.com/berth/internal/header"
	"example.com/berth/link"
	"example.com/berth/link/gso"
	"example.com/berth/link/linktest"
)

var (
	src4, dst4 = netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2")
	src6, dst6 = netip.MustParseAddr("2001:db8::1"), netip.MustParseAddr("2001:db8::2")
)

// A large frame to be made: the zero value is TCP over IPv4 on an IP link.
type large struct {
	medium     link.Medium
	v6, udp    bool
	flags      header.TCPFlags
	urgent     uint16
	options    []byte // of IPv4
	extensions []byte // of IPv6, with the transport's protocol as next header
	payload    int
	size       int
	inPayload  bool // headers and all
}

const firstID, firstSeq = 0xfffe, 0xffffff00 // both wrap

func (l large) frame() link.Frame {
	f := link.Frame{Payload: pattern(l.payload), SegSize: uint16(l.size), Comment: "made by the test"}
	var h []byte
	if l.medium == link.Ethernet {
		h = (&header.Ethernet{Dst: header.MAC{2, 2}, Src: header.MAC{2, 1}, Type: 0x0800}).Append(h)
	}
	transport := (&header.TCP{
		SrcPort: 1, DstPort: 2, Seq: firstSeq, Ack: 7, Flags: l.flags, Window: 99, Urgent: l.urgent,
		Options: header.TCPOptions{HasTS: true, TSVal: 5, TSEcr: 6},
	}).Append(nil)
	protocol := uint8(header.ProtocolTCP)
	f.GSO, f.CsumOffset = link.GSOTCP4, 16
	if l.v6 {
		f.GSO = link.GSOTCP6
	}
	if l.udp {
		transport = (&header.UDP{SrcPort: 1, DstPort: 2, PayloadLen: l.payload}).Append(nil)
		protocol = header.ProtocolUDP
		f.GSO, f.CsumOffset = link.GSOUDP, 6
	}
	length := len(transport) + l.payload
	if l.v6 {
		next := protocol
		if l.extensions != nil {
			next = header.ProtocolHopByHop
		}
		h = (&header.IPv6{
			PayloadLen: len(l.extensions) + length, NextHeader: next, HopLimit: 64, Src: src6, Dst: dst6,
		}).Append(h)
		h = append(h, l.extensions...)
	} else {
		h = (&header.IPv4{
			PayloadLen: length, ID: firstID, DF: true, TTL: 64, Protocol: protocol, Src: src4, Dst: dst4, Options: l.options,
		}).Append(h)
	}
	f.Checksum, f.CsumStart = link.ChecksumPartial, uint16(len(h))
	f.Head = append(h, transport...)
	if l.inPayload {
		f.Payload, f.Head = f.AppendTo(nil), nil
	}
	return f
}

func pattern(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i*13 + i>>8)
	}
	return b
}

// cut cuts one frame for a device without offloads.
func cut(t *testing.T, medium link.Medium, f link.Frame) []link.Frame {
	t.Helper()
	out, bad := new(gso.Cutter).Cut(medium, 0, []link.Frame{f})
	if bad != 0 {
		t.Fatalf("%d frames were bad", bad)
	}
	return out
}

// A segment is a packet read by the parsers, which verify lengths and the
// checksum of IPv4; here that of the transport is verified, too.
type segment struct {
	id      int // of IPv4
	tcp     header.TCP
	udp     header.UDP
	payload []byte
}

func parse(t *testing.T, l large, f *link.Frame) (s segment) {
	t.Helper()
	if f.GSO != 0 || f.SegSize != 0 || f.Checksum != link.ChecksumFull || f.CsumStart != 0 {
		t.Errorf("a segment is still %+v", f)
	}
	if f.Comment != "made by the test" {
		t.Errorf("the comment became %q", f.Comment)
	}
	b := f.AppendTo(nil)[l.medium.HeaderLen():]
	src, dst, protocol := src4, dst4, uint8(header.ProtocolTCP)
	var err error
	if l.v6 {
		var ip header.IPv6
		src, dst = src6, dst6
		b, err = ip.Parse(b)
		b = b[len(l.extensions):]
		s.id = -1
	} else {
		var ip header.IPv4
		b, err = ip.Parse(b)
		s.id = int(ip.ID)
		if !bytes.Equal(ip.Options, l.options) {
			t.Errorf("IP options % x", ip.Options)
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	if l.udp {
		protocol = header.ProtocolUDP
		s.payload, err = s.udp.Parse(b)
	} else {
		s.payload, err = s.tcp.Parse(b)
	}
	if err != nil {
		t.Fatal(err)
	}
	if header.Fold(header.Sum(b, header.PseudoSum(src, dst, protocol, len(b)))) != 0 {
		t.Error("bad checksum")
	}
	return s
}

func TestSegments(t *testing.T) {
	hopByHop := []byte{header.ProtocolTCP, 0, 1, 4, 0, 0, 0, 0} // padding
	for _, tt := range []struct {
		name string
		large
		sizes []int
	}{
		{"TCP over IPv4", large{payload: 2500, size: 1000}, []int{1000, 1000, 500}},
		{"TCP over IPv6", large{v6: true, payload: 2500, size: 1000}, []int{1000, 1000, 500}},
		{"UDP over IPv4", large{udp: true, payload: 2500, size: 1000}, []int{1000, 1000, 500}},
		{"UDP over IPv6", large{udp: true, v6: true, payload: 2500, size: 1000}, []int{1000, 1000, 500}},
		{"Ethernet", large{medium: link.Ethernet, payload: 2500, size: 1000}, []int{1000, 1000, 500}},
		{"all in the payload", large{medium: link.Ethernet, inPayload: true, payload: 30, size: 20}, []int{20, 10}},
		{"odd lengths", large{payload: 27, size: 9}, []int{9, 9, 9}},
		{"one segment", large{payload: 8, size: 8}, []int{8}},
		{"no payload", large{payload: 0, size: 8}, []int{0}},
		{"IPv4 options", large{options: []byte{1, 1, 1, 0}, payload: 30, size: 20}, []int{20, 10}},
		{"IPv6 extension header", large{v6: true, extensions: hopByHop, payload: 30, size: 20}, []int{20, 10}},
		{"64 KiB", large{payload: 65000, size: 32500}, []int{32500, 32500}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := tt.frame()
			before := f.AppendTo(nil)
			var sizes []int
			var payload []byte
			for i, out := range cut(t, tt.medium, f) {
				s := parse(t, tt.large, &out)
				if !tt.v6 && s.id != (firstID+i)&0xffff {
					t.Errorf("segment %d has identification %#x", i, s.id)
				}
				if want := uint32(len(payload)) + firstSeq; !tt.udp && uint32(s.tcp.Seq) != want {
					t.Errorf("segment %d has sequence number %d, want %d", i, s.tcp.Seq, want)
				}
				if !tt.udp && (s.tcp.Ack != 7 || s.tcp.Window != 99 || s.tcp.Options.TSVal != 5) {
					t.Errorf("segment %d has %+v", i, s.tcp)
				}
				sizes = append(sizes, len(s.payload))
				payload = append(payload, s.payload...)
			}
			if !slices.Equal(sizes, tt.sizes) || !bytes.Equal(payload, pattern(tt.payload)) {
				t.Errorf("segments of %v, want %v with the same bytes", sizes, tt.sizes)
			}
			if !bytes.Equal(before, f.AppendTo(nil)) {
				t.Error("the large frame was changed")
			}
		})
	}
}

func TestFlags(t *testing.T) {
	for _, tt := range []struct {
		flags  header.TCPFlags
		urgent uint16
		want   string
	}{
		{header.ACK, 0, "A A A"},
		{header.ACK | header.FIN | header.PSH, 0, "A A FPA"},
		{header.ACK | header.ECE | header.CWR, 0, "AEW AE AE"},
		{header.ACK | header.URG, 15, "AU15 AU5 A"},
		{header.ACK | header.URG, 10, "AU10 A A"},
		{header.ACK | header.URG, 500, "AU500 AU490 AU480"},
	} {
		l := large{flags: tt.flags, urgent: tt.urgent, payload: 30, size: 10}
		var got string
		for _, f := range cut(t, link.IP, l.frame()) {
			s := parse(t, l, &f)
			got += " " + s.tcp.Flags.String()
			if s.tcp.Urgent != 0 {
				got += fmt.Sprint(s.tcp.Urgent)
			}
		}
		if got[1:] != tt.want {
			t.Errorf("%v became%s, want %s", tt.flags, got, tt.want)
		}
	}
}

func TestUDPWithoutChecksumStaysWithout(t *testing.T) {
	for _, state := range []link.Checksum{link.ChecksumFull, link.ChecksumVerified} {
		f := large{udp: true, payload: 20, size: 10}.frame()
		f.Checksum = state
		for _, s := range cut(t, link.IP, f) {
			if got := binary.BigEndian.Uint16(s.Head[26:]); got != 0 {
				t.Errorf("checksum %#x", got)
			}
		}
	}
}

// partial returns a datagram whose checksum is to be completed.
func partial(payload []byte) link.Frame {
	h := (&header.IPv4{PayloadLen: 8 + len(payload), TTL: 64, Protocol: header.ProtocolUDP, Src: src4, Dst: dst4}).Append(nil)
	sum := header.Partial(header.PseudoSum(src4, dst4, header.ProtocolUDP, 8+len(payload)))
	h = (&header.UDP{SrcPort: 1, DstPort: 2, PayloadLen: len(payload), Checksum: sum}).Append(h)
	return link.Frame{
		Head: h, Payload: payload, Comment: "made by the test",
		Checksum: link.ChecksumPartial, CsumStart: 20, CsumOffset: 6,
	}
}

func TestComplete(t *testing.T) {
	for _, size := range []int{0, 1, 2, 1399} {
		whole := partial(pattern(size))
		inPayload, oddHead := whole, whole
		inPayload.Head, inPayload.Payload = nil, whole.AppendTo(nil)
		oddHead.Head, oddHead.Payload = whole.AppendTo(nil)[:27], whole.AppendTo(nil)[27:]
		for name, f := range map[string]link.Frame{"head": whole, "payload": inPayload, "both": oddHead} {
			t.Run(fmt.Sprint(name, size), func(t *testing.T) {
				before := f.AppendTo(nil)
				out := cut(t, link.IP, f)
				s := parse(t, large{udp: true}, &out[0])
				if len(out) != 1 || !bytes.Equal(s.payload, pattern(size)) {
					t.Errorf("%d frames, payload % x", len(out), s.payload)
				}
				if !bytes.Equal(before, f.AppendTo(nil)) {
					t.Error("the lent frame was changed")
				}
			})
		}
	}
}

// TestASumOfZero has it sent as ones in UDP, where 0 says that there is none, and
// only there.
func TestASumOfZero(t *testing.T) {
	completed := func(udp bool, payload []byte) link.Frame {
		if udp {
			return partial(payload)
		}
		f := large{payload: len(payload), size: 1000}.frame()
		f.Payload, f.GSO, f.SegSize = payload, 0, 0
		sum := header.PseudoSum(src4, dst4, header.ProtocolTCP, len(f.Head)-header.IPv4MinLen+len(payload))
		binary.BigEndian.PutUint16(f.Head[36:], header.Partial(sum))
		return f
	}
	segment := func(udp bool, payload []byte) link.Frame {
		f := large{udp: udp, payload: len(payload), size: 1000}.frame()
		f.Payload = payload
		return f
	}
	for _, tt := range []struct {
		name  string
		frame func(udp bool, payload []byte) link.Frame
		udp   bool
		at    int
		want  uint16
	}{
		{"UDP completed", completed, true, 26, 0xffff},
		{"UDP cut", segment, true, 26, 0xffff},
		{"TCP completed", completed, false, 36, 0},
		{"TCP cut", segment, false, 36, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			full := cut(t, link.IP, tt.frame(tt.udp, []byte{0, 0}))[0]
			// Sent as payload, the checksum itself makes the new sum 0.
			full = cut(t, link.IP, tt.frame(tt.udp, bytes.Clone(full.Head[tt.at:tt.at+2])))[0]
			if got := binary.BigEndian.Uint16(full.Head[tt.at:]); got != tt.want {
				t.Errorf("checksum %#x, want %#x", got, tt.want)
			}
			parse(t, large{udp: tt.udp}, &full)
		})
	}
}

func TestOnlyWhatTheDeviceLacksIsDone(t *testing.T) {
	var (
		plain   = link.Frame{Payload: []byte("plain")}
		sum     = partial(pattern(10))
		tcp4    = large{payload: 30, size: 10}.frame()
		tcp6    = large{v6: true, payload: 30, size: 10}.frame()
		udp     = large{udp: true, payload: 30, size: 10}.frame()
		unknown = link.Frame{GSO: 99}
	)
	batch := []link.Frame{plain, sum, tcp4, tcp6, udp, plain}
	for _, tt := range []struct {
		offload link.Offload
		want    int
	}{
		{link.OffloadAll, 6},
		{link.OffloadAll &^ link.OffloadTCP4, 8},
		{link.OffloadAll &^ link.OffloadUDP, 8},
		{link.OffloadChecksum, 12},
		{0, 12},
	} {
		out, bad := new(gso.Cutter).Cut(link.IP, tt.offload, batch)
		if len(out) != tt.want || bad != 0 {
			t.Errorf("offload %#x: %d frames and %d bad, want %d", tt.offload, len(out), bad, tt.want)
		}
		info := link.Info{MTU: 1500, Offload: tt.offload}
		for i := range out {
			if err := info.Check(&out[i]); err != nil {
				t.Errorf("offload %#x: frame %d: %v", tt.offload, i, err)
			}
		}
		if same := &out[0] == &batch[0]; same != (tt.offload == link.OffloadAll) {
			t.Errorf("offload %#x: the slice given is returned: %v", tt.offload, same)
		}
	}
	if out, bad := new(gso.Cutter).Cut(link.IP, link.OffloadAll, []link.Frame{plain, unknown}); bad != 1 || len(out) != 1 {
		t.Errorf("an unknown kind: %d frames, %d bad", len(out), bad)
	}
}

func TestBadFramesAreLeftOut(t *testing.T) {
	change := func(f func(*link.Frame)) link.Frame {
		x := large{payload: 30, size: 10}.frame()
		f(&x)
		return x
	}
	for name, f := range map[string]link.Frame{
		"small segments":   large{payload: 30, size: 7}.frame(),
		"no headers":       {GSO: link.GSOTCP4, SegSize: 10, Payload: pattern(10)},
		"another version":  change(func(f *link.Frame) { f.GSO = link.GSOTCP6 }),
		"another protocol": change(func(f *link.Frame) { f.GSO = link.GSOUDP }),
		"unknown kind":     change(func(f *link.Frame) { f.GSO = link.GSOUDP + 1 }),
		"IP header":        change(func(f *link.Frame) { f.Head[0] = 0x44 }),
		"IP header beyond": change(func(f *link.Frame) { f.Head[0] = 0x4f }),
		"TCP header":       change(func(f *link.Frame) { f.Head[32] = 0x40 }),
		"TCP beyond":       change(func(f *link.Frame) { f.Head[32] = 0xf0 }),
		"head too long":    change(func(f *link.Frame) { f.Head = append(f.Head, 0) }),
		"fragment": change(func(f *link.Frame) {
			*f = large{v6: true, extensions: []byte{header.ProtocolFragment, 0, 1, 4, 0, 0, 0, 0}, payload: 30, size: 10}.frame()
		}),
		"checksum outside": {Head: make([]byte, 20), Checksum: link.ChecksumPartial, CsumStart: 10, CsumOffset: 9},
	} {
		good := large{payload: 30, size: 10}.frame()
		out, bad := new(gso.Cutter).Cut(link.IP, 0, []link.Frame{good, f, good})
		if bad != 1 || len(out) != 6 {
			t.Errorf("%s: %d frames, %d bad", name, len(out), bad)
		}
	}
}

// TestCutShort cuts frames with the headers in the payload at every length.
func TestCutShort(t *testing.T) {
	for _, l := range []large{{}, {v6: true}, {udp: true}, {medium: link.Ethernet, udp: true, v6: true}} {
		l.size, l.inPayload = 10, true
		f := l.frame()
		whole := f.Payload
		for n := range whole {
			f.Payload = whole[:n]
			if out, bad := new(gso.Cutter).Cut(l.medium, 0, []link.Frame{f}); bad != 1 || len(out) != 0 {
				t.Errorf("%+v with %d of %d bytes was cut", l, n, len(whole))
			}
		}
	}
}

func TestManyFramesInOneCall(t *testing.T) {
	l := large{payload: 1000, size: 8}
	batch := slices.Repeat([]link.Frame{l.frame()}, 20)
	var c gso.Cutter
	for range 2 {
		out, _ := c.Cut(link.IP, 0, batch)
		if len(out) != 20*125 {
			t.Fatalf("%d segments", len(out))
		}
		for i := range out {
			parse(t, l, &out[i])
		}
	}
}

func TestNoAllocs(t *testing.T) {
	batch := []link.Frame{large{payload: 60000, size: 1448}.frame(), partial(pattern(100))}
	batch = append(batch, link.Frame{Payload: batch[1].AppendTo(nil), Checksum: link.ChecksumPartial, CsumStart: 20, CsumOffset: 6})
	var c gso.Cutter
	linktest.NoAllocs(t, func() {
		if _, bad := c.Cut(link.IP, 0, batch); bad != 0 {
			t.Error("bad")
		}
	})
}

func FuzzCut(f *testing.F) {
	for _, l := range []large{{}, {v6: true}, {udp: true}, {medium: link.Ethernet}} {
		l.payload, l.size, l.inPayload = 50, 10, true
		x := l.frame()
		f.Add(l.medium == link.Ethernet, uint8(x.GSO), uint16(10), uint16(0), x.CsumStart, x.CsumOffset, x.Payload)
		f.Add(l.medium == link.Ethernet, uint8(0), uint16(0), x.CsumStart, x.CsumStart, x.CsumOffset, x.Payload)
	}
	f.Fuzz(func(t *testing.T, ethernet bool, kind uint8, size, head, start, offset uint16, b []byte) {
		head = min(head, uint16(len(b)))
		fr := link.Frame{
			Head: b[:head], Payload: b[head:], GSO: link.GSO(kind % 4), SegSize: size,
			Checksum: link.ChecksumPartial, CsumStart: start, CsumOffset: offset,
		}
		medium := link.IP
		if ethernet {
			medium = link.Ethernet
		}
		before := bytes.Clone(b)
		out, bad := new(gso.Cutter).Cut(medium, 0, []link.Frame{fr})
		if !bytes.Equal(before, b) {
			t.Fatal("the lent frame was changed")
		}
		total := 0
		for i := range out {
			total += len(out[i].Payload)
			if out[i].GSO != 0 || out[i].Checksum != link.ChecksumFull {
				t.Fatalf("still %+v", out[i])
			}
		}
		if bad+min(len(out), 1) != 1 || total > len(b) {
			t.Fatalf("%d frames with %d bytes, %d bad", len(out), total, bad)
		}
	})
}

func BenchmarkCut(b *testing.B) {
	batch := []link.Frame{large{payload: 64000, size: 1448}.frame()}
	var c gso.Cutter
	b.SetBytes(64000)
	b.ReportAllocs()
	for b.Loop() {
		c.Cut(link.IP, 0, batch)
	}
}
