package tuntap

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"example.com/berth/link"
	"example.com/berth/link/internal/fdlink"
	"example.com/berth/link/internal/rtnl"
)

// defaultMTU is that of a descriptor that says nothing about its interface.
const defaultMTU = 1500

// FromFD makes a device of a descriptor that somebody else opened and set up: a
// TUN or TAP, of this namespace or another, of a process that had the privilege,
// or of Android's VpnService. It may also be a socket that keeps the boundaries
// of messages, one frame each (SOCK_DGRAM, SOCK_SEQPACKET).
//
// What the descriptor is, TUN or TAP, and whether frames have a virtio header,
// it is asked; where it does not answer, the options TAP and VnetHeader tell. It
// must have been opened with IFF_NO_PI, for which it cannot be asked: the kernel
// says yes in any case. The device owns the descriptor, also when FromFD fails.
//
// The name and the MTU, and later changes of them, are those of the interface
// where netlink can see that. Otherwise they are "" and what the option MTU says,
// or 1500. The interface is not changed: HostAddr and QueueLength are errors.
func FromFD(fd int, opts ...Option) (*Device, error) {
	d, err := fromFD(fd, opts)
	if err != nil {
		return nil, fmt.Errorf("tuntap: descriptor %d: %w", fd, err)
	}
	return d, nil
}

func fromFD(fd int, opts []Option) (*Device, error) {
	fail := func(err error) (*Device, error) {
		unix.Close(fd)
		return nil, err
	}
	c, err := configure(opts)
	if err == nil && (len(c.addrs) > 0 || c.queue != 0) {
		err = errors.New("its interface was set up by somebody else: HostAddr and QueueLength have no effect")
	}
	if err != nil {
		return fail(err)
	}
	if err := checkKind(fd); err != nil {
		return fail(err)
	}
	cfg := fdlink.Config{Info: link.Info{MTU: defaultMTU, Up: true}}
	if err := c.ask(fd, &cfg); err != nil {
		return fail(err)
	}
	if c.mtu != 0 {
		cfg.Info.MTU = c.mtu
	}
	if cfg.Info.Name != "" {
		c.find(fd, &cfg)
	}
	d, err := c.device(fd, cfg)
	if err != nil && cfg.Interface != nil {
		cfg.Interface.Close()
	}
	return d, err
}

// checkKind refuses what cannot keep frames apart.
func checkKind(fd int) error {
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return err
	}
	switch st.Mode & unix.S_IFMT {
	case unix.S_IFCHR:
		return nil
	case unix.S_IFSOCK:
		if typ, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TYPE); err == nil && typ != unix.SOCK_STREAM {
			return nil
		}
	}
	return fmt.Errorf("neither a TUN or TAP nor a socket that keeps the boundaries of messages: %w", unix.EINVAL)
}

// ask takes over what the descriptor says of itself.
func (c *config) ask(fd int, cfg *fdlink.Config) error {
	var flags uint16
	ifr, err := unix.NewIfreq("")
	if err == nil {
		err = unix.IoctlIfreq(fd, unix.TUNGETIFF, ifr)
	}
	c.foreign = err != nil
	if errors.Is(err, unix.EBADFD) {
		return fmt.Errorf("no interface was chosen for it yet (TUNSETIFF): %w", err)
	}
	if err == nil {
		flags = ifr.Uint16()
		cfg.Info.Name = ifr.Name()
		c.tap = flags&unix.IFF_TAP != 0
	}
	switch {
	case c.vnetHdr >= 0:
		cfg.VnetHeader = c.vnetHdr
	case flags&unix.IFF_VNET_HDR != 0:
		if cfg.VnetHeader, err = unix.IoctlGetInt(fd, unix.TUNGETVNETHDRSZ); err != nil {
			return fmt.Errorf("length of the virtio header: %w", err)
		}
	}
	return nil
}

// find looks for the interface, in its own namespace if that can be entered. A
// device does without where it is out of reach.
func (c *config) find(fd int, cfg *fdlink.Config) {
	ns := c.namespace
	if own, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), unix.TUNGETDEVNETNS, 0); errno == 0 {
		defer unix.Close(int(own))
		ns = rtnl.NamespaceOf(int(own))
	}
	ns.Do(func() error {
		iface, state, err := rtnl.Find(cfg.Info.Name)
		if err != nil {
			return err
		}
		cfg.Interface = iface
		cfg.Info.MTU, cfg.Info.Up = state.MTU, state.Up
		return nil
	})
}
