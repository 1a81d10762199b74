package heavy

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"example.com/berth"
	"example.com/berth/link/impair"
	"example.com/berth/link/wire"
	"example.com/berth/netconn"
	"github.com/hashicorp/memberlist"
)

// Five members of a cluster, each a host on a switch that loses packets, find each
// other by gossip, hold together, and notice when one falls silent.
func TestCluster(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const size = 5
		// The clock of a bubble stops when its test returns, and members that have
		// shut down still wait for answers to their probes.
		t.Cleanup(func() { time.Sleep(time.Minute) })
		lan := wire.NewSwitch()
		var members []*memberlist.Memberlist
		var lines []*impair.Device
		for i := range size {
			bad := badLine
			bad.Seed = uint64(i)
			lines = append(lines, impair.New(lan.Port(), bad))
			members = append(members, member(t, i, lines[i]))
		}
		for _, m := range members[1:] {
			_, err := m.Join([]string{members[0].LocalNode().Address()})
			check(t, err)
		}
		time.Sleep(10 * time.Minute)
		for i, m := range members {
			if got := m.NumMembers(); got != size {
				t.Errorf("member %d knows %d, want %d", i, got, size)
			}
		}
		silence := impair.Config{Loss: 1}
		check(t, lines[size-1].SetOutput(silence))
		check(t, lines[size-1].SetInput(silence))
		time.Sleep(time.Minute)
		for i, m := range members[:size-1] {
			if got := m.NumMembers(); got != size-1 {
				t.Errorf("member %d knows %d, want %d", i, got, size-1)
			}
		}
	})
}

// member is member i of the cluster, on a host of its own.
func member(t *testing.T, i int, dev *impair.Device) *memberlist.Memberlist {
	t.Helper()
	addr := fmt.Sprintf("10.0.0.%d", i+1)
	host := hostOn(t, berth.Config{}, dev, addr+"/24")
	tr, err := newTransport(host, addr)
	check(t, err)
	c := memberlist.DefaultLANConfig()
	c.Name, c.Transport, c.LogOutput = fmt.Sprint("member ", i), tr, io.Discard
	m, err := memberlist.Create(c)
	check(t, err)
	t.Cleanup(func() { check(t, m.Shutdown()) })
	return m
}

// A transport is memberlist's, over netconn.
type transport struct {
	host     *berth.Host
	packets  *netconn.UDPConn
	listener net.Listener
	packetCh chan *memberlist.Packet
	streamCh chan net.Conn
	done     chan struct{}
}

func newTransport(host *berth.Host, addr string) (*transport, error) {
	const port = "7946"
	packets, err := netconn.ListenPacket(host, "udp", net.JoinHostPort(addr, port))
	if err != nil {
		return nil, err
	}
	listener, err := netconn.Listen(host, "tcp", net.JoinHostPort(addr, port))
	if err != nil {
		return nil, err
	}
	tr := &transport{
		host: host, packets: packets.(*netconn.UDPConn), listener: listener,
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
	a := tr.packets.LocalAddr().(*net.UDPAddr)
	return a.IP, a.Port, nil
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
	return netconn.DialTimeout(tr.host, "tcp", addr, timeout)
}

func (tr *transport) StreamCh() <-chan net.Conn { return tr.streamCh }

func (tr *transport) Shutdown() error {
	close(tr.done)
	return errors.Join(tr.packets.Close(), tr.listener.Close())
}
