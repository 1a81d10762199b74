// Package seqnum is arithmetic on 32-bit sequence numbers that wrap
// (RFC 9293 section 3.4): all comparisons are modulo 2^32, and hold for numbers
// less than 2^31 apart.
package seqnum

// Value is a sequence number.
type Value uint32

// Add returns v + n.
func (v Value) Add(n int) Value { return v + Value(n) }

// Sub returns the distance v - w, negative if v comes before w.
func (v Value) Sub(w Value) int { return int(int32(v - w)) }

// Less tells whether v comes before w.
func (v Value) Less(w Value) bool { return int32(v-w) < 0 }

// LessEq tells whether v comes before w or is w.
func (v Value) LessEq(w Value) bool { return int32(v-w) <= 0 }

// In tells whether v lies in the size values that begin with first.
func (v Value) In(first Value, size int) bool { return uint32(v-first) < uint32(size) }

// Max returns the later of v and w.
func Max(v, w Value) Value {
	if v.Less(w) {
		return w
	}
	return v
}

// Min returns the earlier of v and w.
func Min(v, w Value) Value {
	if w.Less(v) {
		return w
	}
	return v
}
