package impair

import (
	"time"

	"example.com/berth/link"
)

// Drop drops the packets that m matches.
func Drop(m Match) Rule {
	return when(m, func(*link.Frame) Verdict { return Verdict{Drop: true} })
}

// Delay delays the packets that m matches; others may overtake them.
func Delay(d time.Duration, m Match) Rule {
	return when(m, func(*link.Frame) Verdict { return Verdict{Delay: d} })
}

// Change replaces the packets that m matches by what edit makes of them. Edit
// gets a copy of the frame, link header and all, that it may change and return;
// nil leaves the packet as it was. [Fixed] corrects checksums afterwards.
func Change(m Match, edit func(frame []byte) []byte) Rule {
	return when(m, func(f *link.Frame) Verdict {
		return Verdict{Replace: edit(f.AppendTo(make([]byte, 0, f.Len())))}
	})
}

// Because gives a rule's verdicts a reason, for events and captures.
func Because(reason string, r Rule) Rule {
	return func(now time.Duration, f *link.Frame) Verdict {
		v := r(now, f)
		if v.Drop || v.Delay > 0 || v.Replace != nil {
			v.Reason = reason
		}
		return v
	}
}

// when reads the packet's headers, and asks then if m matches.
func when(m Match, then func(*link.Frame) Verdict) Rule {
	return func(now time.Duration, f *link.Frame) (v Verdict) {
		p := packets.Get().(*Packet)
		p.read(now, f)
		if m(p) {
			v = then(f)
		}
		p.Frame = nil
		packets.Put(p)
		return v
	}
}

// Rules is one rule that asks several in order: each sees the packet as those
// before it left it, delays add up, and after one that drops it the others do
// not see it.
func Rules(rules ...Rule) Rule {
	return func(now time.Duration, f *link.Frame) (all Verdict) {
		for _, r := range rules {
			v := r(now, f)
			if v.Reason != "" {
				all.Reason = also(all.Reason, v.Reason)
			}
			all.Delay += max(0, v.Delay)
			if v.Drop {
				all.Drop = true
				break
			}
			if v.Replace != nil {
				all.Replace = v.Replace
				f = &link.Frame{Payload: v.Replace, Time: f.Time, Serial: f.Serial}
			}
		}
		return all
	}
}
