package perf

import (
	"context"
	"fmt"
	"io"
	"net/netip"
	"time"

	"example.com/berth/netconn"
)

// Client is one who measures.
type Client struct {
	Dialer *netconn.Dialer
	// TCP and UDP are the networks, "tcp6" for instance, and Address the
	// server's.
	TCP, UDP, Address string
	// Finish closes a connection when the other side has everything.
	Finish func(context.Context, *netconn.TCPConn) error
	// Interval is the time between reports while it runs; 0 gives none.
	Interval time.Duration
}

// Run does a test. When ctx ends it ends early, and reports what there was.
func (c *Client) Run(ctx context.Context, p Params, printer Printer) error {
	conn, err := c.dial(ctx, c.TCP, hello{version: Version}.String())
	if err != nil {
		return err
	}
	defer conn.Close()
	ch := newChannel(conn)
	if err := ch.send(message{Kind: kindTest, Params: &p}); err != nil {
		return err
	}
	ready, err := ch.expect(kindReady, patience)
	if err != nil {
		return err
	}
	s := newSession(p, ch, printer, true)
	s.interval = c.Interval
	defer s.close()
	if err := c.openAll(ctx, s, ready.Cookie); err != nil {
		return s.fail(err)
	}
	if err := s.run(ctx); err != nil {
		return err
	}
	return c.Finish(ctx, conn)
}

// dial opens a TCP connection and says hello.
func (c *Client) dial(ctx context.Context, network, greeting string) (*netconn.TCPConn, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	conn, err := c.Dialer.DialContext(ctx, network, c.Address)
	if err != nil {
		return nil, err
	}
	t := conn.(*netconn.TCPConn)
	if _, err := io.WriteString(t, greeting); err != nil {
		t.Close()
		return nil, err
	}
	return t, nil
}

// openAll opens the streams and waits until the server has them all.
func (c *Client) openAll(ctx context.Context, s *session, cookie string) error {
	for _, st := range s.streams {
		open := c.openTCP
		if s.params.UDP {
			open = c.openUDP
		}
		if err := open(ctx, s, st, cookie); err != nil {
			return err
		}
	}
	if s.params.UDP {
		defer greet(s, cookie)()
	}
	_, err := s.channel.expect(kindStart, patience)
	return err
}

func (c *Client) openTCP(ctx context.Context, s *session, st *stream, cookie string) error {
	conn, err := c.dial(ctx, c.TCP, hello{Version, cookie, st.id}.String())
	if err != nil {
		return fmt.Errorf("stream %d: %w", st.id, err)
	}
	st.tcp = conn
	s.closers = append(s.closers, conn.Close)
	return nil
}

func (c *Client) openUDP(ctx context.Context, s *session, st *stream, _ string) error {
	conn, err := c.Dialer.DialContext(ctx, c.UDP, c.Address)
	if err != nil {
		return fmt.Errorf("stream %d: %w", st.id, err)
	}
	u := conn.(*netconn.UDPConn)
	s.closers = append(s.closers, u.Close)
	_ = u.SetReadBuffer(readBuffer) // as much of it as there may be
	s.sockets = append(s.sockets, u)
	st.send, st.peer = u.Write, netip.AddrPort{}
	return nil
}

// greet sends the server a hello for each stream of datagrams, again and again
// until the function that it returns is called.
func greet(s *session, cookie string) (stop func()) {
	done := make(chan struct{})
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		b := make([]byte, headerLen, headerLen+cookieLen)
		for {
			for _, st := range s.streams {
				d := datagram{kind: datagramHello, stream: st.id}
				d.put(b)
				_, _ = st.send(append(b, cookie...)) // the next one may come through
			}
			select {
			case <-done:
				return
			case <-time.After(100 * time.Millisecond):
			}
		}
	}()
	return func() { close(done); <-stopped }
}
