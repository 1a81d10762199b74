package limits

import (
	"encoding/binary"
	"math/bits"
	"sync"
	"time"
)

// BareWire bounds a stack in memory that runs to completion: the goroutine that
// writes builds each packet, takes it to the peer's socket, and takes what
// answers it, on its own stack. Packets have true headers, are summed and
// verified, and find their connection by its four-tuple; there are pooled
// buffers, locks, windows and wakeups. There is no recovery from loss, no
// congestion control, no timer, no close.
type BareWire struct {
	MSS       int
	Checksums bool
}

const (
	bareHeaders = 40
	bareWindow  = 256 << 10
	bareScale   = 3
	bareBlock   = 64 << 10
)

// barePacket is a packet in its buffer.
type barePacket struct {
	next *barePacket
	n    int // its length
	at   int // what is read of it
	b    []byte
}

// bareHost is a host with a table of connections.
type bareHost struct {
	BareWire
	mu    sync.RWMutex // guards conns
	conns map[[12]byte]*bareEnd
	peer  *bareHost
	// pools are for bare acknowledgements and for data; the two hosts share
	// them, so that a buffer goes back to where it came from.
	pools *[2]sync.Pool
}

// bareEnd is one end of a connection.
type bareEnd struct {
	host   *bareHost
	header [bareHeaders]byte // of what it sends

	mu         sync.Mutex // guards what follows
	read, room sync.Cond
	head, tail *barePacket
	queued     int
	una, nxt   uint32
	rcv, wnd   uint32
	unacked    int // segments
}

// pair returns two ends that are connected, among a thousand others.
func (w BareWire) pair() (a, b *bareEnd) {
	pools := new([2]sync.Pool)
	ha := &bareHost{BareWire: w, conns: map[[12]byte]*bareEnd{}, pools: pools}
	hb := &bareHost{BareWire: w, conns: map[[12]byte]*bareEnd{}, pools: pools}
	ha.peer, hb.peer = hb, ha
	for i := range uint32(1000) {
		var key [12]byte
		binary.BigEndian.PutUint32(key[:], i)
		ha.conns[key], hb.conns[key] = &bareEnd{}, &bareEnd{}
	}
	one, two := [6]byte{10, 0, 0, 1, 3, 232}, [6]byte{10, 0, 0, 2, 7, 208}
	return ha.end(one, two), hb.end(two, one)
}

// end makes a host's end between two addresses with their ports.
func (h *bareHost) end(local, remote [6]byte) *bareEnd {
	e := &bareEnd{host: h, wnd: bareWindow}
	e.read.L, e.room.L = &e.mu, &e.mu
	e.header[0], e.header[8], e.header[9] = 0x45, 64, 6
	copy(e.header[12:], local[:4])
	copy(e.header[16:], remote[:4])
	copy(e.header[20:], local[4:])
	copy(e.header[22:], remote[4:])
	e.header[32], e.header[33] = 0x50, flagACK
	var key [12]byte // as it stands in what comes in
	copy(key[:], remote[:4])
	copy(key[4:], local[:4])
	copy(key[8:], remote[4:])
	copy(key[10:], local[4:])
	h.conns[key] = e
	return e
}

// get returns a buffer for a packet with or without data.
func (h *bareHost) get(data bool) *barePacket {
	size, pool := bareHeaders, &h.pools[0]
	if data {
		size, pool = bareHeaders+h.MSS, &h.pools[1]
	}
	if p, ok := pool.Get().(*barePacket); ok {
		return p
	}
	return &barePacket{b: make([]byte, size)}
}

func (h *bareHost) put(p *barePacket) {
	if len(p.b) == bareHeaders {
		h.pools[0].Put(p)
	} else {
		h.pools[1].Put(p)
	}
}

// seal completes the headers of a packet whose payload of n bytes is in place.
func (e *bareEnd) seal(p *barePacket, n int) {
	p.n, p.at, p.next = bareHeaders+n, bareHeaders, nil
	b := p.b[:p.n]
	copy(b, e.header[:])
	binary.BigEndian.PutUint16(b[2:], uint16(min(65535, p.n)))
	binary.BigEndian.PutUint32(b[24:], e.nxt)
	binary.BigEndian.PutUint32(b[28:], e.rcv)
	binary.BigEndian.PutUint16(b[34:], uint16((bareWindow-e.queued)>>bareScale))
	binary.BigEndian.PutUint16(b[10:], ^sumLoop(b[:20]))
	if e.host.Checksums {
		binary.BigEndian.PutUint16(b[36:], ^bits.ReverseBytes16(sum(b[12:])))
	}
}

