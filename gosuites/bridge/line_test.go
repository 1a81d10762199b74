package bridge

import (
	"net/netip"
	"testing"
	"testing/synctest"

	"example.com/berth"
	"example.com/berth/socket"
)

// Streams over the lossy line lose and repair; datagrams are spared.
func TestTheLossyLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := berth.NewHost(berth.Config{Loopback: lossy})
		defer h.Close()
		if mtu := h.Interfaces()[0].MTU(); mtu != 1500 {
			t.Errorf("the MTU is %d", mtu)
		}

		const datagrams = 1000
		at := netip.MustParseAddrPort("[::1]:7")
		a, b := must(h.Socket(socket.INET6, socket.DGRAM, 0)), must(h.Socket(socket.INET6, socket.DGRAM, 0))
		check(t, b.Bind(at))
		for range datagrams {
			if _, err := a.SendTo([]byte("x"), 0, at); err != nil {
				t.Fatal(err)
			}
			if _, err := b.Recv(make([]byte, 1), socket.MSG_DONTWAIT); err != nil {
				t.Fatal(err)
			}
		}
		if n := line.OutputStats().Packets; n != 0 {
			t.Errorf("%d datagrams passed the line", n)
		}

		l, c := must(h.Socket(socket.INET, socket.STREAM, 0)), must(h.Socket(socket.INET, socket.STREAM, 0))
		check(t, l.Bind(netip.MustParseAddrPort("127.0.0.1:7")))
		check(t, l.Listen(1))
		check(t, c.Connect(t.Context(), l.LocalAddr()))
		s, _, err := l.Accept(t.Context())
		check(t, err)
		sent := make([]byte, 4<<20)
		go func() {
			c.Send(sent, 0)
			c.Shutdown(socket.SHUT_WR)
		}()
		received := 0
		for b := make([]byte, 64<<10); ; {
			n, err := s.Recv(b, 0)
			check(t, err)
			if n == 0 {
				break
			}
			received += n
		}
		st := line.OutputStats()
		if received != len(sent) || st.Lost == 0 || st.Reordered == 0 {
			t.Errorf("%d of %d bytes came; %d of %d packets lost, %d reordered",
				received, len(sent), st.Lost, st.Packets, st.Reordered)
		}
	})
}

func must(s socket.Socket, err error) socket.Socket {
	if err != nil {
		panic(err)
	}
	return s
}
