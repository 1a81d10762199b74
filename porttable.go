package berth

import (
	"slices"
	"sync"
	"sync/atomic"

	"example.com/berth/internal/lean"
)

// A portTable has what is bound to each port. It is read without a lock: with
// every packet to a listener, and every datagram.
type portTable[S any] struct {
	_ lean.Incomparable

	mu    sync.Mutex // orders changes
	pages [256]atomic.Pointer[portPage[S]]
}

// A portPage is 256 neighboring ports. What is on one is replaced, never changed;
// a page that was needed once stays.
type portPage[S any] [256]atomic.Pointer[[]S]

// on returns what is bound to a port. The slice must not be changed.
//
//go:noinline
func (t *portTable[S]) on(port uint16) []S {
	if page := t.pages[port>>8].Load(); page != nil {
		if list := page[port&0xff].Load(); list != nil {
			return *list
		}
	}
	return nil
}

// change replaces what is bound to a port by what f makes of a copy of it.
func (t *portTable[S]) change(port uint16, f func([]S) []S) {
	t.mu.Lock()
	defer t.mu.Unlock()
	page := t.pages[port>>8].Load()
	if page == nil {
		page = new(portPage[S])
		t.pages[port>>8].Store(page)
	}
	list := f(slices.Clone(t.on(port)))
	if len(list) == 0 {
		page[port&0xff].Store(nil)
		return
	}
	page[port&0xff].Store(&list)
}
