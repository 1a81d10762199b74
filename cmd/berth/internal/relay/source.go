package relay

import (
	"context"
	"io"
)

// Source reads an input that cannot be interrupted, such as a terminal, so that
// one who waits for it can be. What it has read goes to whoever asks next.
type Source struct {
	chunks chan []byte
	free   chan []byte
	err    error // why it has ended; set before chunks is closed
}

// NewSource starts to read r, at most size bytes at a time. The goroutine ends
// with r.
func NewSource(r io.Reader, size int) *Source {
	s := &Source{chunks: make(chan []byte), free: make(chan []byte, 2)}
	for range cap(s.free) {
		s.free <- make([]byte, size)
	}
	go s.read(r)
	return s
}

func (s *Source) read(r io.Reader) {
	defer close(s.chunks)
	for {
		buf := <-s.free
		n, err := r.Read(buf)
		if n > 0 {
			s.chunks <- buf[:n]
		} else {
			s.free <- buf
		}
		if err != nil {
			s.err = err
			return
		}
	}
}

// next waits for what is read. It must be given back with done. At the end of
// the input the error is io.EOF.
func (s *Source) next(ctx context.Context) ([]byte, error) {
	select {
	case b, ok := <-s.chunks:
		if !ok {
			return nil, s.err
		}
		return b, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (s *Source) done(b []byte) { s.free <- b[:cap(b)] }
