package script

import (
	"context"
	"net/netip"
	"slices"
	"syscall"

	"example.com/berth/socket"
)

// callers are the calls that a script can make.
var callers map[string]caller

func init() {
	callers = map[string]caller{
		"socket": callSocket, "bind": callBind, "listen": callListen,
		"accept": callAccept, "accept4": callAccept, "connect": callConnect,
		"close": callClose, "shutdown": callShutdown, "fcntl": callFcntl, "ioctl": callIoctl,
		"read": callRead, "readv": callReadv, "recv": callRecv, "recvfrom": callRecvfrom, "recvmsg": callRecvmsg,
		"write": callWrite, "writev": callWritev, "send": callSend, "sendto": callSendto, "sendmsg": callSendmsg,
		"getsockopt": callGetsockopt, "setsockopt": callSetsockopt,
		"poll": callPoll, "epoll_create": callEpollCreate, "epoll_create1": callEpollCreate,
		"epoll_ctl": callEpollCtl, "epoll_wait": callEpollWait,
	}
}

// Flags of socket and accept4 on Linux.
const (
	sockNonblock = 0o4000
	sockCloexec  = 0o2000000
)

// callSocket is socket(domain, type, protocol); ... as the domain is that of the
// variant.
func callSocket(r *run, c *call) (*running, *Error) {
	if err := c.want(3); err != nil {
		return nil, err
	}
	domain, any, err := r.number(&c.args[0])
	if err != nil {
		return nil, err
	}
	if any {
		domain = int64(r.setup.domain)
	}
	typ, err := r.int(&c.args[1])
	if err != nil {
		return nil, err
	}
	protocol, err := r.int(&c.args[2])
	if err != nil {
		return nil, err
	}
	return &running{try: func() (int64, error) {
		f := &file{
			domain: socket.Domain(domain), typ: socket.Type(typ &^ (sockNonblock | sockCloexec)),
			nonblock: typ&sockNonblock != 0,
		}
		s, err := r.world.Socket(f.domain, f.typ, socket.Protocol(protocol))
		if err != nil {
			return -1, err
		}
		r.generation++
		if err := r.preset(c, f, s); err != nil {
			return -1, err
		}
		return r.enter(c, f, s)
	}}, nil
}

// preset gives a new socket what stands for settings of the system.
func (r *run) preset(c *call, f *file, s socket.Socket) error {
	if f.typ != socket.STREAM {
		return nil
	}
	for _, p := range r.setup.sockets {
		if err := s.SetOption(p.id, p.value); err != nil {
			return unsupported(c.pos, "the setting that is the option %v with the value %v: %v", p.id, p.value, err)
		}
	}
	return nil
}

// enter makes a descriptor of a socket.
func (r *run) enter(c *call, f *file, s socket.Socket) (int64, error) {
	f.sock = s
	r.subject = f
	if err := s.SetNonblock(true); err != nil {
		return -1, err
	}
	return r.made(c, f)
}

// sockaddr is an address in a script, or ... for the one given.
func (r *run) sockaddr(e *expr, given netip.AddrPort) (netip.AddrPort, *Error) {
	if e.kind == exprAny {
		return given, nil
	}
	if e.kind == exprWord && e.text == "AF_UNSPEC" {
		return netip.AddrPort{}, nil
	}
	if e.kind != exprStruct {
		return given, errorf(e.pos, "an address is expected, not %v", e)
	}
	if f := e.field("sa_family"); f != nil && f.text == "AF_UNSPEC" {
		return netip.AddrPort{}, nil
	}
	host, port := given.Addr(), given.Port()
	if p := firstField(e, "sin_port", "sin6_port"); p != nil {
		n, any, err := r.number(p)
		if err != nil {
			return given, err
		}
		if !any {
			port = uint16(n)
		}
	}
	a := firstField(e, "sin_addr", "sin6_addr")
	switch {
	case a == nil:
		return given, errorf(e.pos, "the address has neither sin_addr nor sin6_addr")
	case a.kind == exprApply && len(a.list) > 0 && a.list[len(a.list)-1].kind == exprText:
		ip, err := netip.ParseAddr(a.list[len(a.list)-1].text)
		if err != nil {
			return given, errorf(a.pos, "%v", err)
		}
		host = ip
	case a.kind == exprWord && a.text == "INADDR_ANY":
		host = netip.IPv4Unspecified()
	case a.kind != exprAny:
		return given, errorf(a.pos, "an address is expected, not %v", a)
	}
	return netip.AddrPortFrom(host, port), nil
}

func firstField(e *expr, names ...string) *expr {
	for _, n := range names {
		if f := e.field(n); f != nil {
			return f
		}
	}
	return nil
}

