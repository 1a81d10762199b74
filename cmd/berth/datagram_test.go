package main

import (
	"io"
	"net"
	"testing"
)

func TestEchoGivesBackDatagrams(t *testing.T) {
	for _, addr := range []string{"127.0.0.1:0", "[::1]:0"} {
		t.Run(addr, func(t *testing.T) {
			b := start(t, "echo", "-u", addr)
			c := start(t, "connect", "-u", b.address())
			for _, datagram := range []string{"a datagram", "another"} {
				io.WriteString(c.in, datagram)
				if got, _ := c.out.Peek(len(datagram)); string(got) != datagram {
					t.Errorf("%q came back", got)
				}
				c.out.Discard(len(datagram))
			}
			c.interrupt()
			wantStatus(t, c.end(), exitInterrupted)
			b.interrupt()
			wantStatus(t, b.end(), exitSuccess)
		})
	}
}

func TestConnectEndsWhenNothingComes(t *testing.T) {
	silent, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	r := run(t, "anybody?", "connect", "-u", "-w", "1ms", silent.LocalAddr().String())
	wantStatus(t, r.status, exitSuccess)
	want(t, "standard output", r.stdout, "")
	want(t, "standard error", r.stderr, "")
}

// A server on all addresses answers from the one that was asked, or a connected
// client would not take the answer.
func TestEchoAnswersFromTheAddressThatWasAsked(t *testing.T) {
	_, port, _ := net.SplitHostPort(start(t, "echo", "-u", ":0").address())
	for _, host := range []string{"127.0.0.1", "127.0.0.77", "::1"} {
		c := dial(t, "udp", net.JoinHostPort(host, port))
		io.WriteString(c, "here?")
		buf := make([]byte, 16)
		if n, err := c.Read(buf); err != nil || string(buf[:n]) != "here?" {
			t.Errorf("%s: %q, %v", host, buf[:n], err)
		}
	}
}

func TestListenTakesTheFirstSenderOfDatagrams(t *testing.T) {
	b := start(t, "listen", "-u", "127.0.0.1:0")
	addr := b.address()
	first := dial(t, "udp", addr)
	io.WriteString(first, "me")
	b.said("datagrams from (.*)")
	if got, _ := b.out.Peek(2); string(got) != "me" {
		t.Errorf("received %q", got)
	}
	io.WriteString(b.in, "you")
	buf := make([]byte, 16)
	if n, err := first.Read(buf); err != nil || string(buf[:n]) != "you" {
		t.Errorf("answer %q, %v", buf[:n], err)
	}
	// Nobody else is heard: the socket is connected.
	second := dial(t, "udp", addr)
	io.WriteString(second, "and me")
	if _, err := second.Read(buf); err == nil {
		t.Error("a second sender was answered")
	}
	b.interrupt()
	wantStatus(t, b.end(), exitSuccess)
}

func TestListenKeepAnswersTheLatestSender(t *testing.T) {
	b := start(t, "listen", "-u", "-k", "127.0.0.1:0")
	addr := b.address()
	buf := make([]byte, 16)
	for _, name := range []string{"first", "later"} {
		c := dial(t, "udp", addr)
		io.WriteString(c, name)
		b.said("datagrams from (.*)")
		b.out.Read(buf)
		io.WriteString(b.in, "hello "+name)
		if n, err := c.Read(buf); err != nil || string(buf[:n]) != "hello "+name {
			t.Errorf("answer %q, %v", buf[:n], err)
		}
	}
}

func TestListenEndsWhenNothingComes(t *testing.T) {
	b := start(t, "listen", "-u", "-w", "20ms", "127.0.0.1:0")
	c := dial(t, "udp", b.address())
	io.WriteString(c, "one")
	if got, _ := b.out.Peek(3); string(got) != "one" {
		t.Errorf("received %q", got)
	}
	b.in.Close()
	io.Copy(io.Discard, b.out)
	wantStatus(t, b.end(), exitSuccess)
}
