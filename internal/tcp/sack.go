package tcp

import (
	"example.com/berth/internal/header"
	"example.com/berth/internal/seqnum"
)

// takeSACK enters SACK blocks into the scoreboard. A block at or below SND.UNA
// is a DSACK (RFC 2883 4); one beyond what was sent, or with its ends the wrong
// way round, is nonsense.
func (c *Conn) takeSACK(seg *Segment, s *ackSample) {
	n := min(seg.Options.SACKCount, len(seg.Options.SACK))
	for i, b := range seg.Options.SACK[:n] {
		switch {
		case !b.Left.Less(b.Right), c.snd.nxt.Less(b.Right):
			c.p.Counters.SACKDiscarded.Add(1)
		case b.Right.LessEq(seqnum.Max(seg.Ack, c.snd.una)), i == 0 && within(b, seg.Options.SACK[:n]):
			c.noteDSACK(b, s)
		case c.fl == nil:
		default:
			c.fl.sack(seqnum.Max(b.Left, c.snd.una), b.Right, s)
		}
	}
}

// within tells whether the first block lies inside the second: a DSACK above
// the cumulative acknowledgment.
func within(first header.SACKBlock, blocks []header.SACKBlock) bool {
	return len(blocks) > 1 && blocks[1].Left.LessEq(first.Left) && first.Right.LessEq(blocks[1].Right)
}

// hasSACK tells whether there is something to tell in SACK blocks.
func (c *Conn) hasSACK() bool {
	return c.useSACK && (c.ooo != nil || c.rcv.hasFin || c.dsack != (header.SACKBlock{}))
}

// addSACK adds the SACK blocks of RFC 2018 4, before them a DSACK (RFC 2883),
// and reports whether they found room.
func (c *Conn) addSACK(o *header.TCPOptions, room int) bool {
	if !c.hasSACK() {
		return true
	}
	n := 0
	if c.dsack != (header.SACKBlock{}) {
		o.SACK[0] = c.dsack
		n = 1
	}
	first := n
	if c.ooo != nil {
		n += c.ooo.blocks(o.SACK[n:])
	}
	o.SACKCount = n
	if c.rcv.hasFin {
		c.addFIN(o, first)
	}
	if o.Len() > room {
		o.SACKCount = 0
		return false
	}
	if c.dsack != (header.SACKBlock{}) {
		c.p.Counters.DSACKsSent.Add(1)
		c.dsack = header.SACKBlock{}
	}
	return true
}

// addFIN lets the blocks from the first on tell of a FIN that came out of order,
// as Linux does: at the end of the data before it, or in a block of its own.
func (c *Conn) addFIN(o *header.TCPOptions, first int) {
	for i := first; i < o.SACKCount; i++ {
		if o.SACK[i].Right == c.rcv.fin {
			o.SACK[i].Right++
			return
		}
	}
	if o.SACKCount < len(o.SACK) && c.rcv.nxt.Less(c.rcv.fin) {
		o.SACK[o.SACKCount] = header.SACKBlock{Left: c.rcv.fin, Right: c.rcv.fin.Add(1)}
		o.SACKCount++
	}
}
