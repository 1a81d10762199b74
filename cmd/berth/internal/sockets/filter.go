package sockets

import (
	"cmp"
	"slices"
)

// Filter chooses rows as the options of ss do. Its zero value takes the
// connected sockets of all kinds.
type Filter struct {
	TCP, UDP, Raw bool // kinds; none of them stands for all
	IPv4, IPv6    bool // families; none or both stand for both
	Listening     bool // those that listen or have no peer, and no others
	All           bool // whatever the state
}

// Choose returns the rows that pass, in the order of ss, and how many did not
// only for their state.
func (f *Filter) Choose(rows []Row) (chosen []Row, hidden int) {
	chosen = make([]Row, 0, len(rows))
	for _, r := range rows {
		switch {
		case !f.kind(&r):
		case !f.state(&r):
			hidden++
		default:
			chosen = append(chosen, r)
		}
	}
	slices.SortStableFunc(chosen, func(a, b Row) int {
		return cmp.Or(cmp.Compare(order(a.Netid), order(b.Netid)), cmp.Compare(waiting(&b), waiting(&a)))
	})
	return chosen, hidden
}

// order puts the kinds as ss does.
func order(netid string) int {
	return slices.Index([]string{"icmp", "icmp6", "raw", "udp", "tcp"}, netid)
}

// waiting is 1 for what waits for anybody.
func waiting(r *Row) int {
	if r.State == "LISTEN" || r.State == "UNCONN" {
		return 1
	}
	return 0
}

func (f *Filter) kind(r *Row) bool {
	if (f.IPv4 || f.IPv6) && !(f.IPv4 && r.Family == 4 || f.IPv6 && r.Family == 6) {
		return false
	}
	switch {
	case !f.TCP && !f.UDP && !f.Raw:
		return true
	case r.Netid == "tcp":
		return f.TCP
	case r.Netid == "udp":
		return f.UDP
	}
	return f.Raw // and ping sockets, which are ICMP as well
}

// state leaves out what waits for anybody and what has ended, or takes that
// which waits.
func (f *Filter) state(r *Row) bool {
	switch {
	case f.All:
		return true
	case f.Listening:
		return waiting(r) == 1
	}
	return waiting(r) == 0 && r.State != "TIME-WAIT" && r.State != "SYN-RECV"
}
