package berth

import (
	"net/netip"
	"syscall"

	"example.com/berth/socket"
)

// setKeys sets an option that has to do with keys (RFC 2385, RFC 5925).
func (s *stream) setKeys(id socket.OptionID, value any) error {
	listening := s.lis != nil
	switch v := value.(type) {
	case socket.TCPMD5Sig:
		if id != socket.TCP_MD5SIG_EXT.ID && (id != socket.TCP_MD5SIG.ID || !v.Peer.IsSingleIP()) {
			return syscall.EINVAL
		}
		var ok bool
		if v.Peer, ok = s.keyPeer(v.Peer); !ok {
			return syscall.EINVAL
		}
		if err := s.conn.SetMD5(v); err != nil {
			return err
		}
		if s.opened {
			s.conn.Rekey(s.local, s.remote)
		}
		return nil
	case socket.TCPAOKey:
		var ok bool
		if v.Peer, ok = s.keyPeer(v.Peer); !ok || id != socket.TCP_AO_ADD_KEY.ID {
			return syscall.EINVAL
		}
		return s.conn.AddAOKey(v, listening)
	case socket.TCPAODelKey:
		var ok bool
		if v.Peer, ok = s.keyPeer(v.Peer); !ok || id != socket.TCP_AO_DEL_KEY.ID {
			return syscall.EINVAL
		}
		return s.conn.DelAOKey(v, listening)
	case socket.TCPAOInfo:
		if id != socket.TCP_AO_INFO.ID {
			return syscall.EINVAL
		}
		return s.conn.SetAOInfo(v, listening)
	}
	return syscall.EINVAL
}

// keyPeer is the network of peers as the host has it: IPv4 on an INET6 socket comes
// as addresses mapped to IPv6. It is false for networks that no peer of the socket
// can be in.
func (s *stream) keyPeer(p netip.Prefix) (netip.Prefix, bool) {
	a, bits := p.Addr(), p.Bits()
	switch {
	case !p.IsValid(), a.Is4() != (s.domain == socket.INET):
		return p, false
	case a.Is4In6() && bits >= 96:
		a, bits = a.Unmap(), bits-96
	}
	return netip.PrefixFrom(a, bits).Masked(), true
}

// keys is TCP_AO_GET_KEYS, with the peers as the socket has them.
func (s *stream) keys() ([]socket.TCPAOKey, error) {
	keys, err := s.conn.AOKeys()
	for i := range keys {
		if p := &keys[i].Peer; s.domain == socket.INET6 && p.Addr().Is4() {
			*p = netip.PrefixFrom(netip.AddrFrom16(p.Addr().As16()), p.Bits()+96)
		}
	}
	return keys, err
}
