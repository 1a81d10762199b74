// Package pattern has the bytes that streams and datagrams of benchmarks consist
// of, so that who receives them can tell whether they are those that were sent.
package pattern

import (
	"bytes"
	"fmt"
)

// period is that of the bytes of a stream. It is a prime, so that no packet or
// buffer is a multiple of it and bytes out of place are seen, and short, so that
// comparing reads from the fastest cache.
const period = 4093

// Bytes returns n bytes of the stream, and a period more.
func Bytes(n int) []byte {
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

// Source is a stream of the pattern's bytes.
type Source struct {
	bytes []byte
	at    int // in the period
}

// NewSource returns a stream that is read in blocks of at most that many bytes.
func NewSource(block int) *Source { return &Source{bytes: Bytes(block)} }

// Next returns the next n bytes, at most the block. They are not to be changed.
func (s *Source) Next(n int) []byte {
	b := s.bytes[s.at : s.at+n]
	s.at = (s.at + n) % period
	return b
}

// Sink compares what comes with the pattern.
type Sink struct {
	source *Source
	total  int64
}

// NewSink returns a sink that expects the stream from its beginning.
func NewSink() *Sink { return &Sink{source: NewSource(period)} }

// Check compares the next bytes of the stream.
func (s *Sink) Check(b []byte) error {
	for len(b) > 0 {
		n := min(len(b), period)
		if !bytes.Equal(b[:n], s.source.Next(n)) {
			return fmt.Errorf("the data differ within %d bytes after %d", n, s.total)
		}
		s.total += int64(n)
		b = b[n:]
	}
	return nil
}
