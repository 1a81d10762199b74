package box

import (
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

const (
	interfaceName = "berth0" // the program's
	outerName     = "berth1" // the other end of a veth pair
	vnetHeader    = 12       // bytes of the virtio header before each frame of a TUN
	packetHeader  = 10       // of a packet socket (struct virtio_net_hdr)
)

// network is the program's, seen from outside: a descriptor, or -1.
type network struct {
	fd     int
	packet bool
	addr   [6]byte
}

// network brings loopback up and makes the device.
func (s *stage) network(p *plan) (n network, err error) {
	n.fd = -1
	setSysctl("net/ipv4/ping_group_range", p.PingGroups)
	setSysctl("net/ipv4/ip_unprivileged_port_start", "0") // the ports are all the program's
	if err := linkUp("lo"); err != nil {
		return n, &step{"bring loopback up", err}
	}
	if len(p.Addrs) == 0 {
		return n, nil
	}
	if n.fd, err = openTUN(); err != nil || p.Veth {
		if !p.Veth {
			s.note("/dev/net/tun: %v; a veth pair takes its place", err)
		} else if err == nil {
			unix.Close(n.fd) // and with it the interface
		}
		if n, err = openVeth(p.MTU); err != nil {
			return n, err
		}
	}
	if err := s.configure(p); err != nil {
		return n, err
	}
	return n, nil
}

// openTUN makes the program's interface a TUN.
func openTUN() (int, error) {
	fd, err := unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		return -1, err
	}
	ifr, err := unix.NewIfreq(interfaceName)
	if err == nil {
		ifr.SetUint16(unix.IFF_TUN | unix.IFF_NO_PI | unix.IFF_VNET_HDR)
		err = unix.IoctlIfreq(fd, unix.TUNSETIFF, ifr)
	}
	if err == nil {
		err = unix.IoctlSetPointerInt(fd, unix.TUNSETVNETHDRSZ, vnetHeader)
	}
	if err != nil {
		unix.Close(fd)
		return -1, err
	}
	return fd, nil
}

// openVeth makes it a veth pair, with a packet socket on the other end.
func openVeth(mtu int) (network, error) {
	none := network{fd: -1}
	attrs := netlink.NewLinkAttrs()
	attrs.Name, attrs.MTU = interfaceName, mtu
	if err := netlink.LinkAdd(&netlink.Veth{LinkAttrs: attrs, PeerName: outerName, PeerMTU: uint32(mtu)}); err != nil {
		return none, &step{"make a veth pair", err}
	}
	// The kernel has no part in the outer end but to carry frames.
	setSysctl("net/ipv6/conf/"+outerName+"/disable_ipv6", "1")
	if err := linkUp(outerName); err != nil {
		return none, &step{"bring the veth pair up", err}
	}
	outer, err := netlink.LinkByName(outerName)
	if err != nil {
		return none, &step{"find the veth pair", err}
	}
	fd, err := packetSocket(outer.Attrs().Index)
	if err != nil {
		return none, &step{"open a packet socket", err}
	}
	return network{fd: fd, packet: true, addr: [6]byte(outer.Attrs().HardwareAddr)}, nil
}

// packetSocket opens one on an interface, for everything that comes in there.
func packetSocket(index int) (int, error) {
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return -1, err
	}
	const buffer = 4 << 20 // wanted; the system may allow less
	_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, buffer)
	_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_SNDBUF, buffer)
	err = errors.Join(
		unix.SetsockoptInt(fd, unix.SOL_PACKET, unix.PACKET_VNET_HDR, 1),
		unix.SetsockoptInt(fd, unix.SOL_PACKET, unix.PACKET_IGNORE_OUTGOING, 1),
		unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: bigEndian(unix.ETH_P_ALL), Ifindex: index}),
	)
	if err != nil {
		unix.Close(fd)
		return -1, err
	}
	return fd, nil
}

