package berth

import (
	"encoding/binary"
	"net/netip"
	"time"

	"example.com/berth/internal/seqnum"
	"example.com/berth/internal/siphash"
)

// initialSequence is the ISN of a connection (RFC 6528 section 3): a clock that
// ticks every 4 microseconds plus a keyed hash of the ends, so that it rises for
// one pair of ends and tells nothing about others.
func (h *Host) initialSequence(now time.Duration, local, remote netip.AddrPort) seqnum.Value {
	clock := now.Microseconds() / 4
	return seqnum.Value(hashEnds(h.random.isn, local, remote)) + seqnum.Value(clock)
}

// timestampOffset is what a connection adds to its clock, so that timestamps
// tell neither how long the host is up nor which connections are of one host
// (RFC 7323 section 7.1).
func (h *Host) timestampOffset(local, remote netip.AddrPort) uint32 {
	return uint32(hashEnds(h.random.timestamps, local, remote))
}

// flowLabel is the IPv6 flow label of a flow (RFC 6437 section 3); 0 for IPv4.
func (h *Host) flowLabel(local, remote netip.AddrPort) uint32 {
	if remote.Addr().Is4() {
		return 0
	}
	return uint32(hashEnds(h.random.labels, local, remote)) & 0xfffff
}

// fragmentID is the identifier of an IP packet that may be fragmented
// (RFC 7739; RFC 6864 for IPv4).
func (h *Host) fragmentID() uint32 { return uint32(h.random.Uint64()) }

// flowHash says which of several sockets that share a port has a flow.
func (h *Host) flowHash(local, remote netip.AddrPort) uint64 {
	return hashEnds(h.random.ports, local, remote)
}

func hashEnds(k siphash.Key, local, remote netip.AddrPort) uint64 {
	var b [36]byte
	l, r := local.Addr().As16(), remote.Addr().As16()
	copy(b[0:], l[:])
	copy(b[16:], r[:])
	binary.BigEndian.PutUint16(b[32:], local.Port())
	binary.BigEndian.PutUint16(b[34:], remote.Port())
	return siphash.Sum64(k, b[:])
}
