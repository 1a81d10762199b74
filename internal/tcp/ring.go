package tcp

import (
	"math/bits"
	"sync"
)

// A ring is a queue of T in pooled memory: none while it is empty, at first for the few
// that one request needs, and then twice as much each time it is full. The zero
// value is empty.
type ring[T any] struct {
	mem  *ringMemory[T]
	head uint32
	n    uint32
}

type ringMemory[T any] struct{ slots []T } // a power of two of them

// A ringPool keeps the memory of rings that became empty, by size.
type ringPool[T any] [32 - ringMinBits]sync.Pool

// ringMinBits makes two slots the smallest ring; the next has ringNext of them.
const (
	ringMinBits = 1
	ringNext    = 8
)

func (p *ringPool[T]) get(size int) *ringMemory[T] {
	if m, _ := p[bits.Len(uint(size))-1-ringMinBits].Get().(*ringMemory[T]); m != nil {
		return m
	}
	return &ringMemory[T]{make([]T, size)}
}

func (p *ringPool[T]) put(m *ringMemory[T]) {
	p[bits.Len(uint(len(m.slots)))-1-ringMinBits].Put(m)
}

func (r *ring[T]) len() int { return int(r.n) }

// at returns slot i, counted from the front. The pointer is good until the
// next push.
func (r *ring[T]) at(i int) *T {
	return &r.mem.slots[(r.head+uint32(i))&uint32(len(r.mem.slots)-1)]
}

// front and back are the first and the last slot of a ring that is not empty.
func (r *ring[T]) front() *T { return r.at(0) }
func (r *ring[T]) back() *T  { return r.at(int(r.n) - 1) }

// push adds v at the back.
func (r *ring[T]) push(p *ringPool[T], v T) {
	r.extend(p, 1)
	*r.back() = v
}

// extend adds k slots at the back, in which is anything.
func (r *ring[T]) extend(p *ringPool[T], k int) {
	if r.mem == nil {
		r.mem, r.head = p.get(1<<ringMinBits), 0
	}
	for int(r.n)+k > len(r.mem.slots) {
		r.grow(p)
	}
	r.n += uint32(k)
}

func (r *ring[T]) grow(p *ringPool[T]) {
	old := r.mem
	m := p.get(max(2*len(old.slots), ringNext))
	k := copy(m.slots, old.slots[r.head:])
	copy(m.slots[k:], old.slots[:r.head])
	clear(old.slots)
	p.put(old)
	r.mem, r.head = m, 0
}

// pop removes the first k slots.
func (r *ring[T]) pop(p *ringPool[T], k int) {
	var zero T
	for i := range k {
		*r.at(i) = zero
	}
	r.head = (r.head + uint32(k)) & uint32(len(r.mem.slots)-1)
	if r.n -= uint32(k); r.n == 0 {
		p.put(r.mem)
		*r = ring[T]{}
	}
}

// discard removes the first k slots of a ring without pointers, and keeps the
// memory of one that becomes empty.
func (r *ring[T]) discard(k int) {
	r.n -= uint32(k)
	if r.head += uint32(k); r.n == 0 {
		r.head = 0
	} else {
		r.head &= uint32(len(r.mem.slots) - 1)
	}
}

// ringKeep is how many slots an empty ring may keep that lives in a pool.
const ringKeep = 64

// reset empties a ring without pointers, and gives its memory back if that is
// large.
func (r *ring[T]) reset(p *ringPool[T]) {
	r.head, r.n = 0, 0
	if r.mem != nil && len(r.mem.slots) > ringKeep {
		p.put(r.mem)
		r.mem = nil
	}
}

// bytes returns how much memory the slots take, size bytes each.
func (r *ring[T]) bytes(size uintptr) int {
	if r.mem == nil {
		return 0
	}
	return len(r.mem.slots) * int(size)
}