// bigEndian is a number in the order of the network.
func bigEndian(v uint16) uint16 {
	return binary.NativeEndian.Uint16(binary.BigEndian.AppendUint16(nil, v))
}

// configure gives the program's interface its addresses and routes.
func (s *stage) configure(p *plan) error {
	l, err := netlink.LinkByName(interfaceName)
	if err != nil {
		return &step{"find " + interfaceName, err}
	}
	// Nobody is there to advertise routes, and to be asked for them.
	setSysctl("net/ipv6/conf/"+interfaceName+"/accept_ra", "0")
	setSysctl("net/ipv6/conf/"+interfaceName+"/router_solicitations", "0")
	if err := netlink.LinkSetMTU(l, p.MTU); err != nil {
		return &step{"set the MTU", err}
	}
	if err := netlink.LinkSetUp(l); err != nil {
		return &step{"bring " + interfaceName + " up", err}
	}
	ipv6 := true
	for _, a := range p.Addrs {
		err := addAddr(l, a)
		if a.Addr().Is6() && (errors.Is(err, unix.EACCES) || errors.Is(err, unix.EOPNOTSUPP)) {
			s.note("there is no IPv6 in this kernel")
			ipv6 = false
			continue
		}
		if err != nil {
			return &step{"add address " + a.String(), err}
		}
	}
	for _, gw := range p.Gateways {
		if gw.Is6() && !ipv6 {
			continue
		}
		onLink := slices.ContainsFunc(p.Addrs, func(a netip.Prefix) bool { return a.Contains(gw) })
		if err := addDefaultRoute(l, gw, onLink); err != nil {
			return &step{"add a route by " + gw.String(), err}
		}
	}
	return nil
}

// addAddr gives the interface an address, which can be used when it returns.
func addAddr(l netlink.Link, p netip.Prefix) error {
	a := &netlink.Addr{IPNet: &net.IPNet{IP: p.Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen())}}
	if p.Addr().Is6() {
		a.Flags = unix.IFA_F_NODAD
	}
	if err := netlink.AddrAdd(l, a); err != nil || p.Addr().Is4() {
		return err
	}
	return awaitLocal(a.IP)
}

// awaitLocal waits until the kernel takes packets to an IPv6 address: it enters
// the route to itself from a work queue.
func awaitLocal(ip net.IP) error {
	for wait := 50 * time.Microsecond; wait < time.Second; wait *= 2 {
		if r, err := netlink.RouteGet(ip); err == nil && len(r) > 0 && r[0].Type == unix.RTN_LOCAL {
			return nil
		}
		time.Sleep(wait)
	}
	return unix.ETIMEDOUT
}

// addDefaultRoute sends what is not on the link to a gateway, which is on the link
// even if the interface's addresses do not have it there.
func addDefaultRoute(l netlink.Link, gw netip.Addr, onLink bool) error {
	bits := gw.BitLen()
	if !onLink {
		itself := &net.IPNet{IP: gw.AsSlice(), Mask: net.CIDRMask(bits, bits)}
		if err := netlink.RouteAdd(&netlink.Route{LinkIndex: l.Attrs().Index, Dst: itself, Scope: netlink.SCOPE_LINK}); err != nil {
			return err
		}
	}
	all := &net.IPNet{IP: make(net.IP, bits/8), Mask: net.CIDRMask(0, bits)}
	return netlink.RouteAdd(&netlink.Route{LinkIndex: l.Attrs().Index, Dst: all, Gw: gw.AsSlice()})
}

func linkUp(name string) error {
	l, err := netlink.LinkByName(name)
	if err != nil {
		return err
	}
	return netlink.LinkSetUp(l)
}

// setSysctl sets a parameter of the namespace's network. What it makes better goes
// without: /proc/sys may be read-only, as in containers.
func setSysctl(path, value string) {
	_ = os.WriteFile(filepath.Join("/proc/sys", path), []byte(value), 0)
}
