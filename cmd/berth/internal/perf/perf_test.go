package perf

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"example.com/berth/kernel"
	"example.com/berth/netconn"
)

// served is a server on the kernel's loopback, which ends with the test.
type served struct {
	addr string
	done chan error
}

func serve(t *testing.T, oneOff bool, printer func() Printer) *served {
	t.Helper()
	config := netconn.ListenConfig{Provider: kernel.Sockets()}
	l, err := config.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{
		Listener: l.(*netconn.TCPListener),
		ListenPacket: func(ctx context.Context) (*netconn.UDPConn, error) {
			c, err := config.ListenPacket(ctx, "udp", l.Addr().String())
			if err != nil {
				return nil, err
			}
			return c.(*netconn.UDPConn), nil
		},
		Finish:     finish,
		NewPrinter: printer,
		OneOff:     oneOff,
		Log:        t.Logf,
	}
	ctx, cancel := context.WithCancel(context.Background())
	v := &served{l.Addr().String(), make(chan error, 1)}
	var serving sync.WaitGroup
	serving.Go(func() { v.done <- s.Serve(ctx) })
	t.Cleanup(func() { cancel(); serving.Wait() })
	return v
}

func finish(_ context.Context, c *netconn.TCPConn) error { return c.Close() }

func client(addr string) *Client {
	return &Client{
		Dialer: &netconn.Dialer{Provider: kernel.Sockets()}, TCP: "tcp", UDP: "udp", Address: addr,
		Finish: finish,
	}
}

// last is a Printer that keeps the end.
type last struct{ end *End }

func (l *last) Begin(*Start) error   { return nil }
func (l *last) Interval([]Row) error { return nil }
func (l *last) End(e *End) error     { l.end = e; return nil }

func TestBothSidesCountTheSame(t *testing.T) {
	const total = 1 << 20
	for _, p := range []Params{
		{Direction: Forward, Streams: 1, Bytes: total, Length: 10_000},
		{Direction: Reverse, Streams: 3, Bytes: total, Length: 10_000},
		{Direction: Both, Streams: 2, Bytes: total, Length: 10_000},
		{UDP: true, Direction: Forward, Streams: 2, Bytes: total, Length: 1024, Rate: 50e6},
		{UDP: true, Direction: Reverse, Streams: 1, Bytes: total, Length: 1024, Rate: 50e6},
		{UDP: true, Direction: Both, Streams: 2, Bytes: total, Length: 1024, Rate: 50e6},
	} {
		var theirs last
		s := serve(t, true, func() Printer { return &theirs })
		var ours last
		if err := client(s.addr).Run(t.Context(), p, &ours); err != nil {
			t.Fatalf("%+v: %v", p, err)
		}
		if err := <-s.done; err != nil {
			t.Fatalf("%+v: the server ends with %v", p, err)
		}
		for _, sum := range []*EndOf{ours.end.Forward, ours.end.Back} {
			if sum == nil {
				continue
			}
			if sum.Sent.Bytes != total {
				t.Errorf("%+v: %d bytes were sent of %d", p, sum.Sent.Bytes, total)
			}
			if got := sum.Received.Bytes + sum.Received.Lost*int64(p.Length); got != total {
				t.Errorf("%+v: %d bytes arrived or were lost of %d", p, got, total)
			}
		}
		for i, e := range ours.end.Streams {
			e.Sends = !e.Sends
			if e != theirs.end.Streams[i] {
				t.Errorf("%+v: the client has %+v, the server %+v", p, e, theirs.end.Streams[i])
			}
		}
	}
}

func TestAServerServesOneTestAfterTheOther(t *testing.T) {
	s := serve(t, false, func() Printer { return new(last) })
	for range 3 {
		p := Params{Direction: Forward, Streams: 1, Bytes: 1000, Length: 1000}
		if err := client(s.addr).Run(t.Context(), p, new(last)); err != nil {
			t.Fatal(err)
		}
	}
}

// gate is a Printer that holds a test at its beginning.
type gate struct {
	last
	begun, open chan struct{}
}

func (g *gate) Begin(*Start) error { close(g.begun); <-g.open; return nil }

