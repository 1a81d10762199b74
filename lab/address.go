package lab

import (
	"encoding/binary"
	"fmt"
	"net/netip"
)

// The address plan. Every link between hosts or routers, and every switch with
// what hangs on it, is a segment with a prefix of each family of its own:
//
//	links     10.0.0.0/24, 10.0.1.0/24, ... to 10.127.255.0/24
//	switches  10.128.0.0/16, 10.129.0.0/16, ... to 10.255.0.0/16
//	both      fd00:0:0:1::/64, fd00:0:0:2::/64, ...
//
// and its members take .1, .2, ... in the order in which they are linked.
type addressPlan struct {
	links, switches, all int
	used                 map[netip.Addr]*port
}

func (p *addressPlan) init() { p.used = make(map[netip.Addr]*port) }

// A segment is a network of its own: its members reach each other without a
// router.
type segment struct {
	v4, v6  netip.Prefix
	members []*port
	next    uint32 // the number of the next member
}

// segment makes a new one.
func (p *addressPlan) segment(ethernet bool) (*segment, error) {
	s := &segment{}
	p.all++
	if ethernet {
		if p.switches > 127 {
			return nil, fmt.Errorf("there are 128 switches already: give addresses yourself")
		}
		s.v4 = netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(128 + p.switches), 0, 0}), 16)
		p.switches++
	} else {
		if p.links >= 1<<15 {
			return nil, fmt.Errorf("there are %d links already: give addresses yourself", p.links)
		}
		s.v4 = netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(p.links >> 8), byte(p.links), 0}), 24)
		p.links++
	}
	var v6 [16]byte
	v6[0] = 0xfd
	binary.BigEndian.PutUint32(v6[4:], uint32(p.all))
	s.v6 = netip.PrefixFrom(netip.AddrFrom16(v6), 64)
	return s, nil
}

// address gives the next member of a segment its addresses.
func (p *addressPlan) address(s *segment, of *port) []netip.Prefix {
	var list []netip.Prefix
	for {
		s.next++
		v4, v6 := numbered(s.v4, s.next), numbered(s.v6, s.next)
		if p.used[v4.Addr()] != nil || p.used[v6.Addr()] != nil {
			continue
		}
		list = []netip.Prefix{v4, v6}
		break
	}
	for _, a := range list {
		p.used[a.Addr()] = of
	}
	return list
}

// numbered is the n-th address of a prefix.
func numbered(p netip.Prefix, n uint32) netip.Prefix {
	b := p.Addr().AsSlice()
	at := b[len(b)-4:]
	binary.BigEndian.PutUint32(at, binary.BigEndian.Uint32(at)+n)
	a, _ := netip.AddrFromSlice(b)
	return netip.PrefixFrom(a, p.Bits())
}