// form is an address as sockets of a domain take it.
func (f *file) form(a netip.AddrPort) netip.AddrPort {
	if f.domain == socket.INET6 && a.Addr().Is4() {
		return netip.AddrPortFrom(netip.AddrFrom16(a.Addr().As16()), a.Port())
	}
	return a
}

// callBind is bind(fd, address, length).
func callBind(r *run, c *call) (*running, *Error) {
	if err := c.want(3); err != nil {
		return nil, err
	}
	f, err := r.file(&c.args[0])
	if err != nil {
		return nil, err
	}
	addr, err := r.sockaddr(&c.args[1], netip.AddrPortFrom(r.setup.local, r.port))
	if err != nil {
		return nil, err
	}
	return f.run(func() (int64, error) {
		err := f.sock.Bind(f.form(addr))
		if err == nil {
			r.port = f.sock.LocalAddr().Port()
		}
		return 0, err
	}), nil
}

// run makes a call that does not wait, on a descriptor that there is.
func (f *file) run(try func() (int64, error)) *running {
	return &running{try: func() (int64, error) {
		if f.sock == nil {
			return -1, syscall.EBADF
		}
		return try()
	}}
}

// wait makes a call that waits, if the descriptor and the flags say so.
func (f *file) wait(flags int64, try func() (int64, error)) *running {
	g := f.run(try)
	g.waits = !f.nonblock && socket.Flags(flags)&socket.MSG_DONTWAIT == 0
	return g
}

// callListen is listen(fd, backlog).
func callListen(r *run, c *call) (*running, *Error) {
	if err := c.want(2); err != nil {
		return nil, err
	}
	f, err := r.file(&c.args[0])
	if err != nil {
		return nil, err
	}
	backlog, err := r.int(&c.args[1])
	if err != nil {
		return nil, err
	}
	return f.run(func() (int64, error) {
		r.generation++
		r.passive = true
		return 0, f.sock.Listen(int(backlog))
	}), nil
}

// callAccept is accept(fd, address, length), and accept4 with flags.
func callAccept(r *run, c *call) (*running, *Error) {
	if c.name == "accept" {
		if err := c.want(3); err != nil {
			return nil, err
		}
	} else if err := c.want(4); err != nil {
		return nil, err
	}
	f, err := r.file(&c.args[0])
	if err != nil {
		return nil, err
	}
	flags := int64(0)
	if len(c.args) == 4 {
		if flags, err = r.int(&c.args[3]); err != nil {
			return nil, err
		}
	}
	return f.wait(0, func() (int64, error) {
		s, _, err := f.sock.Accept(context.Background())
		if err != nil {
			return -1, err
		}
		return r.enter(c, &file{domain: f.domain, typ: f.typ, nonblock: flags&sockNonblock != 0}, s)
	}), nil
}

// callConnect is connect(fd, address, length).
func callConnect(r *run, c *call) (*running, *Error) {
	if err := c.want(3); err != nil {
		return nil, err
	}
	f, err := r.file(&c.args[0])
	if err != nil {
		return nil, err
	}
	addr, err := r.sockaddr(&c.args[1], netip.AddrPortFrom(r.setup.remote, defaultPort))
	if err != nil {
		return nil, err
	}
	if addr.IsValid() {
		addr = f.form(addr)
	}
	return f.wait(0, func() (int64, error) {
		r.subject = f
		err := f.sock.Connect(context.Background(), addr)
		if !f.nonblock && (err == syscall.EINPROGRESS || err == syscall.EALREADY) {
			err = syscall.EAGAIN
		}
		return 0, err
	}), nil
}

// callClose is close(fd).
func callClose(r *run, c *call) (*running, *Error) {
	if err := c.want(1); err != nil {
		return nil, err
	}
	n, err := r.int(&c.args[0])
	if err != nil {
		return nil, err
	}
	f := r.files[int(n)]
	if f == nil {
		return (&file{}).run(nil), nil
	}
	if f.poll != nil {
		return &running{try: func() (int64, error) { r.forget(int(n)); return 0, nil }}, nil
	}
	if l, err := socket.Get(f.sock, socket.SO_LINGER); err == nil && l.On && l.Seconds > 0 {
		return r.closeAndLinger(int(n), f, l.Seconds), nil
	}
	return f.run(func() (int64, error) {
		r.forget(int(n))
		return 0, f.sock.Close()
	}), nil
}

// forget takes a descriptor away, also from what epoll waits for.
func (r *run) forget(n int) {
	delete(r.files, n)
	for _, f := range r.files {
		if f.poll != nil {
			f.poll.entries = slices.DeleteFunc(f.poll.entries, func(w watch) bool { return w.fd == n })
		}
	}
}

