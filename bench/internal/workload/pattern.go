package workload

import (
	"bytes"
	"fmt"
)

// period is that of the bytes of a stream. It is a prime, so that no packet or
// buffer is a multiple of it and bytes out of place are seen, and short, so that
// comparing reads from the fastest cache.
const period = 4093

// pattern returns n bytes of the stream, and a period more.
func pattern(n int) []byte {
	b := make([]byte, n+period)
	x := uint32(1)
	for i := range min(period, len(b)) {
		x = x*1664525 + 1013904223
		b[i] = byte(x >> 24)
	}
	for i := period; i < len(b); i++ {
		b[i] = b[i-period]
	}
	return b
}

// source is a stream of the pattern's bytes.
type source struct {
	bytes []byte
	at    int // in the period
}

func newSource(block int) *source { return &source{bytes: pattern(block)} }

// next returns the next n bytes, at most the block.
func (s *source) next(n int) []byte {
	b := s.bytes[s.at : s.at+n]
	s.at = (s.at + n) % period
	return b
}

// sink compares what comes with the pattern.
type sink struct {
	source
	total int64
}

func newSink() *sink { return &sink{source: source{bytes: pattern(period)}} }

// check compares the next bytes of the stream.
func (s *sink) check(b []byte) error {
	for len(b) > 0 {
		n := min(len(b), period)
		if !bytes.Equal(b[:n], s.next(n)) {
			return fmt.Errorf("the data differ within %d bytes after %d", n, s.total)
		}
		s.total += int64(n)
		b = b[n:]
	}
	return nil
}
