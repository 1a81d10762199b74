package tcp

import (
	"time"
	"unsafe"

	"example.com/berth/socket"
)

// connStats are what TCP_INFO tells beyond the state of the protocol.
type connStats struct {
	opened, synSent time.Duration

	delivered     uint64
	bytesSent     uint64
	bytesAcked    uint64
	bytesReceived uint64
	segsOut       uint32
	segsIn        uint32
	dataSegsOut   uint32
	dataSegsIn    uint32
}

// Info returns TCP_INFO.
func (c *Conn) Info(now time.Duration) socket.TCPInfo {
	i := socket.TCPInfo{
		State:       c.state,
		CAState:     uint8(c.ca),
		Retransmits: uint8(min(c.retries, 255)),
		Probes:      uint8(min(c.probes, 255)),
		Backoff:     c.rtt.backoff,
		Timestamps:  c.useTS,
		SACK:        c.useSACK,
		ECN:         c.ecn.send || c.ecn.accurate,
		WindowScale: c.useWScale,
		SndWScale:   c.snd.wscale,
		RcvWScale:   c.rcv.wscale,

		RTO:    c.backedOffRTO(),
		ATO:    c.delack.ato,
		RTT:    c.rtt.srtt,
		RTTVar: c.rtt.mdev,
		MinRTT: c.rtt.min,
		RcvRTT: c.rate.rtt,

		SndMSS:      uint32(c.snd.mss),
		RcvMSS:      uint32(c.rcv.mss),
		AdvMSS:      uint32(c.advertisedMSS()),
		PMTU:        uint32(c.mtu),
		RcvSSThresh: uint32(c.windowLimit()),
		RcvSpace:    uint32(c.rate.space),
		SndWnd:      uint32(c.snd.wnd),
		RcvWnd:      uint32(c.rcvWnd()),

		TotalRetrans:  c.seldom().retrans,
		BytesSent:     c.stats.bytesSent,
		BytesRetrans:  c.seldom().bytesRetrans,
		BytesAcked:    c.stats.bytesAcked + c.synAcked(),
		BytesReceived: c.stats.bytesReceived,
		SegsOut:       c.stats.segsOut,
		SegsIn:        c.stats.segsIn,
		DataSegsOut:   c.stats.dataSegsOut,
		DataSegsIn:    c.stats.dataSegsIn,
		DSACKDups:     c.seldom().dsacks,
		Reordering:    uint32(c.reo.degree),
		ReordSeen:     c.reo.seen,
		NotSentBytes:  uint32(c.unsent()),

		DeliveryRate:           uint64(c.lastRate),
		DeliveryRateAppLimited: c.rateLimited,
		MaxPacingRate:          c.opts.MaxPacingRate,
		BusyTime:               c.busy.total(now),
		RwndLimited:            c.seldom().limits.window.total(now),
		SndbufLimited:          c.seldom().limits.buffer.total(now),
		TotalRTO:               uint32(c.seldom().rto.count),
		TotalRTORecoveries:     uint32(c.seldom().rto.rows),
		TotalRTOTime:           c.seldom().rto.time.total(now),
		RcvOOOPack:             c.seldom().outOfOrder,

		DeliveredCE:     c.seldom().deliveredCE,
		SYNData:         c.seldom().fast.taken(),
		FastOpenFailure: c.seldom().fast.failed(),

		LastDataSent: since(now, c.lastData),
		LastDataRecv: since(now, c.lastDataRecv()),
		LastAckRecv:  since(now, c.heard),
	}
	if c.ecn.accurate {
		c.rare.accurate.info(&i)
	}
	if c.cc != nil {
		i.SndCwnd = uint32(c.cc.Cwnd() / c.snd.mss)
		i.SndSSThresh = uint32(c.cc.SSThresh() / c.snd.mss)
		i.PacingRate = c.pacingRate()
	}
	if f := c.fl; f != nil {
		i.Unacked = uint32(f.len())
		i.Sacked = segments(f.sacked+f.dups.arrived, c.snd.mss)
		i.Lost = segments(f.lost, c.snd.mss)
		i.Retrans = segments(f.resent, c.snd.mss)
	}
	return i
}

func since(now, then time.Duration) time.Duration {
	if then == 0 {
		return 0
	}
	return now - then
}

func segments(n, mss int) uint32 { return uint32((n + mss - 1) / mss) }

// synAcked is 1 once the SYN of an active open is acknowledged: Linux counts it
// as a byte, and that of a passive open not.
func (c *Conn) synAcked() uint64 {
	if c.passive || !c.synchronized() {
		return 0
	}
	return 1
}

// Memory returns the bytes that the connection holds, all in all.
func (c *Conn) Memory() int {
	n := int(unsafe.Sizeof(*c)) + c.sendQ.held + c.recvQ.held
	n += c.sendQ.blocks.bytes(unsafe.Sizeof(sendBlock{}))
	n += c.recvQ.chunks.bytes(unsafe.Sizeof(chunk{}))
	n += c.fl.memory()
	if c.deadlines != nil {
		n += int(unsafe.Sizeof(*c.deadlines))
	}
	if c.ep != nil {
		n += int(unsafe.Sizeof(*c.ep))
	}
	if c.ooo != nil {
		n += c.ooo.bytes()
	}
	n += c.rare.memory()
	return n
}

// lastDataRecv is when data came last; before any came, when the connection was
// established, as on Linux.
func (c *Conn) lastDataRecv() time.Duration {
	if c.delack.last == 0 {
		return c.rate.began // which nobody who reads has moved yet
	}
	return c.delack.last
}
