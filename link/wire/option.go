package wire

import (
	"fmt"

	"example.com/berth/link"
)

// The smallest MTU is that of IPv4 (RFC 791, 3.2); the largest is the longest
// packet that its length field can tell.
const (
	minMTU     = 68
	maxMTU     = 65535
	defaultMTU = 1500

	defaultQueue = 65536 // frames
	maxQueue     = 1 << 20
)

// An Option changes what [Pair], [NewSwitch], [NewHub] and their Port methods
// make. An option that cannot be is the error of Attach.
type Option func(*config)

type config struct {
	medium   link.Medium
	mtu      int
	offload  link.Offload
	segments int
	queue    int
	names    [2]string
	addrs    [2][6]byte
	seed     uint64
	seeded   bool
}

func newConfig(medium link.Medium, opts []Option) config {
	c := config{medium: medium, mtu: defaultMTU, offload: link.OffloadAll, queue: defaultQueue}
	return c.with(opts)
}

func (c config) with(opts []Option) config {
	for _, o := range opts {
		o(&c)
	}
	return c
}

func (c *config) validate() error {
	if err := validMTU(c.mtu); err != nil {
		return err
	}
	if c.queue < 1 || c.queue > maxQueue {
		return fmt.Errorf("wire: queue of %d frames: want 1 to %d", c.queue, maxQueue)
	}
	if c.segments < 0 {
		return fmt.Errorf("wire: at most %d segments: want 0 or more", c.segments)
	}
	if c.offload&^link.OffloadChecksum != 0 && c.offload&link.OffloadChecksum == 0 {
		return fmt.Errorf("wire: offload %#x: large segments need OffloadChecksum", c.offload)
	}
	for _, a := range c.addrs {
		if a[0]&1 != 0 {
			return fmt.Errorf("wire: address %x: a device cannot have a group address", a)
		}
	}
	return nil
}

func validMTU(mtu int) error {
	if mtu < minMTU || mtu > maxMTU {
		return fmt.Errorf("wire: MTU %d: want %d to %d", mtu, minMTU, maxMTU)
	}
	return nil
}

// MTU sets the largest IP packet in bytes, 68 to 65535; 1500 is the default.
func MTU(bytes int) Option { return func(c *config) { c.mtu = bytes } }

// Ethernet makes frames begin with an Ethernet header; the default of a pair
// and of a hub is that they are IP packets. A switch is always Ethernet.
func Ethernet() Option { return func(c *config) { c.medium = link.Ethernet } }

// Offload sets what the devices take from the stack's hands; the default is
// link.OffloadAll, so that 64 KiB pass in one frame and no checksum is
// computed. With 0 every frame is a packet of at most the MTU with its
// checksums, as on a cable.
func Offload(o link.Offload) Option { return func(c *config) { c.offload = o } }

// MaxSegments limits how many segments a large frame stands for; 0, the
// default, leaves it to the 64 KiB.
func MaxSegments(n int) Option { return func(c *config) { c.segments = n } }

// Queue sets how many frames wait for a device that is busy receiving, in each of
// its lanes; 65536 is the default.
func Queue(frames int) Option { return func(c *config) { c.queue = frames } }

// Names names the two ends of a pair. Of a port, the first counts.
func Names(a, b string) Option { return func(c *config) { c.names = [2]string{a, b} } }

// Name names a port.
func Name(name string) Option { return Names(name, "") }

// Addrs gives the two ends of an Ethernet pair their addresses. Of a port, the
// first counts. The zero address lets the wire make one up.
func Addrs(a, b [6]byte) Option { return func(c *config) { c.addrs = [2][6]byte{a, b} } }

// Addr gives an Ethernet port its address.
func Addr(a [6]byte) Option { return Addrs(a, [6]byte{}) }

// Seed makes the Ethernet addresses that the wire makes up depend on the seed
// and on the order of ports alone. Without it they are unique in the process.
func Seed(seed uint64) Option {
	return func(c *config) { c.seed, c.seeded = seed, true }
}
