package tcp

import "time"

// Vitals are what changes with each segment, for plots; lengths are bytes.
type Vitals struct {
	Cwnd, SSThresh int // 0 before the connection is established
	Flight         int // the pipe of RFC 6675: sent, neither acknowledged nor lost
	SndWnd, RcvWnd int
	SRTT, RTO      time.Duration
	Una, Nxt       uint32
}

// Vitals returns them; it is cheaper than Info.
func (c *Conn) Vitals() Vitals {
	v := Vitals{
		Flight: c.fl.pipe(), SndWnd: c.snd.wnd, RcvWnd: c.rcvWnd(),
		SRTT: c.rtt.srtt, RTO: c.backedOffRTO(),
		Una: uint32(c.snd.una), Nxt: uint32(c.snd.nxt),
	}
	if c.cc != nil {
		v.Cwnd, v.SSThresh = c.cc.Cwnd(), c.cc.SSThresh()
	}
	return v
}
