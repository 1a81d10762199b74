package labhost

import (
	"net"
	"net/netip"
	"sync/atomic"
	"time"

	"example.com/berth/link"
)

// Options say to which lab a host comes.
type Options struct {
	Lab, Host string
	// Shape is a file that describes the network, "" for none: then the lab is what
	// it is already, or a switch. Text is what is in it.
	Shape string
	Text  []byte
	// Report is where a page about all that happened is written when the lab ends,
	// "" for nowhere. Only who begins a lab can ask for it.
	Report string
}

// A Seat is a host's place in a lab.
type Seat struct {
	Addrs    []netip.Prefix
	Gateways []netip.Addr
	MTU      int
	Medium   link.Medium
	Hosts    string // the file with the names of all hosts, in the form of hosts(5)
	conn     *net.UnixConn
	cable    *Cable
	left     atomic.Bool
}

// Carry joins a device with the lab until Leave. If the lab ends first, gone is
// called.
func (s *Seat) Carry(dev link.Device, gone func()) {
	s.cable = newCable(dev, s.conn, true)
	go func() {
		_ = s.cable.carry()
		if !s.left.Load() {
			gone()
		}
	}()
}

// What is under way when a program ends has until the line was silent for quiet, and
// no longer than late.
const (
	quiet = 250 * time.Millisecond
	late  = 2 * time.Second
)

// Drain lets the program's kernel send what the program wrote last.
func (s *Seat) Drain() {
	for end := time.Now().Add(late); time.Now().Before(end); {
		wait := quiet - s.cable.idle()
		if wait <= 0 {
			return
		}
		select {
		case <-time.After(wait):
		case <-s.cable.end:
			return
		}
	}
}

// Leave gives the place back.
func (s *Seat) Leave() {
	s.left.Store(true)
	if s.cable != nil {
		s.cable.close()
		return
	}
	_ = s.conn.Close()
}

// ValidName tells whether a lab or a host can have a name.
func ValidName(s string) bool {
	for _, c := range s {
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-') {
			return false
		}
	}
	return s != "" && len(s) <= 63 && s[0] != '-'
}
