package buffer

import "sync/atomic"

// A Budget bounds the memory that the queues of a host hold together. Queues
// take what they hold from it and give it back; what happens to a queue that is
// refused is the queue's to say. It is safe for concurrent use. A nil Budget
// has no limit.
type Budget struct {
	limit int64
	used  atomic.Int64
}

// NewBudget returns a budget of limit bytes.
func NewBudget(limit int64) *Budget { return &Budget{limit: limit} }

// Take takes n bytes and reports whether that stayed within the limit; if not,
// nothing is taken.
func (b *Budget) Take(n int) bool {
	if b == nil {
		return true
	}
	if used := b.used.Add(int64(n)); used > b.limit {
		b.used.Add(-int64(n))
		return false
	}
	return true
}

// TakeAnyway takes n bytes whatever the limit: for the little that a queue
// must always be able to hold.
func (b *Budget) TakeAnyway(n int) {
	if b != nil {
		b.used.Add(int64(n))
	}
}

// Give gives n bytes back.
func (b *Budget) Give(n int) {
	if b != nil {
		b.used.Add(-int64(n))
	}
}

// Used returns how many bytes are taken.
func (b *Budget) Used() int64 {
	if b == nil {
		return 0
	}
	return b.used.Load()
}

// Pressure tells whether three quarters of the budget are in use: the time to
// stop growing.
func (b *Budget) Pressure() bool {
	return b != nil && b.used.Load() > b.limit-b.limit/4
}
