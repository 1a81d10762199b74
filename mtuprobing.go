package berth

import (
	"time"

	"example.com/berth/internal/tcp"
)

// MTUProbing says how TCP finds out what packets a path lets through where no
// ICMP message tells (RFC 4821). A probe is one segment that is larger than the
// others; it costs nothing but itself if it is lost. The zero value looks for
// black holes, with Linux's numbers.
type MTUProbing struct {
	Mode MTUProbeMode
	// BaseMSS is the payload that a path is trusted to let through when nothing
	// else is known, TCP's options not counted; 0 means 1024.
	BaseMSS int
	// Interval is after how long a search that is over begins again; 0 means ten
	// minutes.
	Interval time.Duration
	// Threshold ends a search where fewer bytes are left to gain; 0 means 8.
	Threshold int
	// Floor is the least MSS that black holes bring about; 0 means 48. It is
	// never below 216.
	Floor int
}

// MTUProbeMode is when TCP searches for path MTUs.
type MTUProbeMode uint8

// The modes.
const (
	// MTUProbeBlackHole searches on connections whose large segments were
	// resent three times in vain, where smaller ones pass (1 on Linux).
	MTUProbeBlackHole MTUProbeMode = iota
	// MTUProbeAlways searches on every connection, from BaseMSS up (2 on Linux).
	MTUProbeAlways
	// MTUProbeNever leaves it to ICMP (0 on Linux).
	MTUProbeNever
)

// apply takes the settings over.
func (m MTUProbing) apply(p *tcp.MTUProbing) {
	p.Mode = [...]tcp.MTUProbeMode{
		MTUProbeBlackHole: tcp.MTUProbeBlackHole, MTUProbeAlways: tcp.MTUProbeAlways, MTUProbeNever: tcp.MTUProbeNever,
	}[m.Mode]
	if m.BaseMSS > 0 {
		p.BaseMSS = m.BaseMSS
	}
	if m.Interval > 0 {
		p.Interval = m.Interval
	}
	if m.Threshold > 0 {
		p.Threshold = m.Threshold
	}
	if m.Floor > 0 {
		p.Floor = m.Floor
	}
}
