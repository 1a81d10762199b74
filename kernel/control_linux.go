package kernel

import (
	"net/netip"
	"syscall"
	"unsafe"

	"example.com/berth/socket"
	"golang.org/x/sys/unix"
)

// sendsIPv4 tells whether what goes to addr (or to the peer) is IPv4, so that
// its control messages are those of SOL_IP also on an INET6 socket.
func (s *sock) sendsIPv4(addr netip.AddrPort) bool {
	if s.domain == socket.INET {
		return true
	}
	a := addr.Addr()
	if !a.IsValid() {
		peer, err := s.PeerAddr()
		if err != nil {
			return false
		}
		a = peer.Addr()
	}
	return a.Is4() || a.Is4In6()
}

// appendControl appends c as control messages.
func (s *sock) appendControl(b []byte, c *socket.Control, ipv4 bool) ([]byte, error) {
	level, pktinfo, ttl, tos := unix.SOL_IPV6, unix.IPV6_PKTINFO, unix.IPV6_HOPLIMIT, unix.IPV6_TCLASS
	if ipv4 {
		level, pktinfo, ttl, tos = unix.SOL_IP, unix.IP_PKTINFO, unix.IP_TTL, unix.IP_TOS
	}
	if c.Has(socket.ControlPktInfo) {
		if ipv4 {
			info := unix.Inet4Pktinfo{Ifindex: int32(c.PktInfo.Interface)}
			if l := c.PktInfo.Local; l.IsValid() {
				if l = l.Unmap(); !l.Is4() {
					return nil, syscall.EINVAL
				}
				info.Spec_dst = l.As4()
			}
			b = appendMessage(b, level, pktinfo, info)
		} else {
			info := unix.Inet6Pktinfo{Ifindex: uint32(c.PktInfo.Interface)}
			if l := c.PktInfo.Local; l.IsValid() {
				info.Addr = l.As16()
			}
			b = appendMessage(b, level, pktinfo, info)
		}
	}
	if c.Has(socket.ControlTTL) {
		b = appendMessage(b, level, ttl, int32(c.TTL))
	}
	if c.Has(socket.ControlTOS) {
		b = appendMessage(b, level, tos, int32(c.TOS))
	}
	if c.Has(socket.ControlRetOpts) && ipv4 {
		if len(c.RetOpts) > maxHeaderOptions {
			return nil, syscall.EINVAL // what is longer the kernel would cut
		}
		var at int
		b, at = appendHeader(b, level, unix.IP_RETOPTS, len(c.RetOpts))
		copy(b[at:], c.RetOpts)
	}
	return b, nil
}

// maxHeaderOptions is how many bytes of options an IPv4 header has room for.
const maxHeaderOptions = 40

func appendMessage[T any](b []byte, level, typ int, value T) []byte {
	b, at := appendHeader(b, level, typ, int(unsafe.Sizeof(value)))
	put(b[at:], value)
	return b
}

// appendHeader appends the header of a control message with room for so many
// bytes, which begin at an offset.
func appendHeader(b []byte, level, typ, size int) (_ []byte, at int) {
	start := len(b)
	b = append(b, make([]byte, unix.CmsgSpace(size))...)
	h := (*unix.Cmsghdr)(unsafe.Pointer(&b[start]))
	h.Level, h.Type = int32(level), int32(typ)
	h.SetLen(unix.CmsgLen(size))
	return b, start + unix.CmsgLen(0)
}

// put stores a value's bytes in b, and take reads them; take gives the zero
// value if b is too short.
func put[T any](b []byte, value T) {
	copy(b, unsafe.Slice((*byte)(unsafe.Pointer(&value)), unsafe.Sizeof(value)))
}

func take[T any](b []byte) (value T) {
	if size := unsafe.Sizeof(value); uintptr(len(b)) >= size {
		copy(unsafe.Slice((*byte)(unsafe.Pointer(&value)), size), b)
	}
	return value
}

// parseControl sets c from the control messages in b.
func (s *sock) parseControl(c *socket.Control, b []byte) {
	for len(b) >= unix.CmsgLen(0) {
		h := take[unix.Cmsghdr](b)
		if int(h.Len) < unix.CmsgLen(0) || int(h.Len) > len(b) {
			return
		}
		s.parseMessage(c, int(h.Level), int(h.Type), b[unix.CmsgLen(0):h.Len])
		b = b[min(len(b), unix.CmsgSpace(int(h.Len)-unix.CmsgLen(0))):]
	}
}

func (s *sock) parseMessage(c *socket.Control, level, typ int, data []byte) {
	switch {
	case level == unix.SOL_IP && typ == unix.IP_PKTINFO:
		info := take[unix.Inet4Pktinfo](data)
		c.PktInfo = socket.PktInfo{
			Interface: int(info.Ifindex),
			Dst:       netip.AddrFrom4(info.Addr),
			Local:     netip.AddrFrom4(info.Spec_dst),
		}
		c.Present |= socket.ControlPktInfo
	case level == unix.SOL_IPV6 && typ == unix.IPV6_PKTINFO:
		info := take[unix.Inet6Pktinfo](data)
		dst := netip.AddrFrom16(info.Addr)
		c.PktInfo = socket.PktInfo{Interface: int(info.Ifindex), Dst: dst, Local: dst}
		c.Present |= socket.ControlPktInfo
	case level == unix.SOL_IP && typ == unix.IP_TTL, level == unix.SOL_IPV6 && typ == unix.IPV6_HOPLIMIT:
		c.TTL = int(take[int32](data))
		c.Present |= socket.ControlTTL
	case level == unix.SOL_IP && typ == unix.IP_TOS:
		c.TOS = int(take[uint8](data)) // the one that is a byte
		c.Present |= socket.ControlTOS
	case level == unix.SOL_IPV6 && typ == unix.IPV6_TCLASS:
		c.TOS = int(take[int32](data))
		c.Present |= socket.ControlTOS
	case level == unix.SOL_IP && typ == unix.IP_RECVOPTS:
		c.RecvOpts = string(data)
		c.Present |= socket.ControlRecvOpts
	case level == unix.SOL_IP && typ == unix.IP_RETOPTS:
		c.RetOpts = string(data)
		c.Present |= socket.ControlRetOpts
	case level == unix.SOL_IP && typ == unix.IP_RECVERR, level == unix.SOL_IPV6 && typ == unix.IPV6_RECVERR:
		c.Err = s.extendedError(data)
		c.Present |= socket.ControlErr
	case level == unix.SOL_TCP && typ == unix.TCP_CM_INQ:
		c.Inq = int(take[int32](data))
		c.Present |= socket.ControlInq
	}
}

// extendedError reads struct sock_extended_err and the offender's address
// behind it.
func (s *sock) extendedError(data []byte) socket.ExtendedError {
	type sockExtendedErr struct {
		errno             uint32
		origin, typ, code uint8
		_                 uint8
		info, data        uint32
	}
	e := take[sockExtendedErr](data)
	x := socket.ExtendedError{
		Errno:  syscall.Errno(e.errno),
		Origin: socket.ErrorOrigin(e.origin),
		Type:   e.typ,
		Code:   e.code,
		Info:   e.info,
		Data:   e.data,
	}
	if rest := data[min(len(data), int(unsafe.Sizeof(e))):]; len(rest) >= unix.SizeofSockaddrInet4 {
		var sa sockaddr
		sa.len = uint32(copy(unsafe.Slice(sa.bytes(), sockaddrSize), rest))
		x.Offender = sa.get(s).Addr()
	}
	return x
}
