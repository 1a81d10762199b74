package ladder

import (
	"fmt"
	"strings"

	"example.com/berth/internal/header"
)

// Excerpt chooses from a long run of events what tells its story: how it begins
// and ends, and the first loss with what mended it. Calls are all shown. What is
// left out is told in a line.
func Excerpt(events []Event, first, last int) []Event {
	show := make([]bool, len(events))
	for i, e := range events {
		show[i] = i < first || i >= len(events)-last || e.Call != nil
	}
	showLoss(events, show)
	var out []Event
	for i := 0; i < len(events); {
		if show[i] {
			out = append(out, events[i])
			i++
			continue
		}
		j := i
		for j < len(events) && !show[j] {
			j++
		}
		if j-i == 1 {
			out = append(out, events[i]) // the line would be no shorter
		} else {
			out = append(out, Event{At: events[i].At, LeftOut: summary(events[i:j])})
		}
		i = j
	}
	return out
}

// showLoss marks the first lost segment with data, the one behind it, the first
// answers that miss it, the segment sent again, and the answer to that.
func showLoss(events []Event, show []bool) {
	at := -1
	for i, e := range events {
		if p := e.Packet; p != nil && p.Lost != "" && p.Len > 0 && p.Protocol == header.ProtocolTCP {
			at = i
			break
		}
	}
	if at < 0 {
		return
	}
	lost := events[at].Packet
	show[at] = true
	behind, missing, mended := 0, 0, false
	for i := at + 1; i < len(events); i++ {
		p := events[i].Packet
		switch {
		case p == nil:
		case p.Src == lost.Src && p.Dst == lost.Dst:
			if p.Resent && p.Seq == lost.Seq && p.Lost == "" {
				show[i], mended = true, true
			} else if behind < 2 {
				show[i] = true
				behind++
			}
		case p.Src == lost.Dst && p.Dst == lost.Src && p.Lost == "":
			if mended && int32(p.Ack-lost.Seq) > 0 {
				show[i] = true
				return
			}
			if len(p.SACK) > 0 && missing < 3 {
				show[i] = true
				missing++
			}
		}
	}
}

// summary tells what a run of events is made of.
func summary(events []Event) string {
	var packets, bytes, lost, resent [2]int
	for _, e := range events {
		p := e.Packet
		if p == nil {
			continue
		}
		packets[p.From]++
		bytes[p.From] += p.Len
		if p.Lost != "" {
			lost[p.From]++
		}
		if p.Resent {
			resent[p.From]++
		}
	}
	var parts []string
	for side, arrow := range []string{"▶", "◀"} {
		if packets[side] == 0 {
			continue
		}
		s := fmt.Sprintf("%s %d", arrow, packets[side])
		if len(parts) == 0 {
			s += plural(packets[side], " packet")
		}
		if bytes[side] > 0 {
			s += ", " + size(bytes[side])
		}
		if lost[side] > 0 {
			s += fmt.Sprintf(", %d lost", lost[side])
		}
		if resent[side] > 0 {
			s += fmt.Sprintf(", %d resent", resent[side])
		}
		parts = append(parts, s)
	}
	return strings.Join(parts, "   ")
}

func plural(n int, word string) string {
	if n == 1 {
		return word
	}
	return word + "s"
}

func size(n int) string {
	switch {
	case n >= 1<<20:
		return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
	case n >= 1<<10:
		return fmt.Sprintf("%.1f KiB", float64(n)/(1<<10))
	}
	return fmt.Sprintf("%d bytes", n)
}
