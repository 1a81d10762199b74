package berth

import (
	"example.com/berth/internal/icmp"
	"example.com/berth/socket"
)

// fail takes an ICMP error about a packet that this socket sent. As on Linux it
// is reported by the next call if it is hard and the socket is connected, or
// if the socket keeps an error queue, where it is told in full. Skip is the
// length of the transport's header, which the queue leaves out.
func (s *messageSock) fail(in *inPacket, e *icmp.Error, skip int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return
	}
	discovers := s.ip.mtuDiscover(e.Remote.Addr()) != socket.IP_PMTUDISC_DONT
	if e.MTU != 0 {
		// The path is narrower than thought, whoever sent the packet
		// (RFC 1191 section 6.3); to this socket it is an error only if it does
		// discovery of its own.
		if s.ip.mtuDiscover(e.Remote.Addr()) != socket.IP_PMTUDISC_PROBE {
			s.host.mtus.update(e.Remote.Addr(), e.MTU)
		}
		if !discovers {
			return
		}
	}
	queue := s.wantsErrors(e.Remote.Addr())
	if !queue && (!e.Hard && e.MTU == 0 || !s.remote.IsValid()) {
		return
	}
	if e.MTU != 0 && !queue && s.ip.mtuDiscover(e.Remote.Addr()) != socket.IP_PMTUDISC_DO {
		return
	}
	if queue {
		origin := socket.SO_EE_ORIGIN_ICMP
		if e.Remote.Addr().Is6() {
			origin = socket.SO_EE_ORIGIN_ICMP6
		}
		s.errors.push(queuedError{
			ExtendedError: socket.ExtendedError{
				Errno: e.Errno, Origin: origin, Type: e.Type, Code: e.Code,
				Info: uint32(e.MTU) | e.Pointer, Offender: in.src,
			},
			to: e.Remote, data: e.Transport[min(skip, len(e.Transport)):],
		})
	}
	s.err = e.Errno
	s.changed()
	s.wake(socket.POLLERR)
}