// input takes a packet to its connection.
func (h *bareHost) input(p *barePacket) {
	b := p.b[:p.n]
	if b[0] != 0x45 || b[9] != 6 || sumLoop(b[:20]) != 0xffff {
		panic("limits: a bad header")
	}
	if h.Checksums && sum(b[12:]) != 0xffff {
		panic("limits: a bad checksum")
	}
	h.mu.RLock()
	e := h.conns[[12]byte(b[12:24])]
	h.mu.RUnlock()
	e.mu.Lock()
	defer e.mu.Unlock()
	e.acknowledged(binary.BigEndian.Uint32(b[28:]), uint32(binary.BigEndian.Uint16(b[34:]))<<bareScale)
	if p.n == bareHeaders {
		e.room.Signal()
		h.put(p)
		return
	}
	if binary.BigEndian.Uint32(b[24:]) != e.rcv {
		panic("limits: out of order")
	}
	e.rcv += uint32(p.n - bareHeaders)
	e.queued += p.n - bareHeaders
	if e.tail == nil {
		e.head = p
		e.read.Signal()
	} else {
		e.tail.next = p
	}
	e.tail = p
	if e.unacked++; e.unacked >= 2 {
		e.acknowledge()
	}
}

// acknowledged takes an acknowledgement. They are sent without the lock, so that
// one may overtake another.
func (e *bareEnd) acknowledged(ack, wnd uint32) {
	switch {
	case int32(ack-e.una) > 0:
		e.una, e.wnd = ack, wnd
	case ack == e.una:
		e.wnd = max(e.wnd, wnd)
	}
}

// acknowledge sends a bare acknowledgement, without the lock meanwhile.
func (e *bareEnd) acknowledge() {
	e.unacked = 0
	p := e.host.get(false)
	e.seal(p, 0)
	e.mu.Unlock()
	e.host.peer.input(p)
	e.mu.Lock()
}

// send writes all of b.
func (e *bareEnd) send(b []byte) {
	for len(b) > 0 {
		n := min(e.host.MSS, len(b))
		e.mu.Lock()
		for int(e.wnd)-int(e.nxt-e.una) < n {
			e.room.Wait()
		}
		p := e.host.get(true)
		copy(p.b[bareHeaders:], b[:n])
		e.unacked = 0
		e.seal(p, n)
		e.nxt += uint32(n)
		e.mu.Unlock()
		e.host.peer.input(p)
		b = b[n:]
	}
}

// receive reads what there is, at least a byte.
func (e *bareEnd) receive(b []byte) (total int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for e.head == nil {
		e.read.Wait()
	}
	for e.head != nil && total < len(b) {
		p := e.head
		n := copy(b[total:], p.b[p.at:p.n])
		p.at += n
		total += n
		if p.at == p.n {
			if e.head = p.next; e.head == nil {
				e.tail = nil
			}
			e.host.put(p)
		}
	}
	before := e.queued
	e.queued -= total
	if before > bareWindow/2 && e.queued <= bareWindow/2 {
		e.acknowledge() // the window has opened
	}
	return total
}

// Gbps is the rate of bulk data.
func (w BareWire) Gbps() float64 {
	const total = 1 << 30
	a, b := w.pair()
	go func() {
		buf := make([]byte, bareBlock)
		for range total / len(buf) {
			a.send(buf)
		}
	}()
	buf := make([]byte, bareBlock)
	start := time.Now()
	for n := 0; n < total; {
		n += b.receive(buf)
	}
	return total * 8 / 1e9 / time.Since(start).Seconds()
}

// RoundTrip is the time of a byte there and back, in microseconds.
func (w BareWire) RoundTrip() float64 {
	const n = 200_000
	a, b := w.pair()
	go func() {
		buf := make([]byte, 64)
		for range n {
			b.send(buf[:b.receive(buf)])
		}
	}()
	buf := make([]byte, 64)
	start := time.Now()
	for range n {
		a.send(buf[:1])
		a.receive(buf)
	}
	return time.Since(start).Seconds() * 1e6 / n
}
