package berth_test

import (
	"net/netip"
	"testing"

	"example.com/berth"
	"example.com/berth/internal/header"
	"example.com/berth/internal/seqnum"
	"example.com/berth/socket"
)

// A played connection is one whose peer the test plays, segment by segment.
type played struct {
	st            *station
	local, remote netip.AddrPort // the host's, and the station's
	seq, ack      seqnum.Value   // of the next segment of the station
	sock          socket.Socket  // the host's end
	options       string         // in the IP header of what the station sends
}

// playedServer opens a connection from a station to a host.
func playedServer(t *testing.T, h *berth.Host, st *station, remote netip.Addr) *played {
	t.Helper()
	return playedServerOn(t, h, st, netip.AddrPortFrom(remote, 1000), 80, header.TCPOptions{})
}

// playedServerOn is playedServer with a port, and with options in the SYN.
func playedServerOn(t *testing.T, h *berth.Host, st *station, remote netip.AddrPort, port uint16, options header.TCPOptions) *played {
	t.Helper()
	l := listenOn(t, h, netip.AddrPortFrom(localOf(remote.Addr()), port), 8)
	p := &played{st: st, local: l.LocalAddr(), remote: remote, seq: 100}
	st.take(nil)
	p.sendWith(header.TCP{Flags: header.SYN, Options: options}, nil, "")
	synack, _ := st.one("the answer to the SYN", isTCP).tcp()
	p.seq, p.ack = 101, synack.Seq.Add(1)
	p.send(header.ACK, "")
	s, _, err := l.Accept(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	p.sock = s
	return p
}

// send sends a segment at the next sequence number, which stays what it is.
func (p *played) send(flags header.TCPFlags, data string) {
	p.sendWith(header.TCP{Flags: flags}, nil, data)
}

// sendWith sends a segment with further fields and with options as they are.
func (p *played) sendWith(h header.TCP, options []byte, data string) {
	h.Seq, h.Ack, h.Window = p.seq, p.ack, 65535
	p.st.ip(packet{
		src: p.remote.Addr(), dst: p.local.Addr(), protocol: header.ProtocolTCP, options: p.options,
		payload: withOptions(p.remote, p.local, h, options, data),
	})
}

// withOptions is a segment whose options are the given bytes.
func withOptions(src, dst netip.AddrPort, h header.TCP, options []byte, data string) []byte {
	h.SrcPort, h.DstPort = src.Port(), dst.Port()
	b := append(h.Append(nil), options...)
	b[12] = uint8(len(b)/4) << 4
	b = append(b, data...)
	putChecksum(b, 16, src.Addr(), dst.Addr(), header.ProtocolTCP)
	return b
}

// wantData receives what has come.
func (p *played) wantData(t *testing.T, want string) {
	t.Helper()
	b := make([]byte, 100)
	n, err := p.sock.Recv(b, socket.MSG_DONTWAIT)
	if string(b[:max(n, 0)]) != want || err != nil {
		t.Errorf("received %q, %v, want %q", b[:max(n, 0)], err, want)
	}
	p.seq = p.seq.Add(n)
}

func isTCP(p *packet) bool { return p.protocol == header.ProtocolTCP }
