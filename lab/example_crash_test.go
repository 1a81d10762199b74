package lab_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"testing"
	"time"

	"example.com/berth/lab"
)

// acknowledge answers each line with itself.
func acknowledge(ln net.Listener) {
	for {
		c, err := ln.Accept()
		if err != nil {
			return // the host is down
		}
		go func() {
			defer c.Close()
			io.Copy(c, c)
		}()
	}
}

// A sender sends lines. It connects again when something is wrong.
type sender struct {
	dial        func() (net.Conn, error)
	conn        net.Conn
	connections int
}

// send sends a line until it is acknowledged, and tells whether it was.
func (s *sender) send(line string) bool {
	for range 100 {
		if s.try(line) {
			return true
		}
		if s.conn != nil {
			s.conn.Close()
			s.conn = nil
		}
		time.Sleep(time.Second)
	}
	return false
}

func (s *sender) try(line string) bool {
	if s.conn == nil {
		c, err := s.dial()
		if err != nil {
			return false
		}
		s.conn = c
		s.connections++
	}
	s.conn.SetDeadline(time.Now().Add(2 * time.Second))
	fmt.Fprintln(s.conn, line)
	ack, err := bufio.NewReader(s.conn).ReadString('\n')
	return err == nil && ack == line+"\n"
}

func TestServerCrashes(t *testing.T) {
	lab.Test(t, func(t *testing.T, n *lab.Network) {
		server, client := n.Host("server"), n.Host("client")
		n.Link(server, client, lab.Delay(5*time.Millisecond))
		go acknowledge(must(server.Listen("tcp", ":514")))

		time.AfterFunc(10*time.Second+time.Millisecond, server.Crash)
		time.AfterFunc(time.Minute, func() {
			server.Restart()
			go acknowledge(must(server.Listen("tcp", ":514")))
		})

		dialer := client.Dialer()
		dialer.Timeout = 2 * time.Second
		s := &sender{dial: func() (net.Conn, error) { return dialer.Dial("tcp", "server:514") }}
		var slowest time.Duration
		for i := range 120 {
			start := time.Now()
			if !s.send(fmt.Sprintf("line %d", i)) {
				t.Fatalf("line %d got lost", i)
			}
			slowest = max(slowest, time.Since(start))
			time.Sleep(time.Second)
		}
		if s.connections != 2 {
			t.Errorf("%d connections, want one before the crash and one after", s.connections)
		}
		if slowest < 50*time.Second || slowest > 55*time.Second {
			t.Errorf("a line took %v, want the 50s of the outage, and a little", slowest)
		}
	})
}
