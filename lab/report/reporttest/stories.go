package reporttest

import (
	"fmt"
	"io"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"example.com/berth/lab/report"
	"example.com/berth/link"
	"example.com/berth/link/impair"
	"example.com/berth/link/wire"
	"example.com/berth/netconn"
)

// Stories are all of them, by name.
var Stories = map[string]func(*testing.T) *report.Recording{
	"short": Short, "keepalive": Keepalive, "bulk": Bulk, "six": Six, "large": Large, "empty": Empty, "malice": Malice,
}

// inBubble runs a story.
func inBubble(t *testing.T, story func(n *Net)) *report.Recording {
	t.Helper()
	var rec *report.Recording
	synctest.Test(t, func(t *testing.T) {
		n := newNet(t)
		story(n)
		rec = n.end()
	})
	return rec
}

// pair is two hosts, client and server.
func pair(n *Net, bad impair.Config, says string, opts ...wire.Option) {
	n.node("client", report.Host)
	n.node("server", report.Host)
	n.join(0, 1, "10.0.0.1/24", "10.0.0.2/24", bad, says, opts...)
}

// serve accepts one connection on a node and does something with it.
func (n *Net) serve(node int, wg *sync.WaitGroup, do func(net.Conn)) {
	n.t.Helper()
	l, err := netconn.Listen(n.hosts[node], "tcp", ":80")
	if err != nil {
		n.t.Fatal(err)
	}
	wg.Go(func() {
		defer l.Close()
		c, err := l.Accept()
		if err != nil {
			n.t.Error(err)
			return
		}
		defer c.Close()
		do(c)
	})
}

// dial connects from a node.
func (n *Net) dial(node int, address string) net.Conn {
	n.t.Helper()
	c, err := netconn.Dial(n.hosts[node], "tcp", address)
	if err != nil {
		n.t.Fatal(err)
	}
	return c
}

// Short is a request and its answer over an Ethernet, with a failure.
func Short(t *testing.T) *report.Recording {
	rec := inBubble(t, func(n *Net) {
		pair(n, impair.Config{Delay: 20 * time.Millisecond}, "20ms", wire.Ethernet())
		var wg sync.WaitGroup
		n.serve(1, &wg, func(c net.Conn) {
			_, _ = c.Read(make([]byte, 100))
			_, _ = io.WriteString(c, "HTTP/1.1 404 Not Found\r\n\r\n")
		})
		c := n.dial(0, "10.0.0.2:80")
		_, _ = io.WriteString(c, "GET /no HTTP/1.1\r\nHost: server\r\n\r\n")
		_, _ = io.ReadAll(c)
		c.Close()
		wg.Wait()
		n.note(0, "log", "the server says 404")
		time.Sleep(time.Second)
	})
	rec.Failed = []string{"client_test.go:42: got status 404, want 200"}
	rec.Repeat = "go test -run '^TestShort$' -lab.seed=1 ."
	return rec
}

// Keepalive is a connection that is idle for hours until its peer is cut off.
func Keepalive(t *testing.T) *report.Recording {
	return inBubble(t, func(n *Net) {
		pair(n, impair.Config{Delay: 5 * time.Millisecond}, "5ms")
		var wg sync.WaitGroup
		n.serve(1, &wg, func(c net.Conn) {
			_ = c.(*netconn.TCPConn).SetKeepAlive(false)
			_, _ = io.Copy(io.Discard, c)
		})
		c := n.dial(0, "10.0.0.2:80")
		k := net.KeepAliveConfig{Enable: true, Idle: 2 * time.Hour, Interval: 75 * time.Second, Count: 9}
		if err := c.(*netconn.TCPConn).SetKeepAliveConfig(k); err != nil {
			t.Fatal(err)
		}
		_, _ = io.WriteString(c, "hello")
		time.Sleep(5 * time.Hour)
		c.Close()
		wg.Wait()
	})
}

// badly is a link that does everything that links do.
var badly = impair.Config{
	Delay: 15 * time.Millisecond, Rate: 10_000_000, Queue: 48 << 10,
	Loss: 0.004, Corrupt: 0.002, Duplicate: 0.002, Reorder: 0.003, ReorderGap: 3,
}

// Bulk is a transfer of 3 MB over a link that does everything that links do.
func Bulk(t *testing.T) *report.Recording {
	return inBubble(t, func(n *Net) {
		pair(n, badly, "15ms, 10 Mbit/s, 48 KiB queue, 0.4% loss")
		n.transfer(0, 1, "10.0.0.2:80", 3<<20)
	})
}

