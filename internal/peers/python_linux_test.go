package peers

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net/netip"
	"strconv"
	"strings"
	"testing"

	"example.com/berth/internal/testnet"
	"example.com/berth/socket"
)

const (
	// pythonSize is how many bytes Python gets, and sends back.
	pythonSize = 1 << 20
	// pythonPort is where berth serves it.
	pythonPort = 5000
)

// datagramSizes are sent in turn: nothing, one packet, the smallest that needs
// fragments on an MTU of 1500 in either family, and the largest.
var datagramSizes = []int{0, 1, 1200, 1453, 1473, 8000, 65507}

// TestPython lets Python's sockets talk with berth's, and either be the server.
func TestPython(t *testing.T) {
	testnet.NeedTool(t, "python3")
	tun(t, nil).each(func(w *world, f family) {
		w.Run("Python calls by TCP", func(t *testing.T) { w.pythonCalls(t, f, "tcp", w.echoStream) })
		w.Run("Python calls by UDP", func(t *testing.T) { w.pythonCalls(t, f, "udp", w.echoDatagrams) })
		w.Run("Python serves TCP", func(t *testing.T) { w.pythonServes(t, f, "tcp", w.callStream) })
		w.Run("Python serves UDP", func(t *testing.T) { w.pythonServes(t, f, "udp", w.callDatagrams) })
	})
}

// pythonCalls runs a server on berth and a client in Python.
func (w *world) pythonCalls(t *testing.T, f family, protocol string, serve func(s socket.Socket) error) {
	s := w.socket(t, f, protocol)
	at := netip.AddrPortFrom(f.berth, pythonPort)
	if err := s.Bind(at); err != nil {
		t.Fatal(err)
	}
	if protocol == "tcp" {
		if err := s.Listen(1); err != nil {
			t.Fatal(err)
		}
	}
	served := make(chan error, 1)
	go func() { served <- serve(s) }()
	if out, err := w.python("call", protocol, at).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if err := <-served; err != nil {
		t.Error(err)
	}
}

// pythonServes runs a server in Python and a client on berth.
func (w *world) pythonServes(t *testing.T, f family, protocol string, call func(s socket.Socket, at netip.AddrPort) error) {
	cmd := w.python("serve", protocol, netip.AddrPortFrom(f.kernel, 0))
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var port uint16
	if _, err := fmt.Fscanf(bufio.NewReader(stdout), "serving %d\n", &port); err != nil {
		t.Fatalf("Python does not serve: %v", err)
	}
	if err := call(w.socket(t, f, protocol), netip.AddrPortFrom(f.kernel, port)); err != nil {
		t.Error(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("%v: %s", err, &stderr)
	}
}

func (w *world) python(role, protocol string, at netip.AddrPort) *testnet.Cmd {
	args := []string{"testdata/talk.py", role, protocol, at.Addr().String(), strconv.Itoa(int(at.Port())), strconv.Itoa(pythonSize)}
	if role == "call" && protocol == "udp" {
		args = append(args, strings.Fields(strings.Trim(fmt.Sprint(datagramSizes), "[]"))...)
	}
	return w.kernel.Command(w.ctx, "python3", args...)
}

// echoStream takes one connection, and sends back what came when the peer has
// ended its half.
func (w *world) echoStream(l socket.Socket) error {
	c, _, err := l.Accept(w.ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	if err := w.limit(c); err != nil {
		return err
	}
	data, err := receive(c)
	if err != nil {
		return err
	}
	_, err = c.Send(data, 0)
	return err
}

// callStream sends, ends its half, and compares what comes back.
func (w *world) callStream(s socket.Socket, at netip.AddrPort) error {
	if err := s.Connect(w.ctx, at); err != nil {
		return err
	}
	data := contentBytes(pythonSize)
	if _, err := s.Send(data, 0); err != nil {
		return err
	}
	if err := s.Shutdown(socket.SHUT_WR); err != nil {
		return err
	}
	back, err := receive(s)
	if err == nil && !bytes.Equal(back, data) {
		err = fmt.Errorf("%d other bytes came back", len(back))
	}
	return err
}

// receive receives until the peer's end.
func receive(s socket.Socket) (data []byte, err error) {
	b := make([]byte, 1<<16)
	for {
		n, err := s.Recv(b, 0)
		if n == 0 || err != nil {
			return data, err
		}
		data = append(data, b[:n]...)
	}
}

// echoDatagrams sends back what comes until that is enough.
func (w *world) echoDatagrams(s socket.Socket) error {
	b := make([]byte, 1<<16)
	for left := pythonSize; left > 0; {
		n, from, err := s.RecvFrom(b, 0)
		if err != nil {
			return err
		}
		if _, err := s.SendTo(b[:n], 0, from); err != nil {
			return err
		}
		left -= n
	}
	return nil
}

// callDatagrams sends datagrams of all sizes in turn, and compares what comes
// back.
func (w *world) callDatagrams(s socket.Socket, at netip.AddrPort) error {
	if err := s.Connect(w.ctx, at); err != nil {
		return err
	}
	source := content(pythonSize)
	b := make([]byte, 1<<16)
	for i, left := 0, pythonSize; left > 0; i++ {
		data := make([]byte, min(left, datagramSizes[i%len(datagramSizes)]))
		if _, err := io.ReadFull(source, data); err != nil {
			return err
		}
		if _, err := s.Send(data, 0); err != nil {
			return fmt.Errorf("sending %d bytes: %w", len(data), err)
		}
		n, err := s.Recv(b, 0)
		if err != nil {
			return fmt.Errorf("waiting for %d bytes: %w", len(data), err)
		}
		if !bytes.Equal(b[:n], data) {
			return fmt.Errorf("%d bytes came back, want the %d that were sent", n, len(data))
		}
		left -= n
	}
	return nil
}
