package kernel

import (
	"os"
	"syscall"

	"example.com/berth/socket"
	mdsocket "github.com/mdlayher/socket"
)

// A Provider makes sockets of the kernel, in one network namespace.
type Provider struct {
	namespace *os.File // nil: that of the calling thread
}

var _ socket.Provider = (*Provider)(nil)

var sockets Provider

// Sockets returns the Provider of the sockets of the program's own network
// namespace. It is one and the same each time.
func Sockets() *Provider { return &sockets }

// InNamespace returns a Provider of sockets in the network namespace that path
// names: a file like /run/netns/blue or /proc/PID/ns/net. Making a socket there
// needs CAP_SYS_ADMIN. The Provider holds the file open until Close.
func InNamespace(path string) (*Provider, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	return &Provider{namespace: f}, nil
}

// Close gives up the namespace; sockets that were made in it live on. It does
// nothing on the Provider that Sockets returns.
func (p *Provider) Close() error {
	if p.namespace == nil {
		return nil
	}
	return p.namespace.Close()
}

// Socket is socket(2). Domains other than INET and INET6 are EAFNOSUPPORT.
func (p *Provider) Socket(domain socket.Domain, typ socket.Type, protocol socket.Protocol) (socket.Socket, error) {
	if domain != socket.INET && domain != socket.INET6 {
		return nil, syscall.EAFNOSUPPORT
	}
	switch {
	case typ < 0 || typ > sockTypeMask:
		return nil, syscall.EINVAL // also SOCK_NONBLOCK and SOCK_CLOEXEC: they are no types
	case typ == sockPacket:
		return nil, syscall.ESOCKTNOSUPPORT // Linux would make a socket of another domain
	}
	if p.namespace == nil {
		return p.make(domain, typ, protocol, nil)
	}
	raw, err := p.namespace.SyscallConn()
	if err != nil {
		return nil, syscall.EBADF
	}
	var s socket.Socket
	if cerr := raw.Control(func(fd uintptr) {
		s, err = p.make(domain, typ, protocol, &mdsocket.Config{NetNS: int(fd)})
	}); cerr != nil {
		return nil, syscall.EBADF // the Provider is closed
	}
	return s, err
}

// sockTypeMask is the kernel's SOCK_TYPE_MASK; sockPacket is SOCK_PACKET.
const (
	sockTypeMask = 0xf
	sockPacket   = 10
)

func (p *Provider) make(domain socket.Domain, typ socket.Type, protocol socket.Protocol, cfg *mdsocket.Config) (socket.Socket, error) {
	c, err := mdsocket.Socket(int(domain), int(typ), int(protocol), "socket", cfg)
	if err != nil {
		return nil, errno(err)
	}
	return newSock(p, c, domain, typ)
}
