package examples

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"testing"
	"time"

	"example.com/berth/lab"
	"github.com/hashicorp/memberlist"
)

// The cable between two racks is cut for three seconds. Members of a gossip cluster
// suspect each other, but nobody is taken for dead.
func TestMemberlistBlink(t *testing.T) { lab.Test(t, gossipThroughBlink) }

func gossipThroughBlink(t *testing.T, n *lab.Network) {
	members, cable, log := racks(t, n)
	cable.Cut()
	time.Sleep(3 * time.Second)
	cable.Heal()
	for range 60 {
		know(t, "after a blink", members, 5)
		time.Sleep(time.Second)
	}
	if !log.contains("Suspect host") {
		t.Error("nobody was suspected")
	}
	if log.contains("Marking host") {
		t.Error("somebody was taken for dead")
	}
}

// The cable is cut for two minutes, and each side takes the other for dead. By then
// nobody gossips with them any more: somebody has to join the two clusters again.
// That is what Serf and Consul add to memberlist.
func TestMemberlist(t *testing.T) { lab.Test(t, gossipThroughPartition) }

func gossipThroughPartition(t *testing.T, n *lab.Network) {
	members, cable, _ := racks(t, n)
	cable.Cut()
	time.Sleep(2 * time.Minute)
	know(t, "cut", members[:2], 2)
	know(t, "cut", members[2:], 3)
	cable.Heal()
	time.Sleep(2 * time.Minute)
	know(t, "healed, but not joined", members[:2], 2)
	know(t, "healed, but not joined", members[2:], 3)
	_, err := members[4].Join([]string{members[0].LocalNode().Address()})
	check(t, err)
	time.Sleep(2 * time.Minute)
	know(t, "joined", members, 5)
}

// racks makes a cluster of five members on two switches, and returns it when all
// know each other, with the cable between the switches and what the members log.
func racks(t *testing.T, n *lab.Network) (members []*memberlist.Memberlist, cable *lab.Link, log *logbook) {
	// What members have begun they finish after Shutdown, and that takes time.
	t.Cleanup(func() { time.Sleep(time.Minute) })
	log = &logbook{}
	cable = n.Link(n.Switch("rack1"), n.Switch("rack2"), lab.Delay(2*time.Millisecond), lab.Loss(0.01))
	for i, rack := range []string{"rack1", "rack1", "rack2", "rack2", "rack2"} {
		h := n.Host(fmt.Sprintf("host%d", i+1))
		n.Link(h, n.Node(rack))
		members = append(members, member(t, h, log))
	}
	for _, m := range members[1:] {
		_, err := m.Join([]string{members[0].LocalNode().Address()})
		check(t, err)
	}
	time.Sleep(10 * time.Second)
	know(t, "at first", members, 5)
	return members, cable, log
}

// know wants members to know of so many, themselves included.
func know(t *testing.T, when string, members []*memberlist.Memberlist, want int) {
	t.Helper()
	for _, m := range members {
		if got := m.NumMembers(); got != want {
			t.Errorf("%s: %s knows of %d members, want %d", when, m.LocalNode().Name, got, want)
		}
	}
}

// member is a member of the cluster.
func member(t *testing.T, h *lab.Host, log *logbook) *memberlist.Memberlist {
	t.Helper()
	tr, err := newTransport(h)
	check(t, err)
	c := memberlist.DefaultLANConfig()
	c.Name, c.Transport, c.LogOutput = h.Name(), tr, log
	// A member that gossip has not told of a refutation, which memberlist's own chance
	// brings about, holds on to its suspicion for 24 seconds. It is to hear of it by
	// an exchange of all that is known before that; by default these are 30 apart.
	c.PushPullInterval = time.Second
	m, err := memberlist.Create(c)
	check(t, err)
	t.Cleanup(func() { check(t, m.Shutdown()) })
	return m
}

// A transport is a memberlist.Transport. Memberlist has one of its own, but that
// listens with package net.
type transport struct {
	host     *lab.Host
	packets  net.PacketConn
	listener net.Listener
	packetCh chan *memberlist.Packet
	streamCh chan net.Conn
	done     chan struct{}
}

func newTransport(h *lab.Host) (*transport, error) {
	packets, err := h.ListenPacket("udp4", ":7946")
	if err != nil {
		return nil, err
	}
	listener, err := h.Listen("tcp4", ":7946")
	if err != nil {
		return nil, err
	}
	tr := &transport{
		host: h, packets: packets, listener: listener,
		packetCh: make(chan *memberlist.Packet), streamCh: make(chan net.Conn), done: make(chan struct{}),
	}
	go tr.receive()
	go tr.accept()
	return tr, nil
}

func (tr *transport) receive() {
	b := make([]byte, 65536)
	for {
		n, from, err := tr.packets.ReadFrom(b)
		if err != nil {
			return
		}
		select {
		case tr.packetCh <- &memberlist.Packet{Buf: bytes.Clone(b[:n]), From: from, Timestamp: time.Now()}:
		case <-tr.done:
			return
		}
	}
}

func (tr *transport) accept() {
	for {
		c, err := tr.listener.Accept()
		if err != nil {
			return
		}
		select {
		case tr.streamCh <- c:
		case <-tr.done:
			c.Close()
			return
		}
	}
}

func (tr *transport) FinalAdvertiseAddr(string, int) (net.IP, int, error) {
	return tr.host.Addr().AsSlice(), 7946, nil
}

func (tr *transport) WriteTo(b []byte, addr string) (time.Time, error) {
	to, err := net.ResolveUDPAddr("udp", addr) // it is never a name
	if err != nil {
		return time.Time{}, err
	}
	_, err = tr.packets.WriteTo(b, to)
	return time.Now(), err
}

func (tr *transport) PacketCh() <-chan *memberlist.Packet { return tr.packetCh }

func (tr *transport) DialTimeout(addr string, timeout time.Duration) (net.Conn, error) {
	d := tr.host.Dialer()
	d.Timeout = timeout
	return d.Dial("tcp", addr)
}

func (tr *transport) StreamCh() <-chan net.Conn { return tr.streamCh }

func (tr *transport) Shutdown() error {
	close(tr.done)
	return errors.Join(tr.packets.Close(), tr.listener.Close())
}
