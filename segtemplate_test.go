package berth

import (
	"bytes"
	"net/netip"
	"testing"

	"example.com/berth/internal/header"
	"example.com/berth/internal/tcp"
	"example.com/berth/link"
	"example.com/berth/link/wire"
	"example.com/berth/socket"
)

// framer is a stream that is ready to write headers, and nothing else, between
// addresses of which the first is its host's.
func framer(t testing.TB, local, remote string, opts ...wire.Option) *stream {
	t.Helper()
	dev, _ := wire.Pair(opts...)
	h := NewHost(Config{})
	t.Cleanup(func() { h.Close() })
	if _, err := h.Attach(dev, local); err != nil {
		t.Fatal(err)
	}
	from, to := netip.MustParsePrefix(local).Addr(), netip.MustParseAddr(remote)
	s := newStream(h, socket.INET6)
	s.local, s.remote, s.label = netip.AddrPortFrom(from, 1234), netip.AddrPortFrom(to, 80), 0x54321
	p, err := h.routeBy(nil, to, from, 0)
	if err != nil {
		t.Fatal(err)
	}
	s.path = p
	return s
}

var framed = []struct {
	name string
	seg  tcp.Segment
}{
	{"an acknowledgment", tcp.Segment{Seq: 1, Ack: 0xffffffff, Flags: header.ACK, Window: 0xffff}},
	{"data with timestamps", tcp.Segment{
		Seq: 0x12345678, Ack: 2, Flags: header.ACK | header.PSH, Window: 3, Payload: []byte("hello"),
		Options: header.TCPOptions{HasTS: true, TSVal: 4, TSEcr: 5},
	}},
	{"urgent data, marks of all kinds", tcp.Segment{
		Flags: header.ACK | header.URG | header.ECE | header.CWR | header.AE, Urgent: 7, ECN: 2, Payload: make([]byte, 1448),
	}},
	{"SACK", tcp.Segment{
		Flags: header.ACK, ECN: 1,
		Options: header.TCPOptions{HasTS: true, SACKCount: 3, SACK: [4]header.SACKBlock{{Left: 1, Right: 2}}},
	}},
	{"a large segment", tcp.Segment{Flags: header.ACK, Payload: make([]byte, 4000), SegSize: 1448}},
}

// The headers of a template are those of the long way.
func TestSegmentTemplate(t *testing.T) {
	for _, net := range []struct {
		name, local, remote string
		opts                []wire.Option
	}{
		{"IPv4", "10.0.0.1/24", "10.0.0.2", []wire.Option{wire.Offload(0)}},
		{"IPv6", "fd00::1/64", "fd00::2", []wire.Option{wire.Offload(0)}},
		{"IPv4, offload", "10.0.0.1/24", "10.0.0.2", nil},
		{"IPv6, offload", "fd00::1/64", "fd00::2", nil},
		{"IPv4, Ethernet", "10.0.0.1/24", "10.0.0.2", []wire.Option{wire.Ethernet()}},
		{"IPv6, Ethernet", "fd00::1/64", "fd00::2", []wire.Option{wire.Ethernet()}},
	} {
		for _, tt := range framed {
			t.Run(net.name+", "+tt.name, func(t *testing.T) {
				s := framer(t, net.local, net.remote, net.opts...)
				ip := s.ownIP()
				ip.tos, ip.tclass, ip.ttl, ip.hops = 0xb8, 0x2c, 17, 18
				var long, short link.Frame
				for range segmentsInRow {
					s.frame(&long, make([]byte, 0, headSize), &tt.seg)
				}
				if s.template == nil || !s.template.good(s) {
					t.Fatal("there is no template")
				}
				s.frame(&short, make([]byte, 0, headSize), &tt.seg)
				if !bytes.Equal(long.Head, short.Head) {
					t.Errorf("\n%x by the template, want\n%x", short.Head, long.Head)
				}
				long.Head, short.Head = nil, nil
				if !bytes.Equal(long.Payload, short.Payload) {
					t.Error("another payload")
				}
				if long.GSO != short.GSO || long.SegSize != short.SegSize || long.Checksum != short.Checksum ||
					long.CsumStart != short.CsumStart || long.CsumOffset != short.CsumOffset {
					t.Errorf("%+v by the template, want %+v", short, long)
				}
			})
		}
	}
}

// What a template was made from may change.
func TestSegmentTemplateIsMadeAnew(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(*stream)
		made   bool // again, after some more segments
	}{
		{"an option of IP", func(s *stream) { s.ownIP().tclass = 4 }, true},
		{"the state of the routes", func(s *stream) { s.path.gen++ }, true},
		{"what routers say", func(s *stream) { s.path.ifc.hopLimit.Store(99) }, true},
		{"fragments are allowed", func(s *stream) { s.ownIP().mtuDiscover6 = socket.IP_PMTUDISC_DONT }, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := framer(t, "fd00::1/64", "fd00::2", wire.Offload(0))
			seg := framed[1].seg
			var f link.Frame
			row := func() []byte {
				for range segmentsInRow {
					s.frame(&f, make([]byte, 0, headSize), &seg)
				}
				return bytes.Clone(f.Head)
			}
			row()
			tt.change(s)
			if s.template.good(s) {
				t.Fatal("the template is good still")
			}
			long := row()
			if (s.template != nil) != tt.made {
				t.Errorf("there is a template: %v, want %v", s.template != nil, tt.made)
			}
			if short := row(); !bytes.Equal(short, long) {
				t.Errorf("\n%x afterwards, want\n%x", short, long)
			}
		})
	}
}

func BenchmarkSegmentTemplate(b *testing.B) {
	s := framer(b, "10.0.0.1/24", "10.0.0.2", wire.Offload(0))
	seg := framed[1].seg
	var f link.Frame
	head := make([]byte, 0, headSize)
	b.Run("by template", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			s.frame(&f, head, &seg)
		}
	})
	b.Run("the long way", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			s.template = nil
			s.inRow = 0
			s.frame(&f, head, &seg)
		}
	})
}
