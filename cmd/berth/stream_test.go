package main

import (
	"io"
	"net"
	"strings"
	"testing"
)

// dial connects to a command that listens.
func dial(t *testing.T, network, addr string) net.Conn {
	t.Helper()
	c, err := net.Dial(network, addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func TestEchoGivesBackTheStreamAndEndsItsHalf(t *testing.T) {
	for _, addr := range []string{"127.0.0.1:0", "[::1]:0", ":0"} {
		t.Run(addr, func(t *testing.T) {
			b := start(t, "echo", addr)
			data := strings.Repeat("all of it\n", 100_000)
			r := run(t, data, "connect", b.address())
			wantStatus(t, r.status, exitSuccess)
			if r.stdout != data {
				t.Errorf("%d bytes came back of %d", len(r.stdout), len(data))
			}
			want(t, "standard error", r.stderr, "")
			b.interrupt()
			wantStatus(t, b.end(), exitSuccess)
		})
	}
}

func TestEchoServesSeveralAtOnce(t *testing.T) {
	b := start(t, "echo", "-v", "127.0.0.1:0")
	addr := b.address()
	first, second := dial(t, "tcp", addr), dial(t, "tcp", addr)
	b.said("(connected)")
	b.said("(connected)")
	for _, c := range []net.Conn{second, first} {
		io.WriteString(c, "x")
		if _, err := io.ReadFull(c, make([]byte, 1)); err != nil {
			t.Error(err)
		}
	}
	first.Close()
	b.said("(1 bytes sent back)")
	b.interrupt() // the second connection does not hold it
	wantStatus(t, b.end(), exitSuccess)
}

func TestConnectTakesHostAndPortAsTwoWords(t *testing.T) {
	host, port, _ := net.SplitHostPort(start(t, "echo", "127.0.0.1", "0").address())
	r := run(t, "two words", "connect", "-v", host, port)
	wantStatus(t, r.status, exitSuccess)
	want(t, "standard output", r.stdout, "two words")
	if !strings.Contains(r.stderr, "berth connect: connected to 127.0.0.1:"+port+" (tcp) from 127.0.0.1:") {
		t.Errorf("said %q", r.stderr)
	}
}

func TestListenTakesAFile(t *testing.T) {
	b := start(t, "listen", "127.0.0.1:0")
	addr := b.address()
	b.in.Close()
	r := run(t, "a file", "connect", addr)
	wantStatus(t, r.status, exitSuccess)
	if got, _ := b.out.ReadString(0); got != "a file" {
		t.Errorf("received %q", got)
	}
	wantStatus(t, b.end(), exitSuccess)
}

// The halves of a connection end one by one, whichever is first.
func TestHalfClose(t *testing.T) {
	t.Run("ours first", func(t *testing.T) {
		l := start(t, "listen", "127.0.0.1:0")
		c := start(t, "connect", l.address())
		io.WriteString(c.in, "question")
		c.in.Close()
		if got, _ := l.out.Peek(len("question")); string(got) != "question" {
			t.Errorf("received %q", got)
		}
		io.WriteString(l.in, "answer") // to one whose half has ended
		l.in.Close()
		if got, _ := io.ReadAll(c.out); string(got) != "answer" {
			t.Errorf("received %q", got)
		}
		wantStatus(t, c.end(), exitSuccess)
		io.Copy(io.Discard, l.out)
		wantStatus(t, l.end(), exitSuccess)
	})
	t.Run("the peer's first", func(t *testing.T) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		c := start(t, "connect", l.Addr().String())
		peer, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		defer peer.Close()
		io.WriteString(peer, "all I say")
		peer.(*net.TCPConn).CloseWrite()
		if got, _ := c.out.Peek(len("all I say")); string(got) != "all I say" {
			t.Errorf("received %q", got)
		}
		io.WriteString(c.in, "and still you listen")
		c.in.Close()
		if got, _ := io.ReadAll(peer); string(got) != "and still you listen" {
			t.Errorf("the peer received %q", got)
		}
		io.Copy(io.Discard, c.out)
		wantStatus(t, c.end(), exitSuccess)
	})
}

func TestListenKeepGoesOn(t *testing.T) {
	b := start(t, "listen", "-k", "127.0.0.1:0")
	addr := b.address()
	for _, data := range []string{"first", "second", "third"} {
		c := dial(t, "tcp", addr)
		io.WriteString(c, data)
		c.Close()
		if got, _ := b.out.Peek(len(data)); string(got) != data {
			t.Errorf("received %q, want %q", got, data)
		}
		b.out.Discard(len(data))
		b.said("connection from (.*)")
	}
	b.interrupt()
	wantStatus(t, b.end(), exitSuccess)
}

func TestListenWithoutKeepTakesOne(t *testing.T) {
	b := start(t, "listen", "127.0.0.1:0")
	addr := b.address()
	c := dial(t, "tcp", addr)
	b.said("connection from (.*)")
	if _, err := net.Dial("tcp", addr); err == nil {
		t.Error("a second connection was taken")
	}
	c.Close()
	b.in.Close()
	io.Copy(io.Discard, b.out)
	wantStatus(t, b.end(), exitSuccess)
}

func TestConnectFailures(t *testing.T) {
	const closed = "127.0.0.1:1" // not one that was free a moment ago: others may have it now
	for _, tt := range []struct {
		name string
		args []string
		want string
	}{
		{"refused", []string{"connect", closed}, "berth connect: connect to " + closed + " (tcp): connection refused\n"},
		{"refused over UDP", []string{"connect", "-u", closed}, "berth connect: connection refused\n"},
		{"no such host", []string{"connect", "host.invalid:80"}, "berth connect: connect to"},
		{"no IPv6 address", []string{"connect", "-6", closed}, "berth connect: connect to"},
		{"an address that is not ours", []string{"listen", "192.0.2.1:0"}, "berth listen: listen 192.0.2.1:0 (tcp): cannot assign requested address\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := run(t, "data", tt.args...)
			wantStatus(t, r.status, exitNetwork)
			want(t, "standard output", r.stdout, "")
			if !strings.HasPrefix(r.stderr, tt.want) {
				t.Errorf("said %q, want %q", r.stderr, tt.want)
			}
		})
	}
}

func TestConnectThatIsReset(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	b := start(t, "connect", l.Addr().String())
	c, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	c.(*net.TCPConn).SetLinger(0)
	c.Close()
	b.said("(connection reset by peer)")
	wantStatus(t, b.end(), exitNetwork)
}

func TestInterruptedConnect(t *testing.T) {
	b := start(t, "connect", "-v", start(t, "echo", "127.0.0.1:0").address())
	b.said("(connected)")
	b.interrupt()
	wantStatus(t, b.end(), exitInterrupted)
}

// A reader that has gone away needs no message.
func TestBrokenPipeIsSilent(t *testing.T) {
	l := start(t, "listen", "127.0.0.1:0")
	c := dial(t, "tcp", l.address())
	l.said("connection from (.*)")
	outR, outW := io.Pipe()
	outR.Close()
	var errs strings.Builder
	addr := start(t, "echo", "127.0.0.1:0").address()
	status := execute(t.Context(), []string{"connect", addr}, strings.NewReader("x"), outW, &errs)
	wantStatus(t, status, exitNetwork)
	want(t, "standard error", errs.String(), "")
	c.Close()
}
