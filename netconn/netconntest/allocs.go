package netconntest

import (
	"net/netip"
	"testing"

	"example.com/berth/netconn"
	"example.com/berth/socket"
)

// testAllocations holds the connections to what their sockets take.
func testAllocations(t *testing.T, h *host) {
	if raceEnabled {
		t.Skip("the race detector makes sync.Pool forget at random")
	}
	c, s := h.pair(t)
	b := make([]byte, 64)
	bare := testing.AllocsPerRun(100, func() {
		_, _ = c.Socket().Send(b, socket.MSG_NOSIGNAL)
		_, _ = s.Socket().Recv(b, 0)
	})
	got := testing.AllocsPerRun(100, func() {
		_, _ = c.Write(b)
		_, _ = s.Read(b)
	})
	if got > bare {
		t.Errorf("Write and Read: %v allocations, the socket's are %v", got, bare)
	}
	testDatagramAllocations(t, h)
}

func testDatagramAllocations(t *testing.T, h *host) {
	s, err := netconn.ListenPacket(h.Server, "udp", h.any())
	check(t, err)
	defer s.Close()
	l, err := netconn.ListenPacket(h.Client, "udp"+h.suffix, "")
	check(t, err)
	defer l.Close()
	c, server := l.(*netconn.UDPConn), s.(*netconn.UDPConn)
	to := server.Socket().LocalAddr()
	b := make([]byte, 64)
	out, in := &socket.Message{Buffers: [][]byte{b}, Addr: to}, &socket.Message{Buffers: [][]byte{b}}
	for _, tt := range []struct {
		name       string
		bare, over func()
	}{
		{"WriteToUDPAddrPort, ReadFromUDPAddrPort", func() {
			_, _ = c.Socket().SendTo(b, socket.MSG_NOSIGNAL, to)
			_, _, _ = server.Socket().RecvFrom(b, 0)
		}, func() {
			_, _ = c.WriteToUDPAddrPort(b, to)
			_, _, _ = server.ReadFromUDPAddrPort(b)
		}},
		{"WriteMsgUDPAddrPort, ReadMsgUDPAddrPort", func() {
			_, _ = c.Socket().SendMsg(out, socket.MSG_NOSIGNAL)
			_, _ = server.Socket().RecvMsg(in, 0)
		}, func() {
			_, _ = c.WriteMsgUDPAddrPort(b, nil, netip.AddrPortFrom(to.Addr(), to.Port()))
			_, _, _, _ = server.ReadMsgUDPAddrPort(b, nil)
		}},
	} {
		bare := testing.AllocsPerRun(100, tt.bare)
		if got := testing.AllocsPerRun(100, tt.over); got > bare {
			t.Errorf("%s: %v allocations, the socket's are %v", tt.name, got, bare)
		}
	}
}
