package peers

import (
	"bytes"
	"fmt"
	"net/netip"
	"testing"

	"example.com/berth"
	"example.com/berth/internal/testnet"
	"example.com/berth/kernel"
	"example.com/berth/link/tuntap"
	"example.com/berth/socket"
)

// fastWorld returns a world whose both ends take and send data with a SYN, and the
// kernel's sockets.
func fastWorld(t *testing.T, cfg berth.TCPConfig) (*world, socket.Provider) {
	t.Helper()
	ns := testnet.New(t)
	var opts []tuntap.Option
	for _, f := range families {
		opts = append(opts, tuntap.HostAddr(f.onKernel()))
	}
	dev := ns.TUN(opts...)
	ns.Sysctl("net.ipv4.tcp_fastopen", "3")
	k, err := kernel.InNamespace(fmt.Sprintf("/proc/self/fd/%d", ns.FD()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { k.Close() })
	cfg.FastOpen = berth.FastOpenClient | berth.FastOpenServer
	return joinWith(t, ns, dev, nil, berth.Config{TCP: cfg}), k
}

// fastListener listens with TCP_FASTOPEN.
func (w *world) fastListener(t *testing.T, p socket.Provider, domain socket.Domain, at netip.Addr) socket.Socket {
	t.Helper()
	s, err := p.Socket(domain, socket.STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	for _, err := range []error{
		w.limit(s), s.Bind(netip.AddrPortFrom(at, 0)), socket.Set(s, socket.TCP_FASTOPEN, 5), s.Listen(5),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// fastRequest sends some data with MSG_FASTOPEN, and some back, and tells whether
// both ends say that it came with the SYN.
func (w *world) fastRequest(t *testing.T, p socket.Provider, domain socket.Domain, l socket.Socket, data []byte) (client, server bool) {
	t.Helper()
	s, err := p.Socket(domain, socket.STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := w.limit(s); err != nil {
		t.Fatal(err)
	}
	if n, err := s.SendTo(data, socket.MSG_FASTOPEN, l.LocalAddr()); n != len(data) || err != nil {
		t.Fatalf("sent %d: %v", n, err)
	}
	c, _, err := l.Accept(w.ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	b := make([]byte, len(data))
	if _, err := c.Recv(b, socket.MSG_WAITALL); err != nil || !bytes.Equal(b, data) {
		t.Fatalf("received %d bytes: %v", len(b), err)
	}
	if _, err := c.Send(b, 0); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Recv(b, socket.MSG_WAITALL); err != nil || !bytes.Equal(b, data) {
		t.Fatalf("received back: %v", err)
	}
	x, err := socket.Get(s, socket.TCP_INFO)
	y, err2 := socket.Get(c, socket.TCP_INFO)
	if err != nil || err2 != nil {
		t.Fatal(err, err2)
	}
	return x.SYNData, y.SYNData
}

// TestFastOpen sends data with the SYN, from berth to the kernel and back.
func TestFastOpen(t *testing.T) {
	w, k := fastWorld(t, berth.TCPConfig{})
	w.each(func(w *world, f family) {
		domain := socket.INET
		if f.berth.Is6() {
			domain = socket.INET6
		}
		for _, way := range []struct {
			name           string
			client, server socket.Provider
			at             netip.Addr
		}{
			{"to the kernel", w.berth, k, f.kernel},
			{"to berth", k, w.berth, f.berth},
		} {
			w.Run(way.name, func(t *testing.T) {
				l := w.fastListener(t, way.server, domain, way.at)
				for i, n := range []int{10, 10, 1000, 100_000} {
					data := testnet.Pattern(n)
					client, server := w.fastRequest(t, way.client, domain, l, data)
					if want := i > 0; client != want || server != want {
						t.Errorf("request %d of %d bytes: with the SYN says the client %v, the server %v", i, n, client, server)
					}
				}
			})
		}
	})
}
