package labrun

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"time"

	"example.com/berth/internal/labfile"
	"example.com/berth/netconn"
	"example.com/berth/socket"
)

// perf measures how much gets through.
func (t *task) perf(ctx context.Context, s *labfile.Perf) error {
	f := t.flow(binary.BigEndian.AppendUint32(nil, uint32(t.index)))
	began := t.net.Now()
	over := make(chan struct{})
	var watching sync.WaitGroup
	watching.Go(func() { t.watch(ctx, f, s, began, over) })
	var err error
	if s.UDP {
		err = t.perfUDP(ctx, s, f)
	} else {
		err = t.perfTCP(ctx, s)
	}
	close(over)
	watching.Wait()
	t.perfResult(ctx, f, s, began)
	switch {
	case ctx.Err() != nil:
		return nil // it was ended
	case err == nil && f.total == 0:
		return errors.New("nothing arrived")
	}
	return err
}

// perfResult sets the metrics.
func (t *task) perfResult(ctx context.Context, f *flow, s *labfile.Perf, began time.Duration) {
	now := t.net.Now()
	bytes, end := f.before(now+1), f.latest
	if ctx.Err() != nil { // it was ended on its way
		bytes, end = f.before(now), now
	}
	took := end - began
	if s.UDP && ctx.Err() == nil {
		took = max(took, s.Time)
	}
	t.measured("bytes", float64(bytes))
	t.took("time", max(took, 0))
	if took > 0 {
		t.measured("goodput", float64(bytes)*8/took.Seconds())
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if s.UDP {
		t.measured("received", float64(f.ahead.received))
		t.measured("reordered", float64(f.ahead.reordered))
		t.measured("jitter", f.ahead.jitter)
		return
	}
	t.measured("retransmits", float64(f.retrans))
	if f.rtt.n > 0 {
		t.took("rtt", f.rtt.sum/time.Duration(f.rtt.n))
	}
}

// watcher is the part of a command that watch is: not that of the stream that
// speaks.
const watcher = 1

// watch says at intervals how much arrived.
func (t *task) watch(ctx context.Context, f *flow, s *labfile.Perf, began time.Duration, over <-chan struct{}) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		select {
		case <-over:
			cancel()
		case <-ctx.Done():
		}
	}()
	last := int64(0)
	for i := time.Duration(1); ; i++ {
		at := began + i*s.Interval
		t.until(ctx, at)
		if t.net.Now() < at { // it is over, and would be at this instant, too
			return
		}
		n := f.before(at)
		rate := float64(n-last) * 8 / s.Interval.Seconds()
		t.sayAs(watcher, "interval", map[string]any{"from": (at - s.Interval - began).Seconds(), "to": (at - began).Seconds(), "bytes": n - last, "goodput": rate},
			"%s - %s: %s, %s", seconds(at-s.Interval-began), seconds(at-began), labfile.Size.Format(float64(n-last)), labfile.Rate.Format(rate))
		last = n
		if ctx.Err() != nil {
			return
		}
	}
}

// perfTCP runs the streams.
func (t *task) perfTCP(ctx context.Context, s *labfile.Perf) error {
	errs := make([]error, s.Streams)
	var streams sync.WaitGroup
	for i := range s.Streams {
		streams.Go(func() { errs[i] = t.stream(ctx, s, i) })
	}
	streams.Wait()
	return cmp.Or(errs...)
}

// stream is the near end of a stream.
func (t *task) stream(ctx context.Context, s *labfile.Perf, i int) error {
	c, err := t.part(i).DialContext(ctx, "tcp", target(s.To))
	if err != nil {
		return err
	}
	defer c.Close()
	if i == 0 {
		t.say("start", map[string]any{"local": c.LocalAddr().String(), "remote": c.RemoteAddr().String()},
			"%s over TCP from %v to %v", times(s.Streams, "stream"), c.LocalAddr(), c.RemoteAddr())
	}
	header := binary.BigEndian.AppendUint32(nil, uint32(t.index))
	f := t.flow(header)
	start := time.Now()
	if s.Time > 0 && !s.Reverse {
		c.SetWriteDeadline(start.Add(s.Time))
	}
	defer context.AfterFunc(ctx, func() { c.SetDeadline(time.Unix(1, 0)) })()
	if _, err := c.Write(header); err != nil {
		return err
	}
	if s.Reverse {
		return f.receive(c)
	}
	return f.send(c, start)
}

// chunk is what is written at once.
var chunk = make([]byte, 64<<10)

// send sends a stream as long or as much as the command says, and waits until the
// other end has all of it.
func (f *flow) send(c net.Conn, start time.Time) error {
	tcp := c.(*netconn.TCPConn)
	if f.spec.congestion != "" {
		if err := socket.Set(tcp.Socket(), socket.TCP_CONGESTION, f.spec.congestion); err != nil {
			return err
		}
	}
	defer func() {
		if info, err := socket.Get(tcp.Socket(), socket.TCP_INFO); err == nil {
			f.ended(info.TotalRetrans, info.RTT)
		}
	}()
	if f.spec.time > 0 {
		c.SetWriteDeadline(start.Add(f.spec.time))
	}
	for left := f.spec.bytes; left > 0 || f.spec.bytes == 0; {
		b := chunk
		if f.spec.bytes > 0 {
			b = b[:min(left, int64(len(b)))]
		}
		n, err := c.Write(b)
		left -= int64(n)
		if errors.Is(err, os.ErrDeadlineExceeded) {
			break // the time is over
		}
		if err != nil {
			return err
		}
	}
	if err := tcp.CloseWrite(); err != nil {
		return err
	}
	_, err := c.Read(make([]byte, 1))
	if err == io.EOF {
		return nil
	}
	return err
}

// receive takes a stream to its end.
func (f *flow) receive(c net.Conn) error {
	b := make([]byte, 64<<10)
	for {
		n, err := c.Read(b)
		f.arrived(f.task.net.Now(), n)
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// straggling is how long datagrams on their way are waited for.
const straggling = 2 * time.Second

// perfUDP sends datagrams at a rate.
func (t *task) perfUDP(ctx context.Context, s *labfile.Perf, f *flow) error {
	c, err := t.part(0).DialContext(ctx, "udp", target(s.To))
	if err != nil {
		return err
	}
	defer c.Close()
	t.say("start", map[string]any{"local": c.LocalAddr().String(), "remote": c.RemoteAddr().String()},
		"UDP at %s from %v to %v", labfile.Rate.Format(float64(s.Rate)), c.LocalAddr(), c.RemoteAddr())
	gap := float64(s.Size*8) / float64(s.Rate) * 1e9
	b := make([]byte, s.Size)
	binary.BigEndian.PutUint32(b, uint32(t.index))
	began, sent := t.net.Now(), 0
	defer func() {
		t.measured("sent", float64(sent))
		t.measured("loss", share(sent-f.got(), sent))
	}()
	for seq := uint32(0); ; seq++ {
		at := time.Duration(float64(seq) * gap)
		if s.Time > 0 && at >= s.Time || s.Bytes > 0 && int64(sent)*int64(s.Size) >= s.Bytes {
			break
		}
		if !t.until(ctx, began+at) {
			return nil
		}
		binary.BigEndian.PutUint32(b[4:], seq)
		binary.BigEndian.PutUint64(b[8:], uint64(t.net.Now()))
		_, _ = c.Write(b) // an error is about one before
		sent++
	}
	pause(ctx, straggling)
	return nil
}

// got is how many datagrams arrived.
func (f *flow) got() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.ahead.received
}
