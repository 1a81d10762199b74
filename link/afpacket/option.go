package afpacket

import (
	"errors"
	"fmt"

	"example.com/berth/link/internal/rtnl"
)

// An Option of Open. A mistake in one is an error of the call.
type Option func(*config) error

type config struct {
	mac         [6]byte
	ownAddr     bool // the interface's
	promiscuous bool // everything comes in
	noOffload   bool
	up          bool
	mtu         int // 0: as it is
	buffer      int // bytes, each way
	namespace   rtnl.Namespace
}

// defaultBuffer is how much the kernel keeps for the socket each way. Its own
// default, 208 KiB, is three large frames.
const defaultBuffer = 4 << 20

func configure(opts []Option) (*config, error) {
	c := &config{buffer: defaultBuffer}
	for _, o := range opts {
		if err := o(c); err != nil {
			return nil, fmt.Errorf("afpacket: %w", err)
		}
	}
	if c.ownAddr && c.mac != [6]byte{} {
		return nil, errors.New("afpacket: HardwareAddr and InterfaceAddr exclude each other")
	}
	return c, nil
}

// HardwareAddr sets the device's Ethernet address. Without it, the address is a
// random one, locally administered.
func HardwareAddr(mac [6]byte) Option {
	return func(c *config) error {
		if mac == [6]byte{} || mac[0]&1 != 0 {
			return fmt.Errorf("hardware address % x is not that of one station", mac)
		}
		c.mac = mac
		return nil
	}
}

// InterfaceAddr makes the interface's Ethernet address the device's.
func InterfaceAddr() Option { return func(c *config) error { c.ownAddr = true; return nil } }

// Promiscuous lets every frame come in, whoever it is for: to watch, or to
// bridge.
func Promiscuous() Option { return func(c *config) error { c.promiscuous = true; return nil } }

// NoOffload makes the device offer no offload on output. What comes in may have
// partial checksums and be large nevertheless.
func NoOffload() Option { return func(c *config) error { c.noOffload = true; return nil } }

// Up brings the interface up if it is down. It needs CAP_NET_ADMIN.
func Up() Option { return func(c *config) error { c.up = true; return nil } }

// MTU sets the interface's MTU, the largest IP packet in bytes, for everybody
// who uses it. It needs CAP_NET_ADMIN.
func MTU(n int) Option {
	return func(c *config) error {
		if n < 68 || n > 65535 { // RFC 791 3.2, and its length field
			return fmt.Errorf("MTU %d is not between 68 and 65535", n)
		}
		c.mtu = n
		return nil
	}
}

// Buffer sets how many bytes the kernel keeps for the socket each way, 4 MiB
// without it. What does not fit is dropped on input (Stats.Dropped), and not
// taken on output.
func Buffer(bytes int) Option {
	return func(c *config) error {
		if bytes < 1 {
			return fmt.Errorf("buffer of %d bytes", bytes)
		}
		c.buffer = bytes
		return nil
	}
}

// Namespace looks for the interface in the network namespace that a path refers
// to: /run/netns/NAME, /proc/PID/ns/net. The process stays where it is.
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
