package berth

import (
	"net/netip"
	"syscall"

	"example.com/berth/internal/header"
	"example.com/berth/link"
	"example.com/berth/socket"
)

// SendSegments sends b by a socket of UDP of this host that is connected: as datagrams
// of size bytes each, the last of which may be shorter, as Linux does with
// UDP_SEGMENT. To a device that takes large frames they go as one, which costs little
// more than one datagram; otherwise each goes by itself, as by Send. It does not
// wait.
//
// It returns how many bytes have gone. Errors: those of Send; EINVAL: it is no socket
// of UDP of this host, or size is not positive.
func (h *Host) SendSegments(s socket.Socket, b []byte, size int) (sent int, err error) {
	d, ok := s.(*datagram)
	if !ok || d.host != h || d.isPing() || size <= 0 {
		return 0, syscall.EINVAL
	}
	for len(b) > size {
		n, err := d.sendLarge(b, size)
		if err != nil {
			return sent, err
		}
		if n == 0 {
			break
		}
		sent, b = sent+n, b[n:]
	}
	for len(b) > 0 {
		n, err := d.Send(b[:min(size, len(b))], socket.MSG_DONTWAIT)
		if err != nil {
			return sent, err
		}
		sent, b = sent+n, b[n:]
	}
	return sent, nil
}

// sendLarge sends the first of several datagrams in a frame, as many as fit, and
// returns how many bytes those are: 0 if they are to go one by one.
func (s *datagram) sendLarge(b []byte, size int) (n int, err error) {
	h := s.host
	if h.waitsForTurn() {
		return 0, nil
	}
	s.mu.Lock()
	if len(s.corked) > 0 {
		s.mu.Unlock()
		return 0, nil
	}
	var none socket.Control
	d, err := s.prepare(size, 0, netip.AddrPort{}, &none)
	local := s.local
	s.mu.Unlock()
	if err != nil {
		return 0, err
	}
	info := d.path.ifc.info.Load()
	need, to := link.GSOUDP.Offload(), d.to.Addr()
	switch {
	case info.Offload&need != need, d.options != nil,
		ipHeaderLen(to)+header.UDPLen+size > d.path.mtu, // each would be cut
		to.IsMulticast(), h.isBroadcast(to):
		return 0, nil
	}
	b = b[:min(len(b), largeDatagrams(info, size))]
	if len(b) <= size {
		return 0, nil
	}
	if err := s.outputSegments(&d, local, b, size); err != nil {
		return 0, err
	}
	return len(b), nil
}

// largeDatagrams is how many bytes a large frame of datagrams carries at most: as
// many as a packet does, and as many segments as the device cuts.
func largeDatagrams(info *link.Info, size int) int {
	n := (header.MaxPacket - header.IPv6Len - header.UDPLen) / size
	if info.MaxSegments > 0 {
		n = min(n, info.MaxSegments)
	}
	return n * size
}
