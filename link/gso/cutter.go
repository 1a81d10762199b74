package gso

import "example.com/berth/link"

// minSegment is the least length of a segment, the one that Linux allows, too.
const minSegment = 8

// A Cutter cuts large frames and completes checksums. It keeps its memory from
// one call to the next, so that it allocates nothing in the long run. The zero
// value is ready; one goroutine at a time may use it.
type Cutter struct {
	out   []link.Frame
	heads []byte
}

// Cut returns frames as a device of the given medium and offloads takes them,
// in order. Those that it takes as they are stay as they are, and if all do,
// the slice is the one given. Others refer to the payload of the given frames
// and to memory of the Cutter: they are good until the next call, and as long
// as the given frames are. Bad tells how many frames could not be cut and were
// left out, since their headers are not what GSO or CsumStart says.
func (c *Cutter) Cut(medium link.Medium, offload link.Offload, frames []link.Frame) (out []link.Frame, bad int) {
	first := 0
	for first < len(frames) && takes(offload, &frames[first]) {
		first++
	}
	if first == len(frames) {
		return frames, 0
	}
	clear(c.out)
	c.heads = c.heads[:0]
	c.out = append(c.out[:0], frames[:first]...)
	for i := first; i < len(frames); i++ {
		f, ok := &frames[i], true
		switch {
		case takes(offload, f):
			c.out = append(c.out, *f)
		case f.GSO != link.GSONone:
			ok = c.segment(medium, f)
		default:
			ok = c.complete(f)
		}
		if !ok {
			bad++
		}
	}
	return c.out, bad
}

// takes tells whether a device with these offloads takes the frame as it is.
func takes(offload link.Offload, f *link.Frame) bool {
	if f.GSO == link.GSONone {
		return f.Checksum != link.ChecksumPartial || offload&link.OffloadChecksum != 0
	}
	need := f.GSO.Offload()
	return need != 0 && offload&need == need
}

// segment appends the segments of a large frame. It reports whether that has
// the headers that it should.
func (c *Cutter) segment(medium link.Medium, f *link.Frame) bool {
	var p plan
	if !p.read(medium, f) {
		return false
	}
	for off := 0; off < len(p.payload) || off == 0; off += p.size {
		data := p.payload[off:min(off+p.size, len(p.payload))]
		head := c.room(p.head, nil)
		p.finish(head, data, off)
		s := *f
		s.Head, s.Payload = head, data
		s.GSO, s.SegSize = link.GSONone, 0
		s.Checksum, s.CsumStart, s.CsumOffset = link.ChecksumFull, 0, 0
		c.out = append(c.out, s)
	}
	return true
}

// room returns a copy of a followed by b in the Cutter's memory. What it
// returned before stays good when it has to get more.
func (c *Cutter) room(a, b []byte) []byte {
	n := len(a) + len(b)
	if cap(c.heads)-len(c.heads) < n {
		c.heads = make([]byte, 0, max(2*cap(c.heads), n, 4096))
	}
	at := len(c.heads)
	c.heads = append(append(c.heads, a...), b...)
	return c.heads[at : at+n : at+n]
}
