package gateway

import (
	"context"
	"errors"
	"net"
	"sync/atomic"
	"syscall"
	"time"

	"example.com/berth"
	"example.com/berth/socket"
)

// udp carries a flow of datagrams that the program begins.
func (g *Gateway) udp(f *flow, bf *berth.Flow) {
	if !f.allowed() {
		bf.Prohibit()
		return
	}
	out, err := g.cfg.Dial(g.ctx, "udp", g.outside(f.what.Dst))
	if err != nil {
		f.tell(Failed, err)
		answer(bf, err)
		return
	}
	in, err := bf.Accept()
	if err != nil {
		f.tell(Failed, err)
		_ = out.Close()
		return
	}
	d := &grams{f: f, in: in, out: out, report: bf.Report}
	if f.verdict.Inspect && g.cfg.Judge != nil {
		d.held = &heldGrams{hello: g.cfg.Judge.NewHello(f.what, f.verdict)}
	}
	f.tell(Begun, nil)
	err = d.run()
	if denied, ok := err.(*denial); ok {
		bf.Report(syscall.EACCES)
		f.verdict = denied.verdict
		f.tell(Denied, nil)
	}
	f.tell(Ended, err)
}

// grams carry datagrams between two connected sockets until neither has had one for
// a while.
type grams struct {
	f      *flow
	in     socket.Socket
	out    net.Conn
	report func(error) // tells the program's host that a datagram did not arrive; nil: nobody
	held   *heldGrams  // nil: nothing is inspected

	last     atomic.Int64 // when a datagram last came, in nanoseconds since the flow began
	answered atomic.Bool
}

// run returns when the flow is idle, with the error of a denial if that ended it;
// both sockets are closed then.
func (d *grams) run() error {
	stop := context.AfterFunc(d.f.g.ctx, func() { _ = d.out.Close() })
	defer stop()
	up := make(chan error, 1)
	go func() {
		err := d.up()
		_ = d.out.Close()
		up <- err
	}()
	d.down()
	_, _ = d.in.Close(), d.out.Close()
	return <-up
}

func (d *grams) touch() { d.last.Store(int64(time.Since(d.f.begun))) }

// up carries what the program sends.
func (d *grams) up() error {
	for {
		b, n, err := receiveGram(d.in)
		if err != nil {
			if errno, ok := err.(syscall.Errno); ok && errno != syscall.EBADF {
				continue // nobody reads the answers any more
			}
			if d.held != nil {
				return d.held.end()
			}
			return nil
		}
		d.touch()
		err = d.pass(b[:n])
		buffers.Put(b)
		if err != nil {
			return err
		}
	}
}

// pass sends a datagram on, once the Hello lets it.
func (d *grams) pass(b []byte) error {
	if d.held == nil {
		d.send(b)
		return nil
	}
	return d.held.take(d.f, b, d.send)
}

// send gives a datagram to the world. An error is about this one or those before;
// the next may arrive.
func (d *grams) send(b []byte) {
	_, err := d.out.Write(b)
	if err != nil {
		d.tellError(err)
		return
	}
	d.f.sent.Add(int64(len(b)))
}

// tellError brings an ICMP error of the world back to the program.
func (d *grams) tellError(err error) {
	var errno syscall.Errno
	if d.report == nil || !errors.As(err, &errno) {
		return
	}
	switch errno {
	case syscall.ECONNREFUSED, syscall.EHOSTUNREACH, syscall.ENETUNREACH, syscall.EACCES:
		d.report(errno)
	}
}

// receiveGram waits for a datagram without a buffer, and takes it.
func receiveGram(in socket.Socket) (*[bufferSize]byte, int, error) {
	for {
		b := buffers.Get().(*[bufferSize]byte)
		n, err := in.Recv(b[:], socket.MSG_DONTWAIT)
		if err == nil {
			return b, n, nil
		}
		buffers.Put(b)
		if err != syscall.EAGAIN {
			return nil, 0, err
		}
		if _, err := in.Recv(nil, socket.MSG_PEEK); err != nil {
			return nil, 0, err
		}
	}
}

// down carries what the world sends, and ends when the flow is idle.
func (d *grams) down() {
	from := lazyReader{grams: true}
	from.init(d.out, bufferSize)
	d.setDeadline()
	for {
		b, n, err := from.read()
		switch {
		case err == nil:
			d.touch()
			d.answered.Store(true)
			if !d.deliver(b, n) {
				return
			}
		case errors.Is(err, net.ErrClosed):
			return
		case isTimeout(err):
			if time.Since(d.f.begun) >= time.Duration(d.last.Load())+d.idle() {
				return
			}
			d.setDeadline()
		default:
			d.tellError(err)
			var errno syscall.Errno
			if !errors.As(err, &errno) {
				return
			}
		}
	}
}

// setDeadline ends the wait for a datagram when the flow would be idle if none came
// until then. Whether it is, is seen at that time: what came meanwhile moves no
// timer.
func (d *grams) setDeadline() {
	_ = d.out.SetReadDeadline(d.f.begun.Add(time.Duration(d.last.Load()) + d.idle()))
}

// deliver gives a datagram to the program, and is false if the socket is closed.
func (d *grams) deliver(b *[bufferSize]byte, n int) bool {
	var data []byte
	if b != nil {
		defer buffers.Put(b)
		data = b[:n]
	}
	_, err := d.in.Send(data, 0)
	if err == nil {
		d.f.received.Add(int64(n))
	}
	return err != syscall.EBADF
}

// idle is how long the flow may be silent.
func (d *grams) idle() time.Duration {
	if d.answered.Load() {
		return d.f.g.cfg.UDPIdle
	}
	return d.f.g.cfg.UDPIdle / 3
}
