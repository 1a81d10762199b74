package neighbor

import "time"

// deadlines is a binary heap of the entries that wait for a time, the earliest
// first. Each knows its place, so that a time can be moved or taken away.
type deadlines[P any] []*entry[P]

// set gives e the deadline at, or takes it away with 0.
func (d *deadlines[P]) set(e *entry[P], at time.Duration) {
	had := e.deadline != 0
	e.deadline = at
	switch {
	case !had && at == 0:
	case !had:
		e.index = len(*d)
		*d = append(*d, e)
		d.up(e.index)
	case at == 0:
		d.remove(e.index)
	default:
		d.down(d.up(e.index))
	}
}

func (d *deadlines[P]) remove(i int) {
	h := *d
	last := len(h) - 1
	if i != last {
		h.swap(i, last)
	}
	h[last] = nil
	*d = h[:last]
	if i != last {
		d.down(d.up(i))
	}
}

func (d deadlines[P]) up(i int) int {
	for i > 0 {
		parent := (i - 1) / 2
		if d[parent].deadline <= d[i].deadline {
			break
		}
		d.swap(i, parent)
		i = parent
	}
	return i
}

func (d deadlines[P]) down(i int) {
	for {
		child := 2*i + 1
		if child >= len(d) {
			return
		}
		if right := child + 1; right < len(d) && d[right].deadline < d[child].deadline {
			child = right
		}
		if d[i].deadline <= d[child].deadline {
			return
		}
		d.swap(i, child)
		i = child
	}
}

func (d deadlines[P]) swap(i, j int) {
	d[i], d[j] = d[j], d[i]
	d[i].index, d[j].index = i, j
}
