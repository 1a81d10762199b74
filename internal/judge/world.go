package judge

import (
	"net/netip"
	"slices"
	"sync"

	"example.com/berth"
	"example.com/berth/link"
	"example.com/berth/socket"
)

// A World is a host under test with the far end of its wire.
type World interface {
	socket.Provider
	// Inject gives an IP packet to the host.
	Inject(packet []byte)
	// Sent returns the IP packets that the host has sent since the last call.
	Sent() [][]byte
}

// Addresses of the host under test, and of the first peer.
var (
	local4, remote4 = netip.MustParseAddr("10.77.0.1"), netip.MustParseAddr("10.77.1.0")
	local6, remote6 = netip.MustParseAddr("fd77::1"), netip.MustParseAddr("fd77::100")
)

// The networks that both are in.
const (
	Prefix4 = "10.77.0.1/16"
	Prefix6 = "fd77::1/64"
)

// ends are the addresses of a run. The peer has one of its own, since what a host
// learns of the path to it outlives the connection.
func ends(ipv6 bool, peer uint16) (local, remote netip.Addr) {
	if !ipv6 {
		b := remote4.As4()
		b[2], b[3] = b[2]+byte(peer>>8), byte(peer)
		return local4, netip.AddrFrom4(b)
	}
	b := remote6.As16()
	b[13], b[14] = byte(peer>>8), byte(peer)
	return local6, netip.AddrFrom16(b)
}

// mtu is that of the wire.
const mtu = 1500

// An Outbox keeps packets until somebody looks.
type Outbox struct {
	mu   sync.Mutex
	list [][]byte
}

// Put adds a packet; the box keeps it.
func (o *Outbox) Put(b []byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.list = append(o.list, b)
}

// Take empties the box.
func (o *Outbox) Take() [][]byte {
	o.mu.Lock()
	defer o.mu.Unlock()
	all := o.list
	o.list = nil
	return all
}

// wire is the device of a berth host.
type wire struct {
	handler link.Handler
	out     Outbox
}

// Info implements link.Device.
func (w *wire) Info() link.Info {
	return link.Info{Name: "tun0", Medium: link.IP, MTU: mtu, Up: true}
}

// Attach implements link.Device.
func (w *wire) Attach(h link.Handler) error {
	w.handler = h
	return nil
}

// Output implements link.Device.
func (w *wire) Output(frames []link.Frame) (int, error) {
	info := w.Info()
	good, err := info.CheckAll(frames)
	for i := range frames[:good] {
		w.out.Put(frames[i].AppendTo(nil))
	}
	return good, err
}

// Close implements link.Device.
func (w *wire) Close() error { return nil }

// Berth is a world with a berth host, which lives in the caller's bubble of
// testing/synctest, so that its time passes at once.
type Berth struct {
	*berth.Host
	wire wire
}

// NewBerth makes a world of its own.
func NewBerth() (*Berth, error) {
	w := &Berth{Host: berth.NewHost(berth.Config{Name: "berth", Seed: [32]byte{1}})}
	_, err := w.Attach(&w.wire, Prefix4, Prefix6)
	return w, err
}

// Inject implements World.
func (w *Berth) Inject(b []byte) { w.wire.handler.Input([]link.Frame{{Payload: slices.Clone(b)}}) }

// Sent implements World.
func (w *Berth) Sent() [][]byte { return w.wire.out.Take() }