func TestABusyServerSaysSo(t *testing.T) {
	g := &gate{begun: make(chan struct{}), open: make(chan struct{})}
	s := serve(t, true, func() Printer { return g })
	p := Params{Direction: Forward, Streams: 1, Bytes: 1000, Length: 1000}
	first := make(chan error, 1)
	go func() { first <- client(s.addr).Run(context.Background(), p, new(last)) }()
	<-g.begun
	err := client(s.addr).Run(t.Context(), p, new(last))
	if err == nil || !strings.Contains(err.Error(), "busy") {
		t.Errorf("the second client gets %v", err)
	}
	close(g.open)
	if err := <-first; err != nil {
		t.Errorf("the first client gets %v", err)
	}
}

// interrupting is a Printer that interrupts its test once it has begun.
type interrupting struct {
	last
	cancel func()
}

func (i *interrupting) Begin(*Start) error { i.cancel(); return nil }

func TestAnInterruptReports(t *testing.T) {
	for _, d := range []Direction{Forward, Reverse, Both} {
		s := serve(t, true, func() Printer { return new(last) })
		ctx, cancel := context.WithCancel(t.Context())
		pr := &interrupting{cancel: cancel}
		err := client(s.addr).Run(ctx, Params{Direction: d, Streams: 1, Time: time.Hour, Length: 1000}, pr)
		if err != context.Canceled || pr.end == nil {
			t.Errorf("%s: %v, with a report %v", d, err, pr.end != nil)
		}
		if err := <-s.done; err != nil {
			t.Errorf("%s: the server ends with %v", d, err)
		}
	}
}

// A server goes on whatever comes, and says what it does not like.
func TestGarbage(t *testing.T) {
	s := serve(t, false, func() Printer { return new(last) })
	for _, tt := range []struct{ sent, answer string }{
		{"GET / HTTP/1.0\r\n\r\n", ""},
		{strings.Repeat("x", 10_000), ""},
		{"berth-perf/1 nonsense\n", ""},
		{"berth-perf/1 data AAAAAAAAAAAAAAAAAAAAAAAAAA 1\n", ""},
		{"berth-perf/9 control\n", "version 9"},
		{"berth-perf/1 control\nnot JSON\n", ""},
		{"berth-perf/1 control\n" + `{"kind":"test"}` + "\n", "without parameters"},
		{"berth-perf/1 control\n" + `{"kind":"start"}` + "\n", ""},
		{"berth-perf/1 control\n" + `{"kind":"test","params":{"direction":"up","streams":1}}` + "\n", "unknown direction"},
		{"berth-perf/1 control\n" + `{"kind":"test","params":{"direction":"both","streams":999999999}}` + "\n", "streams"},
		{"berth-perf/1 control\n" + `{"kind":"test","params":{"direction":"both","streams":1,"time":1,"length":-5}}` + "\n", "length"},
		{"berth-perf/1 control\n" + strings.Repeat("x", maxMessage+1), ""},
	} {
		c, err := net.Dial("tcp", s.addr)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.WriteString(c, tt.sent) // it may be refused before its end
		_ = c.(*net.TCPConn).CloseWrite()
		answer, _ := io.ReadAll(c)
		if !strings.Contains(string(answer), tt.answer) || tt.answer == "" && len(answer) > 0 {
			t.Errorf("%.60q is answered by %q, want %q", tt.sent, answer, tt.answer)
		}
		c.Close()
	}
	p := Params{Direction: Forward, Streams: 1, Bytes: 1000, Length: 1000}
	if err := client(s.addr).Run(t.Context(), p, new(last)); err != nil {
		t.Errorf("after that: %v", err)
	}
}

func TestJSONHasTheFieldsOfIperf3(t *testing.T) {
	s := serve(t, true, func() Printer { return new(last) })
	var out bytes.Buffer
	p := Params{Direction: Forward, Streams: 2, Bytes: 1 << 20, Length: 1 << 16}
	if err := client(s.addr).Run(t.Context(), p, &JSON{Out: &out}); err != nil {
		t.Fatal(err)
	}
	var got struct {
		Start struct {
			TestStart struct {
				Protocol string `json:"protocol"`
				Streams  int    `json:"num_streams"`
			} `json:"test_start"`
		} `json:"start"`
		End struct {
			Sent     struct{ Bytes int64 } `json:"sum_sent"`
			Received struct{ Bytes int64 } `json:"sum_received"`
		} `json:"end"`
	}
	if err := json.Unmarshal(out.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if got.Start.TestStart.Protocol != "TCP" || got.Start.TestStart.Streams != 2 || got.End.Sent.Bytes != 1<<20 || got.End.Received.Bytes != 1<<20 {
		t.Errorf("%+v", got)
	}
}
