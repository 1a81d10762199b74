package reporttest

import (
	"bytes"
	"slices"

	"example.com/berth/lab/report"
	"example.com/berth/link"
	"example.com/berth/link/impair"
)

// tap tells a Net of what comes in.
type tap struct {
	link.Device
	net *Net
	in  way
}

// Attach puts the tap before the handler.
func (t *tap) Attach(h link.Handler) error { return t.Device.Attach(&listener{h, t}) }

type listener struct {
	link.Handler
	tap *tap
}

// Input records frames and passes them on.
func (l *listener) Input(frames []link.Frame) {
	for i := range frames {
		l.tap.net.arrived(l.tap.in, &frames[i])
	}
	l.Handler.Input(frames)
}

func (n *Net) sent(w way, f *link.Frame) {
	n.mu.Lock()
	defer n.mu.Unlock()
	i := len(n.rec.Packets)
	n.rec.Packets = append(n.rec.Packets, report.Packet{Link: w.link, FromA: w.fromA, Sent: n.now(), Data: f.AppendTo(nil), Len: f.Len()})
	n.last[w] = i
	n.pending[w] = append(n.pending[w], i)
}

// observed is told what was done to the packet that was sent last: both are
// called by one goroutine, for one packet after the other.
func (n *Net) observed(w way, e *impair.Event) {
	n.mu.Lock()
	defer n.mu.Unlock()
	i := n.last[w]
	p := &n.rec.Packets[i]
	if p.Comment != "" {
		p.Comment += "; "
	}
	p.Comment += e.Comment()
	if e.Cause.Dropped() {
		p.Dropped = true
		n.pending[w] = slices.DeleteFunc(n.pending[w], func(k int) bool { return k == i })
	}
}

// arrived finds the packet that a frame is: by its bytes, or if they were
// damaged by its length.
func (n *Net) arrived(w way, f *link.Frame) {
	n.mu.Lock()
	defer n.mu.Unlock()
	data := f.AppendTo(nil)
	find := func(same func(p *report.Packet) bool) int {
		return slices.IndexFunc(n.pending[w], func(i int) bool { return same(&n.rec.Packets[i]) })
	}
	k := find(func(p *report.Packet) bool { return bytes.Equal(p.Data, data) })
	if k < 0 {
		k = find(func(p *report.Packet) bool { return p.Len == len(data) && p.Comment != "" })
	}
	if k < 0 {
		return
	}
	i := n.pending[w][k]
	p := &n.rec.Packets[i]
	if p.Arrived != 0 {
		p.Copies++
	} else {
		p.Arrived = n.now()
	}
	if p.Copies > 0 || !bytes.Contains([]byte(p.Comment), []byte("duplicated")) {
		n.pending[w] = slices.Delete(n.pending[w], k, k+1)
	}
}
