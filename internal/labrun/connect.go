package labrun

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"example.com/berth/internal/labfile"
)

// A conversation is a connect command: messages that are to come back.
type conversation struct {
	*task
	spec     *labfile.Connect
	conn     net.Conn
	attempts int // of TCP connections, or of UDP messages
	sent     int
	received int
	rtt      rtts
}

// connect sends messages and waits for each to come back.
func (t *task) connect(ctx context.Context, s *labfile.Connect) error {
	c := &conversation{task: t, spec: s}
	began := t.net.Now()
	err := c.talk(ctx)
	if c.conn != nil {
		c.conn.Close()
	}
	t.measured("attempts", float64(c.attempts))
	t.measured("sent", float64(c.sent))
	t.measured("received", float64(c.received))
	t.measured("loss", share(c.sent-c.received, c.sent))
	t.took("time", t.net.Now()-began)
	c.rtt.report(t)
	switch {
	case ctx.Err() != nil:
		return nil // it was ended
	case err == nil && c.received == 0:
		return errNoAnswer
	}
	return err
}

// talk sends one message after the other. One that fails is tried again as often
// as the file says; over TCP, on a new connection.
func (c *conversation) talk(ctx context.Context) error {
	for i := 1; i <= c.spec.Count; i++ {
		if i > 1 && !pause(ctx, c.spec.Interval) {
			return nil
		}
		var err error
		for try := 0; ; try++ {
			if err = c.exchange(ctx, i); err == nil || ctx.Err() != nil || try == c.spec.Retry {
				break
			}
			c.say("retry", map[string]any{"error": plain(err).Error()}, "%v; again in %v", plain(err), c.spec.Pause)
			if !pause(ctx, c.spec.Pause) {
				return nil
			}
		}
		switch {
		case ctx.Err() != nil:
			return nil
		case err == nil:
		case c.spec.UDP:
			c.say("lost", map[string]any{"seq": i}, "message %d: %v", i, plain(err))
		default:
			return err
		}
	}
	return nil
}

// exchange sends a message, and waits until it is back.
func (c *conversation) exchange(ctx context.Context, i int) error {
	if c.spec.UDP || c.conn == nil {
		c.attempts++
	}
	if c.conn == nil {
		if err := c.dial(ctx); err != nil {
			return err
		}
	}
	message := c.message(i)
	c.sent++
	start := c.net.Now()
	c.conn.SetDeadline(time.Now().Add(c.spec.Timeout))
	defer context.AfterFunc(ctx, func() { c.conn.SetDeadline(time.Unix(1, 0)) })()
	err := c.roundTrip(message)
	if err != nil {
		if !c.spec.UDP {
			c.conn.Close()
			c.conn = nil
		}
		return err
	}
	took := c.net.Now() - start
	c.received++
	c.rtt.add(took)
	c.say("reply", map[string]any{"seq": i, "bytes": len(message), "rtt": took.Seconds()},
		"message %d of %d bytes came back after %s", i, len(message), length(took))
	return nil
}

// message is the i-th: the text with its number, or so many bytes that begin so.
func (c *conversation) message(i int) []byte {
	m := fmt.Appendf(nil, "%s %d", c.spec.Text, i)
	if c.spec.Size > 0 {
		full := bytes.Repeat([]byte{'.'}, int(c.spec.Size))
		copy(full, fmt.Sprintf("%d ", i))
		return full
	}
	return m
}

func (c *conversation) dial(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, c.spec.Timeout)
	defer cancel()
	d := c.host.As(c.cmd.Name).Dialer()
	network := "tcp"
	if c.spec.UDP {
		network = "udp"
	}
	if port := int(c.spec.Local); port != 0 {
		d.LocalAddr = &net.TCPAddr{Port: port}
		if c.spec.UDP {
			d.LocalAddr = &net.UDPAddr{Port: port}
		}
	}
	start := c.net.Now()
	conn, err := d.DialContext(ctx, network, target(c.spec.To))
	if err != nil {
		return err
	}
	c.conn = conn
	took := c.net.Now() - start
	data := map[string]any{"local": conn.LocalAddr().String(), "remote": conn.RemoteAddr().String()}
	if c.spec.UDP {
		c.say("start", data, "from %v to %s (%v) over UDP", conn.LocalAddr(), target(c.spec.To), conn.RemoteAddr())
		return nil
	}
	c.took("handshake", took)
	data["handshake"] = took.Seconds()
	c.say("connected", data, "connected to %s (%v) in %s, attempt %d", target(c.spec.To), conn.RemoteAddr(), length(took), c.attempts)
	return nil
}

// roundTrip writes a message and reads it again.
func (c *conversation) roundTrip(message []byte) error {
	if !c.spec.UDP {
		written := make(chan error, 1)
		go func() { // a long one is on its way back before it is sent
			_, err := c.conn.Write(message)
			written <- err
		}()
		back := make([]byte, len(message))
		_, err := io.ReadFull(c.conn, back)
		if err != nil {
			c.conn.SetDeadline(time.Unix(1, 0))
			<-written
			return err
		}
		if !bytes.Equal(back, message) {
			return errors.New("what came back is not what was sent")
		}
		return <-written
	}
	if _, err := c.conn.Write(message); err != nil {
		return err
	}
	back := make([]byte, len(message)+1)
	for {
		n, err := c.conn.Read(back)
		if err != nil || bytes.Equal(back[:n], message) {
			return err
		}
	}
}

// target writes a target as dialers take it.
func target(t labfile.Target) string { return fmt.Sprintf("%s:%d", t.Host, t.Port) }
