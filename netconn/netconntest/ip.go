package netconntest

import (
	"errors"
	"net"
	"syscall"
	"testing"

	"example.com/berth/netconn"
	"example.com/berth/socket"
)

// testIP sends packets of a protocol for experiments (RFC 3692).
func testIP(t *testing.T, h *host) {
	network := "ip" + h.suffix + ":253"
	server, err := netconn.ListenPacket(h.Server, network, h.addr.String())
	if errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.ENOTSUP) {
		t.Skipf("raw sockets are not to be had: %v", err)
	}
	check(t, err)
	defer server.Close()
	c, err := netconn.Dial(h.Client, network, h.addr.String())
	check(t, err)
	defer c.Close()
	client := c.(*netconn.IPConn)
	b := make([]byte, 100)
	for _, write := range []func([]byte) (int, error){
		c.Write,
		func(b []byte) (int, error) { return client.WriteMsg(&socket.Message{Buffers: [][]byte{b}}, 0) },
	} {
		_, err = write([]byte("payload"))
		check(t, err)
		n, from, err := server.ReadFrom(b)
		if err != nil || string(b[:n]) != "payload" {
			t.Errorf("%q, %v: want the payload without a header", b[:n], err)
		}
		if a, ok := from.(*net.IPAddr); !ok || a.String() != c.LocalAddr().String() {
			t.Errorf("from %v, want %v", from, c.LocalAddr())
		}
	}
	_, err = server.WriteTo([]byte("answer"), c.LocalAddr())
	check(t, err)
	if h.Client != h.Server { // or else the answer went to the server, too
		n, err := c.Read(b)
		check(t, err)
		if got := string(b[n-6 : n]); got != "answer" {
			t.Errorf("%q", got)
		}
	}
	var op *net.OpError
	if _, err := client.WriteTo([]byte("x"), c.RemoteAddr()); !errors.Is(err, net.ErrWriteToConnected) || !errors.As(err, &op) {
		t.Errorf("WriteTo with a peer: %v", err)
	}
	if _, err := server.WriteTo([]byte("x"), &net.UDPAddr{}); !errors.Is(err, syscall.EINVAL) {
		t.Errorf("WriteTo a UDP address: %v", err)
	}
	if _, err := server.WriteTo([]byte("x"), (*net.IPAddr)(nil)); err == nil {
		t.Error("WriteTo nobody succeeded")
	}
}
