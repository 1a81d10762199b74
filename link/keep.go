package link

import (
	"sync"

	"example.com/berth/internal/buffer"
)

// Kept is a frame that outlives the call that lent it.
type Kept struct {
	Frame
	head [headRoom]byte
}

// headRoom is room for the headers that a stack writes: Ethernet 14, IPv6 40
// with a fragment header 8, TCP 60. Longer ones get memory of their own.
const headRoom = 128

// Keep returns a frame of its own with the same bytes: the head copied, and the
// payload shared where it lies in a pooled buffer, else copied.
func (f *Frame) Keep() *Kept {
	k := keptPool.Get().(*Kept)
	k.Frame = *f
	k.Head = append(k.head[:0], f.Head...)
	if f.Buffer != nil {
		f.Buffer.Retain()
	} else if len(f.Payload) > 0 {
		k.Buffer = buffer.Get(len(f.Payload))
		k.Payload = k.Buffer.Bytes()[:copy(k.Buffer.Bytes(), f.Payload)]
	}
	return k
}

// KeepCopy is Keep with a copy of the payload that the caller may change.
func (f *Frame) KeepCopy() *Kept {
	lent := *f
	lent.Buffer = nil
	return lent.Keep()
}

// Release gives the frame back. It must not be used afterwards.
func (k *Kept) Release() {
	k.Buffer.Release()
	k.Frame = Frame{}
	keptPool.Put(k)
}

var keptPool = sync.Pool{New: func() any { return new(Kept) }}

// NewBuffer returns pooled memory of at least size bytes, with one reference
// that the caller gives back with Release. A device reads packets into such
// buffers so that the stack can keep a payload without copying it. The bytes
// are not zeroed.
func NewBuffer(size int) *Buffer { return buffer.Get(size) }

// MaxFrame is the size of a buffer that holds any frame: a packet of 64 KiB
// with its link header and a device's own header before it.
const MaxFrame = buffer.Large
