package labhost

import (
	"net"
	"sync"
	"sync/atomic"
	"time"

	"example.com/berth/link"
	"example.com/berth/link/gso"
)

// queued is how many frames wait for the other side at most: as many as before an
// interface of Linux.
const queued = 1000

// A Cable carries frames between a device and the other side of a connection.
type Cable struct {
	dev     link.Device
	conn    *net.UnixConn
	medium  link.Medium
	patient bool // a device that waits is better than a frame that is dropped
	cutter  gso.Cutter
	queue   chan []byte
	end     chan struct{}
	over    sync.Once
	last    atomic.Int64 // when a frame last passed, in nanoseconds since begun
	begun   time.Time
}

func newCable(dev link.Device, conn *net.UnixConn, patient bool) *Cable {
	return &Cable{
		dev: dev, conn: conn, medium: dev.Info().Medium, patient: patient,
		queue: make(chan []byte, queued), end: make(chan struct{}), begun: time.Now(),
	}
}

// carry carries frames until either end is closed. It closes the connection, and
// not the device.
func (c *Cable) carry() error {
	if err := c.dev.Attach(c); err != nil {
		c.close()
		return err
	}
	var out sync.WaitGroup
	out.Go(c.write)
	c.read()
	c.close()
	out.Wait()
	return nil
}

func (c *Cable) close() {
	c.over.Do(func() {
		close(c.end)
		_ = c.conn.Close()
	})
}

// Input implements link.Handler. What crosses is one packet a frame, with its
// checksum.
func (c *Cable) Input(frames []link.Frame) {
	c.touch()
	frames, _ = c.cutter.Cut(c.medium, 0, frames)
	for i := range frames {
		b := frames[i].AppendTo(make([]byte, 0, frames[i].Len()))
		if c.patient {
			select {
			case c.queue <- b:
			case <-c.end:
				return
			}
			continue
		}
		select {
		case c.queue <- b:
		default: // as a full queue does
		}
	}
}

// Changed implements link.Handler: the other side keeps the MTU that it was told.
func (c *Cable) Changed() {}

func (c *Cable) write() {
	for {
		select {
		case b := <-c.queue:
			if _, err := c.conn.Write(b); err != nil {
				c.close()
				return
			}
		case <-c.end:
			return
		}
	}
}

func (c *Cable) read() {
	b := make([]byte, longest)
	for {
		n, err := c.conn.Read(b)
		if err != nil || n == 0 {
			return
		}
		c.touch()
		frame := [1]link.Frame{{Payload: b[:n]}}
		_, _ = c.dev.Output(frame[:]) // what it does not take is lost, as on any wire
	}
}

func (c *Cable) touch() { c.last.Store(int64(time.Since(c.begun))) }

// idle is how long nothing has passed.
func (c *Cable) idle() time.Duration { return time.Since(c.begun) - time.Duration(c.last.Load()) }
