package berth_test

import (
	"errors"
	"net/netip"
	"syscall"
	"testing"

	"example.com/berth"
	"example.com/berth/internal/header"
	"example.com/berth/socket"
)

// oddOptions are options that no segment but a SYN has, that nobody knows, or
// that are malformed.
var oddOptions = map[string]string{
	"MSS":                      "\x02\x04\x02\x18",
	"unknown":                  "\xfd\x06abcd\x00\x00",
	"unknown, and of no use":   "\x1e\x02\x01\x01",
	"timestamps unaligned":     "\x01\x08\x0a\x00\x00\x00\x01\x00\x00\x00\x00\x00",
	"length 0":                 "\xfd\x00\x02\x04",
	"length 1":                 "\x08\x01\x00\x00",
	"beyond the header":        "\x08\x0a\x00\x00",
	"no length":                "\x01\x01\x01\x02",
	"something behind the end": "\x00\xff\xff\xff",
}

// MUST-5, MUST-6, MUST-7: whatever options a segment has, in whatever state it
// comes, the segment is taken.
func TestOptionsComeInAnySegment(t *testing.T) {
	both(t, func(t *testing.T, remote netip.Addr) {
		for name, options := range oddOptions {
			h, st := stationed(t, berth.Config{})
			p := playedServer(t, h, st, remote)
			with := func(flags header.TCPFlags, data string) {
				p.sendWith(header.TCP{Flags: flags}, []byte(options), data)
			}
			with(header.ACK|header.PSH, "hello")
			p.wantData(t, "hello")
			with(header.ACK|header.FIN, "")
			p.wantData(t, "")
			p.seq++
			with(header.RST, "")
			if _, err := p.sock.Send([]byte("x"), 0); !errors.Is(err, syscall.EPIPE) {
				t.Errorf("%s: after a reset Send gives %v", name, err)
			}
		}
	})
}

// MUST-4, MUST-14, MUST-64: the MSS option is found wherever it begins, among
// NOPs and options of any length.
func TestTheMSSOptionIsFound(t *testing.T) {
	both(t, func(t *testing.T, remote netip.Addr) {
		for name, tt := range map[string]struct {
			options string
			mss     int
		}{
			"at first":               {"\x02\x04\x02\x80", 640},
			"behind one NOP":         {"\x01\x02\x04\x02\x80\x00\x00\x00", 640},
			"behind three NOPs":      {"\x01\x01\x01\x02\x04\x02\x80\x00", 640},
			"behind an unknown one":  {"\xfd\x03x\x02\x04\x02\x80\x00", 640},
			"behind the end: not":    {"\x00\x02\x04\x02\x80\x00\x00\x00", map[bool]int{true: 536, false: 1220}[remote.Is4()]},
			"before a malformed one": {"\x02\x04\x02\x80\xfd\x00\x00\x00", 640},
		} {
			h, st := stationed(t, berth.Config{})
			l := listenOn(t, h, netip.AddrPortFrom(localOf(remote), 80), 8)
			p := &played{st: st, local: l.LocalAddr(), remote: netip.AddrPortFrom(remote, 1000), seq: 100}
			st.take(nil)
			p.sendWith(header.TCP{Flags: header.SYN}, []byte(tt.options), "")
			synack, _ := st.one("the answer to the SYN", isTCP).tcp()
			p.seq, p.ack = 101, synack.Seq.Add(1)
			p.send(header.ACK, "")
			s, _, err := l.Accept(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if got, err := socket.Get(s, socket.TCP_MAXSEG); got != tt.mss || err != nil {
				t.Errorf("%s: segments of %d, %v, want %d", name, got, err, tt.mss)
			}
			s.Close()
		}
	})
}

// MUST-50: a segment is taken though its packet has IP options that mean nothing
// to TCP.
func TestTCPIgnoresIPOptions(t *testing.T) {
	h, st := stationed(t, berth.Config{})
	p := playedServer(t, h, st, bob4)
	for _, options := range []string{"\x01\x01\x01\x00", "\x5e\x04\xaa\xbb", "\x07\x07\x04\x00\x00\x00\x00\x00", "\x44\x08\x05\x00\x00\x00\x00\x00"} {
		h := header.TCP{Flags: header.ACK | header.PSH, Seq: p.seq, Ack: p.ack, Window: 65535}
		segment := withOptions(p.remote, p.local, h, nil, "hello")
		ip := header.IPv4{PayloadLen: len(segment), TTL: 64, Protocol: header.ProtocolTCP, Src: bob4, Dst: alice4, Options: []byte(options)}
		st.frame(append(ip.Append(nil), segment...))
		p.wantData(t, "hello")
	}
}
