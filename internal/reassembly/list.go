package reassembly

// A packet is in two lists at once, both by age: that of its version of IP and
// that of its source.
const (
	byFamily = iota
	bySource
)

// links are a packet's neighbors in one list.
type links struct{ older, younger *partial }

// A list holds packets in the order in which they came.
type list struct {
	kind        int // which of a packet's links
	first, last *partial
}

func (l *list) push(p *partial) {
	p.links[l.kind] = links{older: l.last}
	if l.last != nil {
		l.last.links[l.kind].younger = p
	} else {
		l.first = p
	}
	l.last = p
}

func (l *list) remove(p *partial) {
	at := p.links[l.kind]
	if at.older != nil {
		at.older.links[l.kind].younger = at.younger
	} else {
		l.first = at.younger
	}
	if at.younger != nil {
		at.younger.links[l.kind].older = at.older
	} else {
		l.last = at.older
	}
	p.links[l.kind] = links{}
}

// oldestBut returns the first packet that is not p; p only if it is alone.
func (l *list) oldestBut(p *partial) *partial {
	if l.first == p && p != nil {
		if second := p.links[l.kind].younger; second != nil {
			return second
		}
	}
	return l.first
}
