package gateway

// A gramRun gathers datagrams of one length, one behind the other, which go on
// together: with one system call, and through the kernel's layers as one. All but the
// last have the run's size.
type gramRun struct {
	buf        []byte // gramRoom long
	start, end int    // what of buf is the run
	count      int
	size       int
}

// The bounds of a run: what UDP_SEGMENT takes (UDP_MAX_SEGMENTS, 64 until Linux 6.9),
// and what a packet does.
const (
	maxRunGrams = 64
	maxRunBytes = 63 << 10
)

// gramRoom is memory for a run, and the longest datagram behind it.
const gramRoom = 2 * bufferSize

// room is where the next datagram is to be put. What add has returned is over.
func (r *gramRun) room() []byte {
	if r.start > 0 {
		r.end = copy(r.buf, r.buf[r.start:r.end])
		r.start = 0
	}
	return r.buf[r.end:]
}

// add takes in the n bytes that were put in the room, and returns the run that is
// complete by this, if any: one that was before, whose datagrams have another
// length, or the one that the datagram ends.
func (r *gramRun) add(n int) (b []byte, size int, complete bool) {
	fits := r.count > 0 && 0 < n && n <= r.size && r.end-r.start+n <= maxRunBytes
	if !fits {
		b, size, complete = r.take()
		r.size = n
	}
	r.end += n
	r.count++
	if fits && (n < r.size || r.count == maxRunGrams) {
		return r.take()
	}
	return b, size, complete
}

// take ends the run, if there is one.
func (r *gramRun) take() (b []byte, size int, ok bool) {
	b, size, ok = r.buf[r.start:r.end], r.size, r.count > 0
	r.start, r.count, r.size = r.end, 0, 0
	return b, size, ok
}
