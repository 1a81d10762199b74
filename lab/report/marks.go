package report

import "strings"

// marks are what is remarkable of a packet on a link. The page has the same
// table (page/data.js).
type marks uint32

const (
	markFromA     marks = 1 << iota // the link's A sent it
	markDropped                     // it did not arrive
	markOrigin                      // its sender begins its path
	markFinal                       // its receiver ends it
	markBack                        // it goes from the flow's second end to its first
	markResent                      // TCP: all or a part was sent before
	markKeepAlive                   // TCP: a probe of a connection that is idle
	markDupACK                      // TCP: says again what was missing
	markZero                        // TCP: its window is closed
	markCorrupted
	markDuplicated
	markOvertaken // arrived after one that was sent later
	markCE        // congestion experienced
	markDamaged   // a header was not as it must be
	markChanged   // impaired in another way: the comment says how
	markWaiting   // still on its way when the recording ended
)

// fate are the marks that tell what its link did to a packet.
func fate(p *Packet) marks {
	var m marks
	if p.FromA {
		m |= markFromA
	}
	switch {
	case p.Dropped:
		return m | markDropped
	case !p.arrived():
		m |= markWaiting
	}
	if strings.Contains(p.Comment, "corrupted") {
		m |= markCorrupted
	}
	if p.Copies > 0 || strings.Contains(p.Comment, "duplicated") {
		m |= markDuplicated
	}
	if strings.Contains(p.Comment, "reordered") {
		m |= markOvertaken
	}
	if p.Comment != "" && m&(markCorrupted|markDuplicated|markOvertaken) == 0 {
		m |= markChanged
	}
	return m
}

// overtaken marks each packet that a later one of its link and direction was
// faster than.
func overtaken(packets []Packet, at []position) {
	type lane struct {
		link  int
		fromA bool
	}
	earliest := make(map[lane]int, 16) // the first to arrive of those sent later
	for i := len(packets) - 1; i >= 0; i-- {
		p := &packets[i]
		if !p.arrived() {
			continue
		}
		l := lane{p.Link, p.FromA}
		j, ok := earliest[l]
		if ok && packets[j].Arrived < p.Arrived {
			at[i].marks |= markOvertaken
		}
		if !ok || p.Arrived <= packets[j].Arrived {
			earliest[l] = i
		}
	}
}
