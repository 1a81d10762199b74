package ladder

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"example.com/berth/internal/header"
	"example.com/berth/link"
	"example.com/berth/link/impair"
)

var (
	alice = netip.MustParseAddrPort("10.0.0.1:1000")
	bob   = netip.MustParseAddrPort("10.0.0.2:80")
)

// segment builds a TCP segment in an IPv4 packet.
func segment(from Side, flags header.TCPFlags, seq, ack uint32, size int, opts header.TCPOptions) []byte {
	src, dst := alice, bob
	if from == Right {
		src, dst = bob, alice
	}
	h := header.TCP{SrcPort: src.Port(), DstPort: dst.Port(), Flags: flags, Options: opts}
	h.Seq, h.Ack = h.Seq.Add(int(seq)), h.Ack.Add(int(ack))
	ip := header.IPv4{TTL: 64, Protocol: header.ProtocolTCP, Src: src.Addr(), Dst: dst.Addr(), PayloadLen: h.HeaderLen() + size}
	return append(h.Append(ip.Append(nil)), make([]byte, size)...)
}

// recorder feeds a trace as an impaired device does, a millisecond a packet.
type recorder struct {
	t    *Trace
	line [2]impair.Config
}

func newRecorder() *recorder {
	r := &recorder{t: New(false)}
	r.t.Watch(Left, &r.line[Left])
	r.t.Watch(Right, &r.line[Right])
	return r
}

func (r *recorder) sent(from Side, packet []byte) {
	r.line[from].Rule(0, &link.Frame{Payload: packet})
}

func (r *recorder) lost(from Side, packet []byte) {
	r.sent(from, packet)
	r.line[from].Observe(impair.Event{Cause: impair.Lost})
}

// events are what was recorded, with times of a millisecond each.
func (r *recorder) events() []Event {
	events := r.t.Since(0)
	for i := range events {
		events[i].At = time.Duration(i) * time.Millisecond
	}
	return events
}

func conversation() *recorder {
	r := newRecorder()
	const iss, irs = 0xffff_fff0, 5000 // wraps
	offer := header.TCPOptions{MSS: 1460, HasWScale: true, WScale: 7, SACKPermitted: true, HasTS: true}
	r.t.Called(r.t.Now(), Call{Side: Left, Text: "Connect(10.0.0.2:80)", Detail: "tcp 10.0.0.1:1000 → 10.0.0.2:80  SYN-SENT"})
	r.sent(Left, segment(Left, header.SYN, iss, 0, 0, offer))
	r.sent(Right, segment(Right, header.SYN|header.ACK, irs, iss+1&0xffffffff, 0, offer))
	r.sent(Left, segment(Left, header.ACK, iss+1&0xffffffff, irs+1, 0, header.TCPOptions{}))
	r.lost(Left, segment(Left, header.PSH|header.ACK, iss+1&0xffffffff, irs+1, 100, header.TCPOptions{}))
	next := uint32((iss + 101) & 0xffffffff)
	r.sent(Left, segment(Left, header.PSH|header.ACK, next, irs+1, 50, header.TCPOptions{}))
	sack := header.TCPOptions{SACKCount: 1}
	sack.SACK[0].Left, sack.SACK[0].Right = sack.SACK[0].Left.Add(int(next)), sack.SACK[0].Right.Add(int(next)+50)
	r.sent(Right, segment(Right, header.ACK, irs+1, iss+1&0xffffffff, 0, sack))
	r.sent(Left, segment(Left, header.PSH|header.ACK, iss+1&0xffffffff, irs+1, 100, header.TCPOptions{}))
	r.lost(Right, segment(Right, header.ACK, irs+1, next+50, 0, header.TCPOptions{}))
	r.t.Called(r.t.Now(), Call{Side: Right, Text: "Recv() = 150", Detail: "tcp 10.0.0.2:80 → 10.0.0.1:1000  ESTABLISHED"})
	r.sent(Right, segment(Right, header.FIN|header.ACK, irs+1, next+50, 0, header.TCPOptions{}))
	r.sent(Left, segment(Left, header.RST, next+50, 0, 0, header.TCPOptions{}))
	return r
}

