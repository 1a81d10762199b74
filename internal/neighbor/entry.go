package neighbor

import (
	"net/netip"
	"time"

	"example.com/berth/internal/header"
)

// entry is one neighbor.
type entry[P any] struct {
	addr   netip.Addr
	hw     header.MAC
	state  State
	router bool // IsRouter: it advertised itself as one

	until    time.Duration // REACHABLE holds until then
	used     time.Duration // a packet was last sent; 0 never
	changed  time.Duration // hw was last recorded
	asked    time.Duration // a solicitation was last sent; 0 never
	backoff  time.Duration // UNREACHABLE: the wait after the next solicitation
	solicits int           // sent in this state
	owed     bool          // it was Lost or doubted: its answer is Found
	deferred bool          // a solicitation waits for the rate limit
	source   netip.Addr    // of the packet that prompts solicitations

	pending      []pended[P]
	pendingBytes int

	deadline time.Duration // 0 for none
	index    int           // in the deadlines, while deadline is not 0

	list       *lru[P] // what it stands in; nil for PERMANENT
	prev, next *entry[P]
}

// pended is a packet that waits, with what it counts.
type pended[P any] struct {
	packet P
	size   int
}

// lru is a list of entries, the most recently used one first.
type lru[P any] struct {
	first, last *entry[P]
	n           int
}

// move puts e at the front of the list, taking it from where it stood.
func (l *lru[P]) move(e *entry[P]) {
	if l.first == e {
		return
	}
	e.unlink()
	e.list, e.next = l, l.first
	if l.first != nil {
		l.first.prev = e
	} else {
		l.last = e
	}
	l.first = e
	l.n++
}

// unlink takes e from the list that it stands in, if any.
func (e *entry[P]) unlink() {
	l := e.list
	if l == nil {
		return
	}
	if e.prev != nil {
		e.prev.next = e.next
	} else {
		l.first = e.next
	}
	if e.next != nil {
		e.next.prev = e.prev
	} else {
		l.last = e.prev
	}
	l.n--
	e.list, e.prev, e.next = nil, nil, nil
}
