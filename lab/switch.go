package lab

import (
	"fmt"

	"example.com/berth/link"
)

// A Switch is an Ethernet switch: it learns where addresses are, and floods what
// it does not know. All links to it are one network.
type Switch struct {
	nodeBase
	segment *segment
	table   map[[6]byte]*port // used in turns only
}

// maxStations bounds a switch's table. One more address is flooded, as by a real
// switch whose table is full.
const maxStations = 16384

// Switch makes a switch, or returns the one of that name.
func (n *Network) Switch(name string) *Switch {
	if n.tb != nil {
		n.tb.Helper()
	}
	n.mu.Lock()
	s, ok := n.names[name].(*Switch)
	n.mu.Unlock()
	if ok {
		return s
	}
	s = &Switch{table: make(map[[6]byte]*port)}
	n.mu.Lock()
	seg, err := n.plan.segment(true)
	n.mu.Unlock()
	if err != nil {
		n.misuse("switch", "%v", err)
	}
	s.segment = seg
	n.add("switch", name, "switch", s)
	return s
}

// merge makes one network of two switches. The network's lock is held.
func (s *Switch) merge(o *Switch) error {
	if s.segment == o.segment {
		return fmt.Errorf("the switches are joined already: a loop would flood for ever")
	}
	if len(o.segment.members) > 0 && len(s.segment.members) > 0 {
		return fmt.Errorf("both have hosts already, which have addresses of different networks: link switches before their hosts")
	}
	keep, drop := s.segment, o.segment
	if len(o.segment.members) > 0 {
		keep, drop = drop, keep
	}
	for _, v := range s.net.nodes {
		if w, ok := v.(*Switch); ok && w.segment == drop {
			w.segment = keep
		}
	}
	return nil
}

// forward takes frames that came in on a port to where they belong, in a turn.
func (s *Switch) forward(in *port, frames []link.Frame) {
	for i := range frames {
		var head [12]byte
		if frames[i].Peek(head[:]) < len(head) {
			continue
		}
		dst, src := [6]byte(head[:6]), [6]byte(head[6:])
		if src[0]&1 == 0 {
			if _, known := s.table[src]; known || len(s.table) < maxStations {
				s.table[src] = in
			}
		}
		if out := s.table[dst]; out != nil && dst[0]&1 == 0 {
			if out != in {
				out.out.push(frames[i : i+1])
			}
			continue
		}
		for _, out := range s.ports {
			if out != in {
				out.out.push(frames[i : i+1])
			}
		}
	}
}
