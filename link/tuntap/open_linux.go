package tuntap

import (
	"crypto/rand"
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"example.com/berth/link"
	"example.com/berth/link/internal/fdlink"
	"example.com/berth/link/internal/rtnl"
	"example.com/berth/link/internal/virtio"
)

// Open makes the interface of that name, or takes a persistent one that exists,
// sets it up as the options say, and brings it up. An empty name takes the next
// free one ("tun0"), a name with %d the next free number ("bt%d"); Info tells.
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
		return nil, fmt.Errorf("tuntap: %w", err)
	}
	return d, nil
}

// open makes and sets up the interface in the thread's namespace.
func (c *config) open(name string) (*Device, error) {
	ifr, err := unix.NewIfreq(name)
	if err != nil {
		return nil, fmt.Errorf("%q cannot be an interface's name: at most %d bytes", name, unix.IFNAMSIZ-1)
	}
	fd, err := unix.Open(cloneDevice, unix.O_RDWR|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, explainOpen(err)
	}
	flags := uint16(unix.IFF_TUN | unix.IFF_NO_PI)
	if c.tap {
		flags = unix.IFF_TAP | unix.IFF_NO_PI
	}
	if !c.noOffload {
		flags |= unix.IFF_VNET_HDR
	}
	ifr.SetUint16(flags)
	if err := unix.IoctlIfreq(fd, unix.TUNSETIFF, ifr); err != nil {
		unix.Close(fd)
		return nil, explainInterface(name, c.tap, err)
	}
	cfg := fdlink.Config{Info: link.Info{Name: ifr.Name()}}
	if !c.noOffload {
		// A persistent interface may come with another length.
		cfg.VnetHeader = virtio.Len
		if err := unix.IoctlSetPointerInt(fd, unix.TUNSETVNETHDRSZ, virtio.Len); err != nil {
			unix.Close(fd)
			return nil, fmt.Errorf("%s: virtio header of %d bytes: %w", ifr.Name(), virtio.Len, err)
		}
	}
	iface, state, err := c.setUp(ifr.Name())
	if err != nil {
		unix.Close(fd)
		return nil, err
	}
	cfg.Interface = iface
	cfg.Info.MTU, cfg.Info.Up = state.MTU, state.Up
	d, err := c.device(fd, cfg)
	if err != nil {
		iface.Close()
	}
	return d, err
}

// setUp gives the kernel's side what the options ask for. What a persistent
// interface has already is not set again: that may need no privilege.
func (c *config) setUp(name string) (*rtnl.Interface, rtnl.State, error) {
	iface, state, err := rtnl.Find(name)
	if err != nil {
		return nil, state, fmt.Errorf("%s: %w", name, err)
	}
	for _, s := range c.steps(iface, state) {
		if err := s.do(); err != nil {
			iface.Close()
			return nil, state, explainSetUp(name, s.what, err)
		}
	}
	if state, err = iface.State(); err != nil {
		iface.Close()
		return nil, state, fmt.Errorf("%s: %w", name, err)
	}
	return iface, state, nil
}

// step is one change of the kernel's side.
type step struct {
	what string // for the error: "add address 10.77.0.1/24"
	do   func() error
}

// steps are what is left to do.
func (c *config) steps(iface *rtnl.Interface, is rtnl.State) (steps []step) {
	if c.mtu != 0 && c.mtu != is.MTU {
		steps = append(steps, step{fmt.Sprintf("set MTU %d", c.mtu), func() error { return iface.SetMTU(c.mtu) }})
	}
	if c.queue != 0 {
		steps = append(steps, step{fmt.Sprintf("set queue length %d", c.queue), func() error { return iface.SetQueueLength(c.queue) }})
	}
	if !is.Up {
		steps = append(steps, step{"bring it up", iface.SetUp})
	}
	for _, p := range c.addrs {
		steps = append(steps, step{"add address " + p.String(), func() error { return iface.AddAddr(p) }})
	}
	return steps
}

// device makes the device once the descriptor has its interface.
func (c *config) device(fd int, cfg fdlink.Config) (*Device, error) {
	if c.tap {
		cfg.Info.Medium = link.Ethernet
		cfg.Info.Addr = c.mac
		if c.mac == [6]byte{} {
			cfg.Info.Addr = randomAddr()
		}
	}
	if cfg.VnetHeader > 0 && !c.noOffload {
		if cfg.Info.Offload = link.OffloadAll; !c.foreign {
			cfg.Info.Offload = setOffload(fd)
		}
		if cfg.Info.Offload&link.OffloadUDP != 0 {
			cfg.Info.MaxSegments = maxUDPSegments
		}
	}
	cfg.Poller = c.poller
	dev, err := fdlink.New(fd, cfg)
	if err != nil {
		return nil, err
	}
	return &Device{dev}, nil
}

// maxUDPSegments is how many datagrams Linux takes in one large frame: 64 until
// Linux 6.9, twice as many since (UDP_MAX_SEGMENTS).
const maxUDPSegments = 64

// setOffload asks for all offloads and settles for what the kernel has. What
// it sends to us, it also takes from us.
func setOffload(fd int) link.Offload {
	const (
		csum = link.OffloadChecksum
		tcp  = link.OffloadTCP4 | link.OffloadTCP6
		tso  = unix.TUN_F_CSUM | unix.TUN_F_TSO4 | unix.TUN_F_TSO6 | unix.TUN_F_TSO_ECN
	)
	for _, try := range []struct {
		flags   int
		offload link.Offload
	}{
		{tso | unix.TUN_F_USO4 | unix.TUN_F_USO6, csum | tcp | link.OffloadUDP},
		{tso, csum | tcp},
		{unix.TUN_F_CSUM, csum},
	} {
		if unix.IoctlSetInt(fd, unix.TUNSETOFFLOAD, try.flags) == nil {
			return try.offload
		}
	}
	return 0
}

// randomAddr returns a random Ethernet address of one station, locally
// administered (IEEE 802 8.2.2).
func randomAddr() (mac [6]byte) {
	rand.Read(mac[:])
	mac[0] = mac[0]&^1 | 2
	return mac
}

// isPermission tells whether a privilege was missing.
func isPermission(err error) bool { return errors.Is(err, unix.EPERM) || errors.Is(err, unix.EACCES) }
