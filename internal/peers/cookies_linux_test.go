package peers

import (
	"bytes"
	"fmt"
	"net/netip"
	"testing"

	"example.com/berth"
	"example.com/berth/internal/header"
	"example.com/berth/internal/seqnum"
	"example.com/berth/internal/testnet"
	"example.com/berth/kernel"
	"example.com/berth/link"
	"example.com/berth/link/tuntap"
	"example.com/berth/socket"
)

// A flooder is a device that brings its host SYNs from addresses that nobody
// has, before each batch that comes in.
type flooder struct {
	link.Device
	to netip.AddrPort
	n  uint32
}

// Attach implements link.Device.
func (d *flooder) Attach(h link.Handler) error { return d.Device.Attach(&flooded{h, d}) }

// flooded is the handler of a flooder's host.
type flooded struct {
	link.Handler
	d *flooder
}

// Input implements link.Handler.
func (h *flooded) Input(frames []link.Frame) {
	if d := h.d; d.to.IsValid() {
		for range 20 {
			d.n++
			h.Handler.Input([]link.Frame{{Payload: d.syn()}})
		}
	}
	h.Handler.Input(frames)
}

// syn is a SYN from another address each time.
func (d *flooder) syn() []byte {
	src := netip.AddrFrom4([4]byte{10, 78, byte(d.n >> 8), byte(d.n)})
	t := header.TCP{SrcPort: uint16(1024 + d.n), DstPort: d.to.Port(), Flags: header.SYN, Seq: seqnum.Value(d.n), Window: 1000}
	b := t.Append(nil)
	sum := header.Fold(header.Sum(b, header.PseudoSum(src, d.to.Addr(), header.ProtocolTCP, len(b))))
	b[16], b[17] = byte(sum>>8), byte(sum)
	ip := header.IPv4{PayloadLen: len(b), DF: true, TTL: 64, Protocol: header.ProtocolTCP, Src: src, Dst: d.to.Addr()}
	return append(ip.Append(nil), b...)
}

// DEF-23, DEF-24: while a listener of berth's is flooded and sends cookies, Linux
// gets in each time, with the options that it asked for, and its data arrives.
func TestLinuxGetsInWhileFlooded(t *testing.T) {
	ns := testnet.New(t)
	flood := &flooder{}
	dev := ns.TUN(tuntap.HostAddr(families[0].onKernel()), tuntap.HostAddr(families[1].onKernel()))
	flood.Device = dev
	k, err := kernel.InNamespace(fmt.Sprintf("/proc/self/fd/%d", ns.FD()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { k.Close() })
	at := netip.AddrPortFrom(families[0].berth, 80)
	flood.to = at
	w := joinWith(t, ns, flood, nil, berth.Config{})
	err = w.berth.AddRoute(berth.Route{Dst: netip.MustParsePrefix("10.78.0.0/16"), Via: families[0].kernel})
	if err != nil {
		t.Fatal(err)
	}
	l := w.socket(t, families[0], "tcp")
	if err := l.Bind(at); err != nil {
		t.Fatal(err)
	}
	if err := l.Listen(4); err != nil {
		t.Fatal(err)
	}
	data := contentBytes(10_000)
	const visitors = 50
	for range visitors {
		c, err := k.Socket(socket.INET, socket.STREAM, 0)
		if err != nil {
			t.Fatal(err)
		}
		if err := w.limit(c); err != nil {
			t.Fatal(err)
		}
		if err := c.Connect(w.ctx, at); err != nil {
			t.Fatal(err)
		}
		if n, err := c.Send(data, 0); n != len(data) || err != nil {
			t.Fatalf("sent %d: %v", n, err)
		}
		s, _, err := l.Accept(w.ctx)
		if err != nil {
			t.Fatal(err)
		}
		got := make([]byte, len(data))
		if _, err := s.Recv(got, socket.MSG_WAITALL); err != nil || !bytes.Equal(got, data) {
			t.Errorf("received other bytes: %v", err)
		}
		if i, err := socket.Get(s, socket.TCP_INFO); err != nil || !i.SACK || !i.Timestamps || i.SndWScale == 0 {
			t.Errorf("the connection has %+v, %v", i, err)
		}
		c.Close()
		s.Close()
	}
	if n := w.berth.Counters().TCP.SYNCookiesReceived.Load(); n < visitors/2 {
		t.Errorf("%d of %d came with a cookie: it was no flood", n, visitors)
	}
}