// closeAndLinger closes, and waits until the peer has acknowledged all, or for
// the time of SO_LINGER. Non-blocking sockets wait, too.
func (r *run) closeAndLinger(n int, f *file, seconds int) *running {
	g := &running{}
	local, remote := f.sock.LocalAddr(), netip.AddrPort{}
	closed := false
	r.until(g, int64(seconds)*1000, func() (int64, error) {
		if !closed {
			closed = true
			remote, _ = f.sock.PeerAddr()
			_ = socket.Set(f.sock, socket.SO_LINGER, socket.Linger{})
			r.forget(n)
			if err := f.sock.Close(); err != nil {
				return 0, err
			}
			r.world.settle()
		}
		if remote.IsValid() && r.unacknowledged(local, remote) {
			return 0, nil
		}
		return 1, nil
	})
	try := g.try
	g.try = func() (int64, error) {
		_, err := try()
		return 0, err
	}
	return g
}

// unacknowledged tells whether a connection has a FIN that the peer has not
// acknowledged.
func (r *run) unacknowledged(local, remote netip.AddrPort) bool {
	for _, s := range r.world.sockets() {
		if s.Type != socket.STREAM || plain(s.Local) != plain(local) || plain(s.Remote) != plain(remote) {
			continue
		}
		switch s.State {
		case socket.TCP_FIN_WAIT1, socket.TCP_CLOSING, socket.TCP_LAST_ACK:
			return true
		}
	}
	return false
}

// callShutdown is shutdown(fd, how).
func callShutdown(r *run, c *call) (*running, *Error) {
	if err := c.want(2); err != nil {
		return nil, err
	}
	f, err := r.file(&c.args[0])
	if err != nil {
		return nil, err
	}
	how, err := r.int(&c.args[1])
	if err != nil {
		return nil, err
	}
	return f.run(func() (int64, error) { return 0, f.sock.Shutdown(socket.How(how)) }), nil
}

// Commands of fcntl, and flags of descriptors, with Linux's values.
const (
	fGetFL    = 3
	fSetFL    = 4
	oRDWR     = 2
	oNonblock = 0o4000
)

// callFcntl is fcntl(fd, F_GETFL) and fcntl(fd, F_SETFL, flags).
func callFcntl(r *run, c *call) (*running, *Error) {
	if len(c.args) < 2 || len(c.args) > 3 {
		return nil, errorf(c.pos, "fcntl has 2 or 3 arguments, not %d", len(c.args))
	}
	f, err := r.file(&c.args[0])
	if err != nil {
		return nil, err
	}
	cmd, err := r.int(&c.args[1])
	if err != nil {
		return nil, err
	}
	switch {
	case cmd == fGetFL:
		return f.run(func() (int64, error) {
			if f.nonblock {
				return oRDWR | oNonblock, nil
			}
			return oRDWR, nil
		}), nil
	case cmd == fSetFL && len(c.args) == 3:
		flags, err := r.int(&c.args[2])
		if err != nil {
			return nil, err
		}
		return f.run(func() (int64, error) {
			f.nonblock = flags&oNonblock != 0
			return 0, nil
		}), nil
	}
	return nil, unsupported(c.pos, "fcntl with the command %v", &c.args[1])
}

// Requests of ioctl, with Linux's values.
const (
	siocInq    = 0x541b
	siocOutq   = 0x5411
	siocAtMark = 0x8905
)

// callIoctl is ioctl(fd, SIOCINQ, [n]), SIOCOUTQ and SIOCATMARK.
func callIoctl(r *run, c *call) (*running, *Error) {
	if err := c.want(3); err != nil {
		return nil, err
	}
	f, err := r.file(&c.args[0])
	if err != nil {
		return nil, err
	}
	req, err := r.int(&c.args[1])
	if err != nil {
		return nil, err
	}
	if req != siocInq && req != siocOutq && req != siocAtMark {
		return nil, unsupported(c.pos, "ioctl with the request %v", &c.args[1])
	}
	got := 0
	g := f.run(func() (int64, error) {
		if req == siocAtMark {
			at, err := f.sock.AtMark()
			if at {
				got = 1
			}
			return 0, err
		}
		if i := r.info(f); i != nil && req == siocInq {
			got = i.RecvQueue
		} else if i != nil {
			got = i.SendQueue
		}
		return 0, nil
	})
	g.verify = func() *Error { return r.same(&c.args[2], int64(got)) }
	return g, nil
}

// same compares what a call filled in with what the script expects there.
func (r *run) same(e *expr, got int64) *Error {
	want, any, err := r.number(e)
	if err == nil && !any && want != got {
		err = errorf(e.pos, "the value is %d, not %d", got, want)
	}
	return err
}
