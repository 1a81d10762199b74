package tuntap

import (
	"errors"
	"fmt"
	"net/netip"

	"example.com/berth/link"
	"example.com/berth/link/internal/rtnl"
)

// An Option of Open or FromFD. A mistake in one is an error of the call.
type Option func(*config) error

type config struct {
	tap       bool
	noOffload bool
	addrs     []netip.Prefix
	mtu       int // 0: what the kernel has
	queue     int // 0: what the kernel has
	mac       [6]byte
	namespace rtnl.Namespace
	vnetHdr   int // told to FromFD; -1 is not told
	poller    link.Poller
	foreign   bool // the descriptor does not know itself as TUN or TAP
}

func configure(opts []Option) (*config, error) {
	c := &config{vnetHdr: -1}
	for _, o := range opts {
		if err := o(c); err != nil {
			return nil, fmt.Errorf("tuntap: %w", err)
		}
	}
	return c, nil
}

// TAP makes frames Ethernet frames; without it they are IP packets.
func TAP() Option { return func(c *config) error { c.tap = true; return nil } }

// NoOffload leaves checksum and segmentation offload and the virtio header out:
// every frame is one packet with all its checksums.
func NoOffload() Option { return func(c *config) error { c.noOffload = true; return nil } }

// HostAddr gives the kernel's side an address with the length of its network's
// prefix, "10.77.0.1/24" or "fd77::1/64". It may be repeated. An IPv6 address
// can be used at once, without duplicate address detection.
func HostAddr(prefix string) Option {
	return func(c *config) error {
		p, err := netip.ParsePrefix(prefix)
		if err != nil {
			return fmt.Errorf("host address %q is not an address with a prefix length, as 10.77.0.1/24: %w", prefix, err)
		}
		if a := p.Addr(); a.IsUnspecified() || a.IsMulticast() || a.Is4In6() {
			return fmt.Errorf("host address %q cannot be an interface's address", prefix)
		}
		c.addrs = append(c.addrs, p)
		return nil
	}
}

// The range of MTU: what IPv4 needs at least (RFC 791 3.2), what its length
// field can say.
const (
	minMTU = 68
	maxMTU = 65535
)

// MTU sets the interface's MTU, the largest IP packet in bytes.
func MTU(n int) Option {
	return func(c *config) error {
		if n < minMTU || n > maxMTU {
			return fmt.Errorf("MTU %d is not between %d and %d", n, minMTU, maxMTU)
		}
		c.mtu = n
		return nil
	}
}

// QueueLength sets how many packets from the kernel wait at most to be read
// (txqueuelen; the kernel starts with 500). What comes in above that is dropped
// by the kernel.
func QueueLength(packets int) Option {
	return func(c *config) error {
		if packets < 1 {
			return fmt.Errorf("queue length %d is not positive", packets)
		}
		c.queue = packets
		return nil
	}
}

// HardwareAddr sets the Ethernet address of this side of a TAP. Without it, the
// address is a random one, locally administered. The kernel's side has an
// address of its own.
func HardwareAddr(mac [6]byte) Option {
	return func(c *config) error {
		if mac == [6]byte{} || mac[0]&1 != 0 {
			return fmt.Errorf("hardware address % x is not that of one station", mac)
		}
		c.mac = mac
		return nil
	}
}

// Namespace makes the interface in the network namespace that a path refers to:
// /run/netns/NAME, /proc/PID/ns/net. The process stays where it is.
func Namespace(path string) Option {
	return func(c *config) error {
		if path == "" {
			return errors.New("network namespace without a path")
		}
		c.namespace = rtnl.NamespaceAt(path)
		return nil
	}
}

// NamespaceFD is Namespace with an open descriptor of the namespace, which may
// be closed after the call.
func NamespaceFD(fd int) Option {
	return func(c *config) error { c.namespace = rtnl.NamespaceOf(fd); return nil }
}

// VnetHeader tells FromFD how long the virtio header before each frame is: 0 for
// none, 10, 12 or more. Without it the descriptor is asked. On one that is not a
// TUN or TAP of the kernel's, a virtio header means that the other side takes
// every offload. Open ignores it.
func VnetHeader(length int) Option {
	return func(c *config) error { c.vnetHdr = length; return nil }
}

// OnPoller has p read what comes in, in place of a goroutine of the device's.
func OnPoller(p link.Poller) Option {
	return func(c *config) error { c.poller = p; return nil }
}
