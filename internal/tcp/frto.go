package tcp

// F-RTO (RFC 5682, section 3) finds out whether a time-out came too early, where
// there are no timestamps to tell. After the retransmission of the first segment
// it sends new data instead of what may be lost: if then something arrives that
// was sent before the time-out, the network was slow, and nothing lost.

// frtoState is where F-RTO stands.
type frtoState uint8

const (
	frtoOff    frtoState = iota
	frtoRepair           // step 2: the first segment was resent
	frtoProbe            // step 3: new data is sent, and nothing resent
)

// frtoSegments is how many new segments step 2 sends.
const frtoSegments = 2

// beginFRTO is step 1. It is for time-outs out of the blue: within a recovery
// other retransmissions would be taken for the originals.
func (c *Conn) beginFRTO(fits bool) {
	c.ep.frto, c.ep.frtoWnd = frtoOff, 0
	if fits && c.useSACK {
		c.ep.frto = frtoRepair
	}
}

// frtoAck is steps 2 and 3 for an acknowledgment. It reports whether the
// time-out was spurious.
func (c *Conn) frtoAck(s *ackSample) bool {
	ep := c.ep
	if c.ca != caLoss || ep.frto == frtoOff || ep.over {
		return false
	}
	if ep.frto == frtoRepair {
		switch {
		case s.acked == 0:
		case c.point.LessEq(c.snd.una), c.unsent() == 0, c.usable() <= 0:
			ep.frto = frtoOff
		default:
			ep.frto = frtoProbe
			c.point = c.snd.nxt
		}
		return false
	}
	switch {
	case s.delivered == 0 && !s.duplicate: // neither new nor a duplicate
		return false
	case s.delivered > 0 && s.original && !c.point.Less(s.highest):
		return true // 3b
	}
	ep.frto = frtoOff // 3a
	return false
}

// holding tells whether nothing is to be resent for now.
func (c *Conn) holding() bool { return c.ca == caLoss && c.ep.frto == frtoProbe }

// frtoFails goes back to the conventional recovery if no new data could be sent,
// and reports whether that changed something.
func (c *Conn) frtoFails() bool {
	if !c.holding() || c.point.Less(c.snd.nxt) {
		return false
	}
	c.ep.frto = frtoOff
	return true
}