// Large is a transfer of more than 50,000 packets.
func Large(t *testing.T) *report.Recording {
	return inBubble(t, func(n *Net) {
		pair(n, impair.Config{Delay: 5 * time.Millisecond, Rate: 100_000_000, Queue: 256 << 10, Loss: 0.0005}, "5ms, 100 Mbit/s, 0.05% loss")
		n.transfer(0, 1, "10.0.0.2:80", 52<<20)
	})
}

// transfer sends from one node to another and waits for all of it.
func (n *Net) transfer(from, to int, address string, bytes int) {
	n.t.Helper()
	var wg sync.WaitGroup
	n.serve(to, &wg, func(c net.Conn) {
		if got, err := io.Copy(io.Discard, c); err != nil || got != int64(bytes) {
			n.t.Errorf("received %d bytes, %v", got, err)
		}
	})
	c := n.dial(from, address)
	if _, err := c.Write(make([]byte, bytes)); err != nil {
		n.t.Error(err)
	}
	c.Close()
	wg.Wait()
	time.Sleep(time.Second)
}

// Six is a dumbbell: two clients and two servers on either side of a narrow
// link between two routers.
func Six(t *testing.T) *report.Recording {
	return inBubble(t, func(n *Net) {
		names := []string{"alice", "bob", "r1", "r2", "web", "mail"}
		for i, name := range names {
			n.node(name, []string{report.Host, report.Router}[i/2%2])
		}
		edge := impair.Config{Delay: time.Millisecond}
		for i, a := range []int{0, 1, 4, 5} {
			router := 2 + i/2
			host, gateway := fmt.Sprintf("10.0.%d.2/24", a), fmt.Sprintf("10.0.%d.1/24", a)
			n.join(a, router, host, gateway, edge, "1ms", wire.Ethernet())
			n.route(a, "0.0.0.0/0", gateway[:len(gateway)-3])
		}
		n.join(2, 3, "10.1.0.1/30", "10.1.0.2/30", impair.Config{Delay: 10 * time.Millisecond, Rate: 4_000_000, Queue: 20 << 10}, "10ms, 4 Mbit/s, 20 KiB queue")
		n.route(2, "0.0.0.0/0", "10.1.0.2")
		n.route(3, "0.0.0.0/0", "10.1.0.1")
		n.note(-1, "start", "both clients begin to send")
		var wg sync.WaitGroup
		wg.Go(func() { n.transfer(0, 4, "10.0.4.2:80", 300<<10) })
		wg.Go(func() { n.transfer(1, 5, "10.0.5.2:80", 200<<10) })
		wg.Go(func() { n.datagrams(0, "10.0.5.2:53") })
		wg.Wait()
		n.note(2, "log", "all sent")
	})
}

// datagrams sends some to a port that nobody has.
func (n *Net) datagrams(node int, address string) {
	c, err := netconn.Dial(n.hosts[node], "udp", address)
	if err != nil {
		n.t.Error(err)
		return
	}
	defer c.Close()
	for i := range 3 {
		time.Sleep(50 * time.Millisecond)
		_, _ = fmt.Fprintf(c, "question %d", i)
	}
	time.Sleep(100 * time.Millisecond)
}

// Empty is a network in which nothing happened.
func Empty(*testing.T) *report.Recording { return &report.Recording{Title: "TestEmpty"} }

// Malice has in each text what could end an element or an attribute, and packets
// that are none.
func Malice(*testing.T) *report.Recording {
	const evil = `</script><!--"'><img src=x onerror="document.title='owned'">` + "\x00\xff\u2028&amp;"
	rec := &report.Recording{
		Title: evil, Repeat: evil, Failed: []string{evil}, Truncated: evil, Length: time.Second,
		Nodes:  []report.Node{{Name: evil, Kind: evil, Addrs: []string{evil}}, {Name: "</title>", Kind: report.Host}},
		Links:  []report.Link{{Name: evil, A: 0, B: 1, AtoB: evil, BtoA: evil, Medium: link.Ethernet}, {Name: "nowhere", A: 7, B: -1}},
		Notes:  []report.Note{{Node: 0, Kind: evil, Text: evil}, {Node: -1}, {Node: 99, Kind: "log", Text: "nobody's"}},
		Tables: []report.Table{{Node: 0, Text: evil}, {Node: 50, Text: ""}},
	}
	payload := append([]byte{0x45, 0, 0, 70, 0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2}, evil...)
	for i, data := range [][]byte{nil, []byte(evil), payload, append(make([]byte, 12), 8, 0, 0x45), append(make([]byte, 12), 0x86, 0xdd, 0x60)} {
		rec.Packets = append(rec.Packets, report.Packet{Link: i % 3, FromA: i%2 == 0, Sent: time.Duration(i), Arrived: time.Millisecond, Comment: evil, Data: data, Len: len(data) + i*500})
	}
	return rec
}
