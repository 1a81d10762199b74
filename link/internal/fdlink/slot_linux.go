package fdlink

import (
	"golang.org/x/sys/unix"

	"example.com/berth/link"
	"example.com/berth/link/internal/virtio"
)

// The sizes of buffers that a packet may lie in. A packet of up to smallSize
// bytes is copied to a buffer of that size, which costs less than to hold a
// larger one; one of up to mediumSize stays where it was read.
const (
	smallSize  = 256
	mediumSize = 2048
)

// slot is a place to read one frame into. A read scatters to the virtio header,
// then the medium buffer, then the large one behind the place of what is in the
// medium.
type slot struct {
	head          [virtio.MaxLen]byte
	medium, large *link.Buffer
	iov           []unix.Iovec
}

func (s *slot) init(vnetHeader int) {
	s.medium, s.large = link.NewBuffer(mediumSize), link.NewBuffer(link.MaxFrame)
	if vnetHeader > 0 {
		s.iov = append(s.iov, vector(s.head[:vnetHeader]))
	}
	s.iov = append(s.iov, unix.Iovec{}, unix.Iovec{})
	s.aim()
}

// aim points the vector at the buffers for the next packet.
func (s *slot) aim() {
	buffers := s.iov[len(s.iov)-2:]
	buffers[0] = vector(s.medium.Bytes()[:mediumSize])
	buffers[1] = vector(s.large.Bytes()[mediumSize:])
}

// keep returns the buffer with the n bytes that were read, and puts another in
// its place for the next packet where it is not a copy.
func (s *slot) keep(n int) (b *link.Buffer) {
	switch {
	case n <= smallSize:
		b = link.NewBuffer(smallSize)
		copy(b.Bytes(), s.medium.Bytes()[:n])
		return b
	case n <= mediumSize:
		b, s.medium = s.medium, link.NewBuffer(mediumSize)
	default:
		b, s.large = s.large, link.NewBuffer(link.MaxFrame)
		copy(b.Bytes(), s.medium.Bytes()[:mediumSize])
	}
	s.aim()
	return b
}

func (s *slot) release() {
	s.medium.Release()
	s.large.Release()
}
