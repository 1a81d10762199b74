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

// Addresses of the host under test and of the peer.
var (
	Local  = netip.MustParseAddr("192.168.77.1")
	Remote = netip.MustParseAddr("192.168.77.2")
)

// Prefix is the network that both are in.
const Prefix = "192.168.77.1/24"

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
	_, err := w.Attach(&w.wire, Prefix)
	return w, err
}

// Inject implements World.
func (w *Berth) Inject(b []byte) { w.wire.handler.Input([]link.Frame{{Payload: slices.Clone(b)}}) }

// Sent implements World.
func (w *Berth) Sent() [][]byte { return w.wire.out.Take() }
