package bridge

import (
	"net/netip"
	"syscall"

	"example.com/berth/socket"
)

// SetsockoptInt is setsockopt(2) of a number.
func SetsockoptInt(fd, level, opt, value int) error {
	if f := Lookup(fd); f != nil {
		return f.SetsockoptInt(level, opt, value)
	}
	return syscall.SetsockoptInt(fd, level, opt, value)
}

// GetsockoptInt is getsockopt(2) of a number.
func GetsockoptInt(fd, level, opt int) (int, error) {
	if f := Lookup(fd); f != nil {
		return f.GetsockoptInt(level, opt)
	}
	return syscall.GetsockoptInt(fd, level, opt)
}

// SetsockoptInt is setsockopt(2) of a number.
func (f *FD) SetsockoptInt(level, name, value int) error {
	return f.socket.SetOption(socket.OptionID{Level: level, Name: name}, value)
}

// GetsockoptInt is getsockopt(2) of a number. SO_ERROR tells the end of a
// connect.
func (f *FD) GetsockoptInt(level, name int) (int, error) {
	if level == syscall.SOL_SOCKET && name == syscall.SO_ERROR && f.refused != 0 {
		e := f.refused
		f.refused = 0
		return int(e), nil
	}
	v, err := f.socket.Option(socket.OptionID{Level: level, Name: name})
	if err != nil {
		return -1, err
	}
	n, ok := v.(int)
	if !ok {
		return -1, syscall.EINVAL
	}
	return n, nil
}

// SetsockoptLinger is setsockopt(2) of SO_LINGER.
func (f *FD) SetsockoptLinger(level, name int, l *syscall.Linger) error {
	return f.socket.SetOption(socket.OptionID{Level: level, Name: name},
		socket.Linger{On: l.Onoff != 0, Seconds: int(l.Linger)})
}

// SetsockoptIPMreqn is setsockopt(2) of IPv4's options of groups.
func (f *FD) SetsockoptIPMreqn(level, name int, r *syscall.IPMreqn) error {
	return f.socket.SetOption(socket.OptionID{Level: level, Name: name}, socket.Group{
		Group: netip.AddrFrom4(r.Multiaddr), Local: netip.AddrFrom4(r.Address), Interface: int(r.Ifindex),
	})
}

// SetsockoptIPv6Mreq is setsockopt(2) of IPv6's options of groups.
func (f *FD) SetsockoptIPv6Mreq(level, name int, r *syscall.IPv6Mreq) error {
	return f.socket.SetOption(socket.OptionID{Level: level, Name: name}, socket.Group{
		Group: netip.AddrFrom16(r.Multiaddr), Interface: int(r.Interface),
	})
}
