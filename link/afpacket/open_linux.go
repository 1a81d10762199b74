package afpacket

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"example.com/berth/link"
	"example.com/berth/link/internal/fdlink"
	"example.com/berth/link/internal/rtnl"
	"example.com/berth/link/internal/virtio"
)

// Open opens the Ethernet interface of that name.
func Open(name string, opts ...Option) (*Device, error) {
	c, err := configure(opts)
	if err != nil {
		return nil, err
	}
	var d *Device
	err = c.namespace.Do(func() (err error) {
		d, err = c.open(name)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("afpacket: %w", err)
	}
	return d, nil
}

// open opens the interface in the thread's namespace.
func (c *config) open(name string) (*Device, error) {
	iface, state, err := rtnl.Find(name)
	if err != nil {
		return nil, explain(c, name, "find it", err)
	}
	fail := func(what string, err error) (*Device, error) {
		iface.Close()
		return nil, explain(c, name, what, err)
	}
	if !state.Ethernet {
		return fail("open it", fmt.Errorf("it is no Ethernet interface: %w", unix.EAFNOSUPPORT))
	}
	if c.mtu != 0 && c.mtu != state.MTU {
		if err := iface.SetMTU(c.mtu); err != nil {
			return fail(fmt.Sprintf("set MTU %d", c.mtu), err)
		}
	}
	if c.up && !state.Up {
		if err := iface.SetUp(); err != nil {
			return fail("bring it up", err)
		}
	}
	if state, err = iface.State(); err != nil {
		return fail("look at it", err)
	}
	info := c.info(state)
	fd, err := c.socket(state.Index, info.Addr)
	if err != nil {
		return fail("open a packet socket", err)
	}
	dev, err := fdlink.New(fd, fdlink.Config{
		Info: info, VnetHeader: virtio.Len, Socket: true, Interface: iface, OwnAddr: c.ownAddr,
	})
	if err != nil {
		return fail("open a packet socket", err)
	}
	return &Device{&socket{Device: dev}}, nil
}

// info is what the device is at the start.
func (c *config) info(s rtnl.State) link.Info {
	info := link.Info{Name: s.Name, Medium: link.Ethernet, MTU: s.MTU, Up: s.Up}
	switch {
	case c.ownAddr:
		info.Addr = s.Addr
	case c.mac != [6]byte{}:
		info.Addr = c.mac
	default:
		info.Addr = randomAddr()
	}
	if !c.noOffload {
		info.Offload = link.OffloadChecksum | link.OffloadTCP4 | link.OffloadTCP6
		if kernelHas(6, 2) { // "linux/virtio_net.h: Support USO offload in vnet header"
			info.Offload |= link.OffloadUDP
			info.MaxSegments = maxUDPSegments
		}
	}
	return info
}

// maxUDPSegments is how many datagrams Linux takes in one large frame: 64 until
// Linux 6.9, twice as many since (UDP_MAX_SEGMENTS).
const maxUDPSegments = 64

// kernelHas tells whether the kernel is of a version or later.
func kernelHas(major, minor int) bool {
	var u unix.Utsname
	if unix.Uname(&u) != nil {
		return false
	}
	var x, y int
	if n, _ := fmt.Sscanf(unix.ByteSliceToString(u.Release[:]), "%d.%d", &x, &y); n != 2 {
		return false
	}
	return x > major || x == major && y >= minor
}

// randomAddr returns a random Ethernet address of one station, locally
// administered (IEEE 802 8.2.2).
func randomAddr() (mac [6]byte) {
	rand.Read(mac[:])
	mac[0] = mac[0]&^1 | 2
	return mac
}

// explain says what to do when something cannot be done.
func explain(c *config, name, what string, err error) error {
	switch {
	case errors.Is(err, unix.ENODEV):
		return fmt.Errorf("there is no interface %q in %v: %w", name, c.namespace, err)
	case errors.Is(err, os.ErrPermission):
		return fmt.Errorf("interface %q: to %s needs CAP_NET_RAW, and CAP_NET_ADMIN for its MTU and to bring it up: "+
			"run as root, give the program the capabilities (setcap cap_net_raw,cap_net_admin+ep PROGRAM), "+
			"or run it in namespaces of its own (unshare -rn PROGRAM): %w", name, what, err)
	}
	return fmt.Errorf("interface %q: cannot %s: %w", name, what, err)
}
