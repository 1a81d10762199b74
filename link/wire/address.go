package wire

import (
	"encoding/binary"
	"sync/atomic"
)

// made counts the addresses made up without a seed.
var made atomic.Uint32

// address returns the Ethernet address of the device with the given index. The
// ones made up are locally administered (the second lowest bit of the first
// byte, IEEE 802 8.2.2), so that they collide with no real card.
func (c *config) address(end, index int) [6]byte {
	if c.addrs[end] != ([6]byte{}) {
		return c.addrs[end]
	}
	var a [6]byte
	if c.seeded {
		// 24 bits of the mixed seed and 16 of the index: two ports of one
		// switch never share an address.
		binary.BigEndian.PutUint32(a[:], uint32(mix(c.seed)))
		binary.BigEndian.PutUint16(a[4:], uint16(index))
	} else {
		binary.BigEndian.PutUint32(a[2:], made.Add(1))
	}
	a[0] = 0x02
	return a
}

// mix spreads neighboring seeds over all bits (the finalizer of SplitMix64).
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