const drawn = `      ms alice                                                               bob
     0.0 ● Connect(10.0.0.2:80)  tcp 10.0.0.1:1000 → 10.0.0.2:80  SYN-SENT     │
     1.0 │──── SYN  seq 0  mss 1460 wscale 7 sack ts ─────────────────────────▶│
     2.0 │◀────────────── SYN ACK  seq 0  ack 1  mss 1460 wscale 7 sack ts ────│
     3.0 │──── ACK  seq 1  ack 1 ─────────────────────────────────────────────▶│
     4.0 │──── PSH ACK  seq 1  ack 1  len 100 ─────────────✗ lost              │
     5.0 │──── PSH ACK  seq 101  ack 1  len 50 ───────────────────────────────▶│
     6.0 │◀─────────────────────────────── ACK  seq 1  ack 1  sack 101-151 ────│
     7.0 │──── PSH ACK  seq 1  ack 1  len 100  resent ────────────────────────▶│
     8.0 │                   lost ✗─────────────────── ACK  seq 1  ack 151 ────│
     9.0 │          Recv() = 150  tcp 10.0.0.2:80 → 10.0.0.1:1000  ESTABLISHED ●
    10.0 │◀─────────────────────────────────────── FIN ACK  seq 1  ack 151 ────│
    11.0 │──── RST  seq 151 ──────────────────────────────────────────────────▶│
`

func TestDraw(t *testing.T) {
	var b strings.Builder
	d := Diagram{Names: [2]string{"alice", "bob"}, Width: 80}
	if err := d.Draw(&b, conversation().events()); err != nil {
		t.Fatal(err)
	}
	if got := b.String(); got != drawn {
		t.Errorf("drawn is\n%s\nwant\n%s", got, drawn)
	}
}

func inColour(s Style, text string) string { return fmt.Sprintf("\x1b[%dm%s\x1b[0m", 31+s, text) }

func TestWidth(t *testing.T) {
	for _, width := range []int{80, 93, 100} {
		for _, paint := range []Paint{nil, inColour} {
			var b strings.Builder
			d := Diagram{Names: [2]string{"alice", "bob"}, Width: width, Paint: paint}
			if err := d.Draw(&b, Excerpt(conversation().events(), 1, 1)); err != nil {
				t.Fatal(err)
			}
			for line := range strings.Lines(b.String()) {
				if got := visible(strings.TrimSuffix(line, "\n")); got != width {
					t.Errorf("%d columns, want %d: %s", got, width, line)
				}
			}
		}
	}
}

func TestLongTimesKeepTheirColumns(t *testing.T) {
	for at, want := range map[time.Duration]string{
		0: "     0.0 ", 1500 * time.Microsecond: "     1.5 ", 2 * time.Hour: " 7200.0s ",
	} {
		if got := stamp(at); got != want {
			t.Errorf("%v is %q, want %q", at, got, want)
		}
	}
}

func TestALongLabelIsCut(t *testing.T) {
	p := &Packet{Protocol: header.ProtocolTCP}
	for i := range 4 {
		p.SACK = append(p.SACK, [2]uint32{uint32(i) << 30, ^uint32(0)})
	}
	p.TCP.Flags, p.Seq, p.Ack, p.Len, p.Resent = header.ACK|header.PSH|header.URG|header.ECE, ^uint32(0), ^uint32(0), 65535, true
	d := Diagram{Width: 80}
	for _, lost := range []string{"", "lost", "dropped: too much on the way"} {
		p.Lost = lost
		if got := utf8.RuneCountInString(d.arrow(p)); got != d.inner() {
			t.Errorf("%d columns, want %d: %s", got, d.inner(), d.arrow(p))
		}
	}
}

