package tcp

import (
	"example.com/berth/internal/buffer"
	"example.com/berth/internal/header"
	"example.com/berth/internal/seqnum"
)

// A Segment is what arrives at a connection and what leaves it: a TCP segment
// without its ports and its checksum, which are the shell's.
type Segment struct {
	Seq, Ack seqnum.Value
	Flags    header.TCPFlags
	// Window is the field of the header, not scaled.
	Window uint16
	// Urgent is the urgent pointer; it means something with header.URG only.
	Urgent uint16
	// ECN is the codepoint in the IP header.
	ECN     uint8
	Options header.TCPOptions
	Payload []byte
	// Buffer holds the memory of Payload; nil if that is not pooled. On input
	// the connection takes references of its own. On output the reference
	// belongs to the caller, who releases it after transmission.
	Buffer *buffer.Buffer
	// SegSize, if not zero, makes this a large segment: the payload is to be
	// cut, or was put together, from pieces of that many bytes.
	SegSize int
	// Header is the TCP header as it arrived, for the code in it; nil on output.
	Header []byte
	// Auth is who signs the segment, once its header is written; on input, after it
	// was looked at, who vouches for it. Nil: nobody.
	Auth Auth
}

// Len returns SEG.LEN: the sequence numbers that the segment occupies.
func (s *Segment) Len() int {
	n := len(s.Payload)
	if s.Flags&header.SYN != 0 {
		n++
	}
	if s.Flags&header.FIN != 0 {
		n++
	}
	return n
}

// end returns the sequence number after the segment.
func (s *Segment) end() seqnum.Value { return s.Seq.Add(s.Len()) }

// skip moves the beginning of the segment by n sequence numbers. The urgent
// pointer stays where it points.
func (s *Segment) skip(n int) {
	s.Seq = s.Seq.Add(n)
	if left := int(s.Urgent) - n; left > 0 {
		s.Urgent = uint16(left)
	} else {
		s.Flags &^= header.URG
	}
}

func (s *Segment) has(f header.TCPFlags) bool { return s.Flags&f == f }
