package perf

import (
	"errors"
	"os"
	"syscall"
	"time"
)

// sendAll sends on all streams until the test is over.
func (s *session) sendAll(streams []*stream) error {
	if s.params.Bytes == 0 {
		timer := time.AfterFunc(s.params.Time, s.stop)
		defer timer.Stop()
	}
	allowed := newBudget(s.params.Bytes)
	return each(streams, func(st *stream) error {
		if s.params.UDP {
			return s.sendDatagrams(st, allowed)
		}
		return s.sendBytes(st, allowed)
	})
}

// await waits for the pace, and reports false if the test is over.
func (s *session) await(p *pace) bool {
	select {
	case <-s.halt:
		return false
	default:
	}
	wait := p.wait(time.Now())
	if wait <= 0 {
		return true
	}
	select {
	case <-s.halt:
		return false
	case <-time.After(wait):
		return true
	}
}

// sendBytes writes to a TCP stream and ends its half.
func (s *session) sendBytes(st *stream, allowed *budget) error {
	done := make(chan struct{})
	defer close(done)
	go func() { // a write that waits ends with the test
		select {
		case <-s.halt:
			_ = st.tcp.SetWriteDeadline(time.Now())
		case <-done:
		}
	}()
	b := make([]byte, s.params.Length)
	for p := (pace{rate: s.params.Rate, start: s.began}); s.await(&p); {
		n := allowed.take(len(b))
		if n == 0 {
			break
		}
		n, err := st.tcp.Write(b[:n])
		st.took(n, s.began)
		p.sent += int64(n)
		if errors.Is(err, os.ErrDeadlineExceeded) {
			break
		}
		if err != nil {
			return err
		}
	}
	return st.tcp.CloseWrite()
}

// sendDatagrams sends datagrams. Of a number of bytes, what is left at the end
// and too short is not sent.
func (s *session) sendDatagrams(st *stream, allowed *budget) error {
	b := make([]byte, s.params.Length)
	d := datagram{kind: datagramData, stream: st.id}
	owed := 0 // taken from the budget and not sent yet
	for p := (pace{rate: s.params.Rate, start: s.began}); s.await(&p); {
		if owed == 0 {
			if owed = allowed.take(len(b)); owed < len(b) {
				return nil
			}
		}
		d.sent = time.Since(s.began)
		d.put(b)
		n, err := st.send(b)
		if busy(err) {
			time.Sleep(time.Millisecond)
			continue
		}
		if err != nil {
			return err
		}
		st.took(n, s.began)
		st.datagrams.Add(1)
		p.sent += int64(n)
		d.seq++
		owed = 0
	}
	return nil
}

// busy tells whether a datagram found a device or a queue full, and may be sent
// again.
func busy(err error) bool {
	return errors.Is(err, syscall.ENOBUFS) || errors.Is(err, syscall.EAGAIN)
}
