// Package buffer is the memory that packets live in: pooled blocks of a few
// sizes, counted references, so that a payload written once by a sender can lie
// in its send buffer, in a frame, and in the receiver's queue without a copy.
//
// A reference that is forgotten costs no more than a block that the garbage
// collector takes instead of the pool. A reference released twice is a mistake
// that would give one block to two owners, and panics.
package buffer

import (
	"sync"
	"sync/atomic"
	"unsafe"
)

// The sizes of blocks. Large holds a frame of 64 KiB with its headers, and a
// device's own header before it.
const (
	Small  = 256
	Medium = 2048
	Large  = 64<<10 + 512
)

var classes = [...]int{Small, Medium, Large}

var pools [len(classes)]sync.Pool

// A Buffer is one block of memory with a count of its holders. The bytes may
// be changed only by the one who made it, and only where nobody else looks yet
// (appending behind what others refer to is fine).
type Buffer struct {
	refs  int32 // atomic while there are several
	class int8  // index into classes; -1 for a size of its own
	data  []byte
}

// Get returns a buffer of at least size bytes with one reference. The bytes
// are not zeroed: whoever shows them to somebody has to have written them.
func Get(size int) *Buffer {
	for i, c := range classes {
		if size <= c {
			b, _ := pools[i].Get().(*Buffer)
			if b == nil {
				b = &Buffer{class: int8(i), data: make([]byte, c)}
			}
			b.refs = 1
			return b
		}
	}
	return &Buffer{refs: 1, class: -1, data: make([]byte, size)}
}

// Bytes returns the whole block.
func (b *Buffer) Bytes() []byte { return b.data }

// Size returns the block's length: what holding it costs.
func (b *Buffer) Size() int { return len(b.data) }

// Join returns p and next, which lie in the block, in one piece, if next lies right
// behind p.
func (b *Buffer) Join(p, next []byte) ([]byte, bool) {
	at, end := b.offset(p), b.offset(p)+len(p)
	if at < 0 || end != b.offset(next) || end+len(next) > len(b.data) {
		return nil, false
	}
	return b.data[at : end+len(next) : end+len(next)], true
}

// offset is where in the block p begins, if it does.
func (b *Buffer) offset(p []byte) int {
	return int(uintptr(unsafe.Pointer(unsafe.SliceData(p))) - uintptr(unsafe.Pointer(unsafe.SliceData(b.data))))
}

// Retain adds a reference. It does nothing on nil.
func (b *Buffer) Retain() {
	if b != nil {
		atomic.AddInt32(&b.refs, 1)
	}
}

// Release gives a reference back; the last one returns the block to its pool.
// It does nothing on nil.
func (b *Buffer) Release() {
	if b == nil {
		return
	}
	if atomic.LoadInt32(&b.refs) == 1 {
		b.refs = 0 // the only holder: there is nobody to be atomic for
		b.recycle()
		return
	}
	switch n := atomic.AddInt32(&b.refs, -1); {
	case n == 0:
		b.recycle()
	case n < 0:
		panic("buffer: released more often than retained")
	}
}

func (b *Buffer) recycle() {
	if b.class >= 0 {
		pools[b.class].Put(b)
	}
}

// Shared tells whether somebody else holds a reference too.
func (b *Buffer) Shared() bool { return atomic.LoadInt32(&b.refs) > 1 }
