package route

import "math/bits"

// A bitset says which of up to 512 rows there are; the rows themselves lie close
// together, each at its rank.
type bitset [8]uint64

func (s *bitset) has(i int) bool { return s[i>>6]>>(i&63)&1 != 0 }
func (s *bitset) set(i int)      { s[i>>6] |= 1 << (i & 63) }
func (s *bitset) clear(i int)    { s[i>>6] &^= 1 << (i & 63) }

// rank is how many there are before i.
func (s *bitset) rank(i int) int {
	n := bits.OnesCount64(s[i>>6] & (1<<(i&63) - 1))
	for _, word := range s[:i>>6] {
		n += bits.OnesCount64(word)
	}
	return n
}
