package report

import (
	"cmp"
	"slices"
	"time"
)

// step is a line of the ladder as text: a packet, a note, or what was left out.
type step struct {
	at      time.Duration
	packet  int // an index of analysis.shown, or -1
	note    *Note
	leftOut string
}

// choose is what the ladder has room for: how things began and how they ended,
// the notes, and the losses with what was sent again, the first of them first.
// What the network says to itself goes first.
func choose(r *Recording, a *analysis, lines int) []step {
	all := steps(r, a)
	if len(all) <= lines {
		return all
	}
	for n := lines; ; n -= n/8 + 1 {
		if out := thin(r, a, all, some(a, all, n)); len(out) <= lines {
			return out
		}
	}
}

// some marks about so many steps as worth to be shown; each stretch of others
// takes a line, too.
func some(a *analysis, all []step, lines int) []bool {
	var told []int // without chatter
	for i := range all {
		if all[i].note != nil || !a.flows.all[a.at[a.shown[all[i].packet]].flow].chatter() {
			told = append(told, i)
		}
	}
	show := make([]bool, len(all))
	for k, i := range told {
		show[i] = k < lines/3 || k >= len(told)-lines/3
	}
	room := (lines - 2*(lines/3) - 1) / 2
	for _, worth := range []func(*step) bool{
		func(s *step) bool { return s.note != nil },
		func(s *step) bool {
			return s.packet >= 0 && a.at[a.shown[s.packet]].marks&(markDropped|markResent) != 0
		},
	} {
		for _, i := range told {
			if room > 0 && !show[i] && worth(&all[i]) {
				show[i] = true
				room--
			}
		}
	}
	return show
}

// steps are all packets and notes in order; a note comes before what was sent at
// its time.
func steps(r *Recording, a *analysis) []step {
	out := make([]step, 0, len(a.shown)+len(r.Notes))
	for i := range r.Notes {
		out = append(out, step{at: r.Notes[i].At, packet: -1, note: &r.Notes[i]})
	}
	for k, i := range a.shown {
		out = append(out, step{at: r.Packets[i].Sent, packet: k})
	}
	slices.SortStableFunc(out, func(x, y step) int { return cmp.Compare(x.at, y.at) })
	return out
}

// thin replaces runs that are not shown by a line.
func thin(r *Recording, a *analysis, all []step, show []bool) []step {
	var out []step
	for i := 0; i < len(all); {
		if show[i] {
			out = append(out, all[i])
			i++
			continue
		}
		n, lost, resent, notes, from := 0, 0, 0, 0, i
		for ; i < len(all) && !show[i]; i++ {
			if all[i].note != nil {
				notes++
				continue
			}
			n++
			m := a.at[a.shown[all[i].packet]].marks
			if m&markDropped != 0 {
				lost++
			}
			if m&markResent != 0 && m&markOrigin != 0 {
				resent++
			}
		}
		if i-from == 1 { // the line would be no shorter
			out = append(out, all[from])
			continue
		}
		text := "… " + packets(n, lost, resent)
		if notes > 0 {
			text += ", " + grouped(notes) + " notes"
		}
		out = append(out, step{at: all[from].at, packet: -1, leftOut: text + " …"})
	}
	return out
}
