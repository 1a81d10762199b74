package port

import (
	"flag"
	"net/netip"
	"os"
	"runtime"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

var record = flag.Bool("record", false, "write "+golden+" anew from this kernel's answers")

// linuxWorld is the kernel, in a network namespace of its own.
type linuxWorld struct {
	t       *testing.T
	servers [2]*linuxSock // IPv4, IPv6
}

// newLinuxWorld moves the calling goroutine's thread into a new namespace with
// a loopback interface and a TUN. The thread ends with the goroutine.
func newLinuxWorld(t *testing.T) *linuxWorld {
	if os.Geteuid() != 0 {
		t.Skip("needs root: a network namespace, SO_BINDTODEVICE and two users")
	}
	runtime.LockOSThread()
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		t.Skipf("no network namespace to be had: %v", err)
	}
	w := &linuxWorld{t: t}
	s, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	w.check(err)
	defer unix.Close(s)
	lo, err := unix.NewIfreq("lo")
	w.check(err)
	lo.SetUint16(unix.IFF_UP)
	w.check(unix.IoctlIfreq(s, unix.SIOCSIFFLAGS, lo))
	tun, err := unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Skipf("no second device to be had: %v", err)
	}
	t.Cleanup(func() { unix.Close(tun) })
	second, err := unix.NewIfreq("second")
	w.check(err)
	second.SetUint16(unix.IFF_TUN | unix.IFF_NO_PI)
	w.check(unix.IoctlIfreq(tun, unix.TUNSETIFF, second))
	w.check(os.WriteFile("/proc/sys/net/ipv4/ping_group_range", []byte("0 1"), 0))
	for i, at := range []string{"127.0.0.1:9", "[::1]:9"} {
		w.servers[i] = w.socket(kind{protocol: TCP, v6: i == 1}).(*linuxSock)
		w.check(w.servers[i].bind(netip.MustParseAddrPort(at)))
		w.check(w.servers[i].listen())
	}
	return w
}

func (w *linuxWorld) check(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *linuxWorld) server(v6 bool) netip.AddrPort {
	if v6 {
		return w.servers[1].local()
	}
	return w.servers[0].local()
}

func (w *linuxWorld) socket(k kind) sock {
	family, typ, protocol := unix.AF_INET, unix.SOCK_STREAM, 0
	if k.v6 {
		family = unix.AF_INET6
	}
	switch k.protocol {
	case UDP:
		typ = unix.SOCK_DGRAM
	case ICMP:
		typ, protocol = unix.SOCK_DGRAM, unix.IPPROTO_ICMP
	}
	if k.uid != 0 { // a socket's user is the file system's user of the thread
		setfsuid(int(k.uid))
		defer setfsuid(0)
	}
	fd, err := unix.Socket(family, typ|unix.SOCK_CLOEXEC, protocol)
	w.check(err)
	s := &linuxSock{w: w, fd: fd, k: k}
	w.t.Cleanup(s.close)
	s.set(unix.SOL_SOCKET, unix.SO_REUSEADDR, k.reuseAddr)
	if k.protocol != ICMP {
		s.set(unix.SOL_SOCKET, unix.SO_REUSEPORT, k.reusePort)
	}
	s.set(unix.SOL_IP, unix.IP_BIND_ADDRESS_NO_PORT, k.noPort)
	if k.v6 {
		s.set(unix.SOL_IPV6, unix.IPV6_V6ONLY, k.v6Only)
	}
	if k.device != 0 {
		w.check(unix.BindToDevice(fd, []string{"", "lo", "second"}[k.device]))
	}
	return s
}

func setfsuid(uid int) { unix.RawSyscall(unix.SYS_SETFSUID, uintptr(uid), 0, 0) }

type linuxSock struct {
	w    *linuxWorld
	fd   int
	k    kind
	peer *linuxSock     // the other end of a connection
	left netip.AddrPort // of a socket in TIME-WAIT
}

func (s *linuxSock) set(level, name int, on bool) {
	value := 0
	if on {
		value = 1
	}
	s.w.check(unix.SetsockoptInt(s.fd, level, name, value))
}

func (s *linuxSock) sockaddr(a netip.AddrPort) unix.Sockaddr {
	if s.k.v6 {
		return &unix.SockaddrInet6{Addr: a.Addr().As16(), Port: int(a.Port())}
	}
	return &unix.SockaddrInet4{Addr: a.Addr().As4(), Port: int(a.Port())}
}

func (s *linuxSock) bind(a netip.AddrPort) error { return unix.Bind(s.fd, s.sockaddr(a)) }
func (s *linuxSock) listen() error               { return unix.Listen(s.fd, 16) }

func (s *linuxSock) connect(a netip.AddrPort) error {
	err := unix.Connect(s.fd, s.sockaddr(a))
	if err == nil && s.k.protocol == TCP {
		server := s.w.servers[0]
		if !a.Addr().Unmap().Is4() {
			server = s.w.servers[1]
		}
		s.peer = server.accept()
	}
	return err
}

func (s *linuxSock) accept() *linuxSock {
	fd, _, err := unix.Accept4(s.fd, unix.SOCK_CLOEXEC)
	s.w.check(err)
	c := &linuxSock{w: s.w, fd: fd, k: s.k}
	s.w.t.Cleanup(c.close)
	return c
}

func (s *linuxSock) accepted(to netip.Addr) sock {
	client := s.w.socket(kind{protocol: TCP, v6: !to.Unmap().Is4()}).(*linuxSock)
	if !client.k.v6 {
		to = to.Unmap()
	}
	s.w.check(unix.Connect(client.fd, client.sockaddr(netip.AddrPortFrom(to, s.local().Port()))))
	c := s.accept()
	c.peer = client
	return c
}

func (s *linuxSock) disconnect() {
	var unspec unix.RawSockaddr // AF_UNSPEC
	_, _, errno := unix.Syscall(unix.SYS_CONNECT, uintptr(s.fd), uintptr(unsafe.Pointer(&unspec)), unsafe.Sizeof(unspec))
	if errno != 0 {
		s.w.t.Fatal(errno)
	}
}

func (s *linuxSock) wait() {
	local := s.local()
	w, peer := s.w, s.peer
	w.check(unix.Close(s.fd))
	w.check(unix.Close(peer.fd))
	peer.fd, s.peer = -1, nil
	// What is left of the socket has its address and no descriptor.
	s.fd = -1
	s.left = local
}

func (s *linuxSock) local() netip.AddrPort {
	if s.fd < 0 {
		return s.left
	}
	sa, err := unix.Getsockname(s.fd)
	s.w.check(err)
	switch sa := sa.(type) {
	case *unix.SockaddrInet4:
		return netip.AddrPortFrom(netip.AddrFrom4(sa.Addr), uint16(sa.Port))
	case *unix.SockaddrInet6:
		return netip.AddrPortFrom(netip.AddrFrom16(sa.Addr), uint16(sa.Port))
	}
	return netip.AddrPort{}
}

// close resets a connection, so that nothing is left of it.
func (s *linuxSock) close() {
	if s.fd < 0 {
		return
	}
	if s.peer != nil {
		w := s.w
		w.check(unix.SetsockoptLinger(s.fd, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1}))
		defer s.peer.close()
	}
	unix.Close(s.fd)
	s.fd = -1
}

func TestLinuxConflicts(t *testing.T) {
	got := matrix(newLinuxWorld(t))
	if *record {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	compare(t, got, string(want))
}

func TestLinuxScenarios(t *testing.T) {
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) { s.play(t, newLinuxWorld(t)) })
	}
}
