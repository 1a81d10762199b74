package neighbor

import (
	"net/netip"
	"time"

	"example.com/berth/internal/header"
	"example.com/berth/internal/list"
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

	place list.Node // in one of the table's lists; in none if PERMANENT
}

// pended is a packet that waits, with what it counts.
type pended[P any] struct {
	packet P
	size   int
}
