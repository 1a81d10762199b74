package peers

import (
	"bytes"
	"fmt"
	"net/netip"
	"testing"

	"example.com/berth/kernel"
	"example.com/berth/socket"
	"example.com/berth/tcpauth"
)

// TestMD5Signatures has berth and the kernel sign what they say to one another,
// whoever begins. Neither listens to the other without.
func TestMD5Signatures(t *testing.T) {
	w := tun(t, nil)
	onKernel, err := kernel.InNamespace(fmt.Sprintf("/proc/self/fd/%d", w.kernel.FD()))
	if err != nil {
		t.Fatal(err)
	}
	w.each(func(w *world, f family) {
		kernelEnd, berthEnd := signer{onKernel, f.kernel}, signer{w.berth, f.berth}
		w.Run("kernel connects", func(t *testing.T) { w.signed(t, kernelEnd, berthEnd) })
		w.Run("berth connects", func(t *testing.T) { w.signed(t, berthEnd, kernelEnd) })
	})
	c := &w.berth.Counters().TCP.Machine
	if n := c.MD5Bad.Load() + c.MD5Missing.Load() + c.MD5Unexpected.Load(); n != 0 {
		t.Errorf("berth dropped %d segments of the kernel for their signatures", n)
	}
}

// A signer is one end, and its address.
type signer struct {
	p    socket.Provider
	addr netip.Addr
}

// socket makes a socket that signs what it says to peer.
func (s signer) socket(w *world, t *testing.T, peer netip.Addr) socket.Socket {
	t.Helper()
	domain := socket.INET
	if s.addr.Is6() {
		domain = socket.INET6
	}
	sock, err := s.p.Socket(domain, socket.STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { sock.Close() })
	if err := w.limit(sock); err != nil {
		t.Fatal(err)
	}
	key := socket.TCPMD5Sig{Peer: netip.PrefixFrom(peer, peer.BitLen()), Key: []byte("between us"), Algorithm: tcpauth.MD5}
	if err := socket.Set(sock, socket.TCP_MD5SIG, key); err != nil {
		t.Fatal(err)
	}
	return sock
}

// signed connects one end to the other, and has both say much and then end.
func (w *world) signed(t *testing.T, from, to signer) {
	l := to.socket(w, t, from.addr)
	if err := l.Bind(netip.AddrPortFrom(to.addr, 0)); err != nil {
		t.Fatal(err)
	}
	if err := l.Listen(1); err != nil {
		t.Fatal(err)
	}
	c := from.socket(w, t, to.addr)
	if err := c.Connect(w.ctx, l.LocalAddr()); err != nil {
		t.Fatal(err)
	}
	s, _, err := l.Accept(w.ctx)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	if err := w.limit(s); err != nil {
		t.Fatal(err)
	}
	data := bytes.Repeat([]byte("updates, withdrawals, "), 20_000)
	for _, way := range [][2]socket.Socket{{c, s}, {s, c}} {
		sent := make(chan error, 1)
		go func() {
			_, err := way[0].Send(data, 0)
			way[0].Shutdown(socket.SHUT_WR)
			sent <- err
		}()
		got := make([]byte, len(data))
		if n, err := way[1].Recv(got, socket.MSG_WAITALL); err != nil || !bytes.Equal(got, data) {
			t.Fatalf("%d of %d bytes: %v", n, len(data), err)
		}
		if n, err := way[1].Recv(got, 0); n != 0 || err != nil {
			t.Errorf("at the end %d bytes, %v", n, err)
		}
		if err := <-sent; err != nil {
			t.Fatal(err)
		}
	}
}
