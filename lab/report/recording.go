package report

import (
	"net/netip"
	"time"

	"example.com/berth/link"
)

// A Recording is what happened in a network, from its beginning to its end. All
// times but Start count from Start.
type Recording struct {
	// Title is the name of what was run: a test's.
	Title string
	// Seed is the one that the run's random choices came from.
	Seed uint64
	// Repeat is the command that repeats the run; may be empty.
	Repeat string
	// Failed are the messages of the failure; empty if there was none.
	Failed []string
	// Start is the time on the network's clock.
	Start time.Time
	// Length is how long the recording is.
	Length time.Duration

	// Nodes are shown in this order.
	Nodes []Node
	Links []Link
	// Packets are in order of Sent: one for each link that a packet crossed.
	Packets []Packet
	// Samples are in order of At.
	Samples []Sample
	// Notes are in order of At.
	Notes []Note
	// Tables are those of sockets, at the end.
	Tables []Table
	// Truncated says what was not recorded, if a bound was hit; else empty.
	Truncated string
}

// The kinds of node. Others are shown as they are named.
const (
	Host   = "host"
	Router = "router"
	NAT    = "nat"
	Switch = "switch"
)

// A Node is a host, or something between hosts.
type Node struct {
	Name string
	// Kind is Host, Router, NAT or Switch.
	Kind string
	// Addrs are the node's addresses, with or without a prefix length.
	Addrs []string
}

// A Link joins two nodes.
type Link struct {
	Name string
	// A and B are indices of Nodes.
	A, B int
	// AtoB and BtoA describe the directions: "20ms, 1% loss, 10 Mbit/s".
	AtoB, BtoA string
	// Medium says what frames begin with.
	Medium link.Medium
}

// A Packet is one frame on one link.
type Packet struct {
	// Link is an index of Links.
	Link int
	// FromA: it was sent by the link's A, else by its B.
	FromA bool
	// Sent and Arrived are when it was handed to the link and when it came out;
	// an Arrived of 0 says that it did not, or had not when the recording ended;
	// but what was sent at 0 and not dropped arrived at once.
	Sent, Arrived time.Duration
	// Dropped: it was lost.
	Dropped bool
	// Comment says why it was dropped or how it was impaired, as the comment of
	// a capture does: "lost", "corrupted: bit 17", "dropped: queue full". Empty
	// if nothing befell it.
	Comment string
	// Copies are the further arrivals of a duplicate.
	Copies int
	// Data is the frame as it was sent, from its link's header; possibly cut.
	Data []byte
	// Len is the length of the frame.
	Len int
}

// arrived tells whether it came out of its link.
func (p *Packet) arrived() bool { return !p.Dropped && (p.Arrived != 0 || p.Sent == 0) }

// A Sample is the state of an end of a TCP connection after it sent or received
// a segment.
type Sample struct {
	At            time.Duration
	Node          int // an index of Nodes
	Local, Remote netip.AddrPort
	State         string
	// Bytes. An SSThresh below 0 is none yet.
	Cwnd, SSThresh, Flight, SndWnd, RcvWnd int
	SRTT, RTO                              time.Duration
	// Una and Nxt are send sequence numbers as on the wire.
	Una, Nxt uint32
}

// A Note is a remark: a link was cut or healed, a host crashed, a program wrote
// to its log.
type Note struct {
	At time.Duration
	// Node is an index of Nodes, or -1: the network.
	Node int
	// Kind is a word: "cut", "heal", "crash", "restart", "log".
	Kind, Text string
}

// A Table is the table of a node's sockets.
type Table struct {
	Node int // an index of Nodes
	Text string
}

// node returns the name of a node, also of one that does not exist.
func (r *Recording) node(i int) string {
	if i < 0 || i >= len(r.Nodes) {
		return "network"
	}
	return r.Nodes[i].Name
}

// ends are the nodes that a packet was sent by and to; ok is false if the
// recording has no such link.
func (r *Recording) ends(p *Packet) (from, to int, ok bool) {
	if p.Link < 0 || p.Link >= len(r.Links) {
		return 0, 0, false
	}
	l := &r.Links[p.Link]
	if l.A < 0 || l.B < 0 || l.A >= len(r.Nodes) || l.B >= len(r.Nodes) {
		return 0, 0, false
	}
	if p.FromA {
		return l.A, l.B, true
	}
	return l.B, l.A, true
}