func TestExcerptShowsTheLossAndWhatMendedIt(t *testing.T) {
	r := newRecorder()
	data := func(i int) []byte {
		return segment(Left, header.ACK, uint32(i*100), 1, 100, header.TCPOptions{})
	}
	ack := func(n, sackTo int) []byte {
		var o header.TCPOptions
		if sackTo > 0 {
			o.SACKCount = 1
			o.SACK[0].Left, o.SACK[0].Right = o.SACK[0].Left.Add(n+100), o.SACK[0].Right.Add(sackTo)
		}
		return segment(Right, header.ACK, 1, uint32(n), 0, o)
	}
	for i := range 10 {
		r.sent(Left, data(i))
	}
	r.lost(Left, data(10))
	for i := 11; i < 20; i++ {
		r.sent(Left, data(i))
	}
	for i := 12; i <= 20; i++ {
		r.sent(Right, ack(1000, i*100))
	}
	r.sent(Left, data(10))
	r.sent(Right, ack(2000, 0))
	for i := 20; i < 40; i++ {
		r.sent(Left, data(i))
	}
	var got []string
	for _, e := range Excerpt(r.events(), 2, 1) {
		switch {
		case e.Packet == nil:
			got = append(got, e.LeftOut)
		case e.Packet.Lost != "":
			got = append(got, fmt.Sprintf("%d lost", e.Packet.Seq))
		case e.Packet.Resent:
			got = append(got, fmt.Sprintf("%d resent", e.Packet.Seq))
		case e.Packet.From == Right:
			got = append(got, fmt.Sprintf("ack %d", e.Packet.Ack))
		default:
			got = append(got, fmt.Sprint(e.Packet.Seq))
		}
	}
	want := "0, 100, ▶ 8 packets, 800 bytes, 1000 lost, 1100, 1200, ▶ 7 packets, 700 bytes, " +
		"ack 1000, ack 1000, ack 1000, ◀ 6 packets, 1000 resent, ack 2000, ▶ 19 packets, 1.9 KiB, 3900"
	if s := strings.Join(got, ", "); s != want {
		t.Errorf("excerpt is\n%s\nwant\n%s", s, want)
	}
}

func TestWhatIsNoPacketIsShownAllTheSame(t *testing.T) {
	r := newRecorder()
	for _, b := range [][]byte{nil, {0x45}, {0x60, 1, 2}, make([]byte, 40), segment(Left, header.SYN, 1, 0, 0, header.TCPOptions{})[:30]} {
		r.sent(Left, b)
	}
	for _, e := range r.events() {
		if e.Packet.Label() == "" {
			t.Error("no label")
		}
	}
}

func TestALabelMayBeBrought(t *testing.T) {
	if got := (&Packet{Protocol: header.ProtocolTCP, Text: "hello"}).Label(); got != "hello" {
		t.Errorf("label %q", got)
	}
}

func TestLabels(t *testing.T) {
	udp := header.UDP{SrcPort: 1, DstPort: 2, PayloadLen: 3}
	icmp := header.ICMP{Type: header.ICMPv4Unreachable, Code: 3}
	for _, tt := range []struct {
		protocol uint8
		body     []byte
		want     string
	}{
		{header.ProtocolUDP, append(udp.Append(nil), 1, 2, 3), "UDP  len 3"},
		{header.ProtocolICMP, icmp.Append(nil), "ICMP type 3 code 3"},
		{132, []byte{1, 2}, "protocol 132  len 2"},
		{header.ProtocolTCP, segment(Left, 0, 1, 0, 0, header.TCPOptions{})[20:], "no flags  seq 0"},
	} {
		ip := header.IPv4{TTL: 1, Protocol: tt.protocol, Src: alice.Addr(), Dst: bob.Addr(), PayloadLen: len(tt.body)}
		r := newRecorder()
		r.sent(Left, append(ip.Append(nil), tt.body...))
		if got := r.events()[0].Packet.Label(); got != tt.want {
			t.Errorf("label %q, want %q", got, tt.want)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add(segment(Left, header.SYN, 1, 0, 10, header.TCPOptions{MSS: 1460}))
	f.Add([]byte{0x60})
	f.Fuzz(func(t *testing.T, b []byte) {
		r := newRecorder()
		r.sent(Left, b)
		var out strings.Builder
		d := Diagram{Width: 80}
		if err := d.Draw(&out, r.events()); err != nil {
			t.Fatal(err)
		}
	})
}
