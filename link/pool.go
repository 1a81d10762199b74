package link

import (
	"sync"

	"example.com/berth/internal/buffer"
)

type framePool struct{ p sync.Pool }

var keptPool framePool

func (fp *framePool) get() *Kept {
	if k, _ := fp.p.Get().(*Kept); k != nil {
		return k
	}
	return new(Kept)
}

func (fp *framePool) put(k *Kept) { fp.p.Put(k) }

// NewBuffer returns pooled memory of at least size bytes, with one reference
// that the caller gives back with Release. A device reads packets into such
// buffers so that the stack can keep a payload without copying it. The bytes
// are not zeroed.
func NewBuffer(size int) *Buffer { return buffer.Get(size) }

// MaxFrame is the size of a buffer that holds any frame: a packet of 64 KiB
// with its link header and a device's own header before it.
const MaxFrame = buffer.Large
