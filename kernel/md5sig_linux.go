package kernel

import (
	"net/netip"
	"syscall"
	"unsafe"

	"example.com/berth/socket"
)

// md5Sig is struct tcp_md5sig of linux/tcp.h.
type md5Sig struct {
	peer      [128]byte // a sockaddr_storage
	flags     uint8
	prefixLen uint8
	keyLen    uint16
	_         int32 // an interface, which takes a flag
	key       [socket.TCP_MD5SIG_MAXKEYLEN]byte
}

const md5SigPrefix = 1 // TCP_MD5SIG_FLAG_PREFIX

// encodeMD5Sig makes the kernel's form of a key for signatures. Its algorithm is the
// kernel's own.
func encodeMD5Sig(s *sock, id socket.OptionID, value any) (socket.OptionID, []byte, error) {
	v, ok := value.(socket.TCPMD5Sig)
	if !ok || !v.Peer.IsValid() || len(v.Key) > socket.TCP_MD5SIG_MAXKEYLEN ||
		id == socket.TCP_MD5SIG.ID && !v.Peer.IsSingleIP() {
		return id, nil, syscall.EINVAL
	}
	peer, bits := v.Peer.Masked().Addr(), v.Peer.Bits()
	var sa sockaddr
	if err := sa.set(s, netip.AddrPortFrom(peer, 0)); err != nil {
		return id, nil, err
	}
	if peer.Is4In6() {
		if bits < 96 {
			return id, nil, syscall.EINVAL
		}
		bits -= 96 // of the IPv4 address
	}
	var m md5Sig
	copy(m.peer[:], unsafe.Slice(sa.bytes(), sa.len))
	if id == socket.TCP_MD5SIG_EXT.ID {
		m.flags, m.prefixLen = md5SigPrefix, uint8(bits)
	}
	m.keyLen = uint16(len(v.Key))
	copy(m.key[:], v.Key)
	return id, bytesOf(m), nil
}
