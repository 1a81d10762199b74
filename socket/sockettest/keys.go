package sockettest

import (
	"net/netip"
	"slices"
	"syscall"

	"example.com/berth/socket"
	"example.com/berth/tcpauth"
)

var keyCases = []rows{
	both("keys/md5", "two ends with the same key for signatures speak to one another, without timestamps", md5Speaks),
	both("keys/md5-network", "a key is for a network; that of the smallest one counts", md5Network),
	both("keys/md5-refused", "keys for signatures have bounds, and are for peers of the socket's family", md5Refused),
	both("keys/md5-deleted", "a key is deleted by one without secret, once", md5Deleted),
	both("keys/md5-connection", "a connection under way takes and gives up keys", md5Connection),
	on6("keys/md5-mapped", "an IPv6 socket has keys for IPv4 peers by their mapped addresses", md5Mapped).needing(ipv4),
}

func host(a netip.Addr) netip.Prefix { return netip.PrefixFrom(a, a.BitLen()) }

func md5Key(peer netip.Prefix, key string) socket.TCPMD5Sig {
	return socket.TCPMD5Sig{Peer: peer, Key: []byte(key), Algorithm: tcpauth.MD5}
}

// converse has both ends of a connection say something.
func (t *T) converse(a, b socket.Socket) {
	t.Helper()
	t.send(a, "from one end")
	t.receives(b, "from one end")
	t.send(b, "from the other")
	t.receives(a, "from the other")
}

// keyed connects A to a listener on B after both have been given keys.
func (t *T) keyed(f family, client, server func(socket.Socket)) (a, b socket.Socket) {
	t.Helper()
	l := t.bound(t.tcp(t.B, f), f.b)
	server(l)
	t.ok(l.Listen(4))
	a = t.bound(t.tcp(t.A, f), f.a)
	client(a)
	t.connect(a, l.LocalAddr())
	b = t.accept(l)
	t.ok(l.Close())
	return a, b
}

func md5Speaks(t *T, f family) {
	a, b := t.keyed(f,
		func(s socket.Socket) { set(t, s, socket.TCP_MD5SIG, md5Key(host(f.b), "secret")) },
		func(s socket.Socket) { set(t, s, socket.TCP_MD5SIG, md5Key(host(f.a), "secret")) })
	t.converse(a, b)
	equal(t, "timestamps", get(t, a, socket.TCP_INFO).Timestamps, false)
	long := pattern(100_000)
	sent := t.beside(func() { t.send(a, string(long)) })
	t.receives(b, string(long))
	<-sent
	t.ok(a.Shutdown(socket.SHUT_WR))
	t.receivesEnd(b)
	t.ok(b.Shutdown(socket.SHUT_WR))
	t.receivesEnd(a)
}

func md5Network(t *T, f family) {
	all := netip.PrefixFrom(f.any, 0)
	wide, err := f.a.Prefix(f.a.BitLen() - 4)
	t.ok(err)
	a, b := t.keyed(f,
		func(s socket.Socket) { set(t, s, socket.TCP_MD5SIG_EXT, md5Key(host(f.b), "secret")) },
		func(s socket.Socket) {
			set(t, s, socket.TCP_MD5SIG_EXT, md5Key(wide, "secret"))
			set(t, s, socket.TCP_MD5SIG_EXT, md5Key(all, "another"))
		})
	t.converse(a, b)
}

func md5Refused(t *T, f family) {
	s := t.tcp(t.A, f)
	other := netip.MustParseAddr("2001:db8::1")
	if f.b.Is6() {
		other = netip.MustParseAddr("192.0.2.1")
	}
	wide := netip.PrefixFrom(f.any, 8)
	for _, c := range []struct {
		what string
		v    socket.TCPMD5Sig
	}{
		{"no peer", md5Key(netip.Prefix{}, "secret")},
		{"another family", md5Key(host(other), "secret")},
		{"a long key", md5Key(host(f.b), string(pattern(81)))},
	} {
		t.fails(c.what, socket.Set(s, socket.TCP_MD5SIG, c.v), syscall.EINVAL)
		t.fails(c.what+", EXT", socket.Set(s, socket.TCP_MD5SIG_EXT, c.v), syscall.EINVAL)
	}
	t.fails("a network", socket.Set(s, socket.TCP_MD5SIG, md5Key(wide, "secret")), syscall.EINVAL)
	set(t, s, socket.TCP_MD5SIG, md5Key(host(f.b), string(slices.Repeat([]byte("k"), 80))))
	for _, o := range []socket.Option[socket.TCPMD5Sig]{socket.TCP_MD5SIG, socket.TCP_MD5SIG_EXT} {
		_, err := socket.Get(s, o)
		t.fails("reading", err, syscall.ENOPROTOOPT)
	}
}

func md5Deleted(t *T, f family) {
	s := t.tcp(t.A, f)
	t.fails("nothing there", socket.Set(s, socket.TCP_MD5SIG, md5Key(host(f.b), "")), syscall.ENOENT)
	set(t, s, socket.TCP_MD5SIG, md5Key(host(f.b), "secret"))
	t.fails("another's", socket.Set(s, socket.TCP_MD5SIG, md5Key(host(f.foreign), "")), syscall.ENOENT)
	set(t, s, socket.TCP_MD5SIG, md5Key(host(f.b), ""))
	t.fails("again", socket.Set(s, socket.TCP_MD5SIG, md5Key(host(f.b), "")), syscall.ENOENT)
	l := t.listener(f)
	t.connect(s, l.LocalAddr()) // which is answered, since nothing is signed
	t.converse(s, t.accept(l))
}

func md5Connection(t *T, f family) {
	a, b := t.pair(f)
	t.converse(a, b)
	for _, key := range []string{"secret", "", "another"} {
		set(t, a, socket.TCP_MD5SIG, md5Key(host(f.b), key))
		set(t, b, socket.TCP_MD5SIG, md5Key(host(f.a), key))
		t.converse(a, b)
	}
}

func md5Mapped(t *T, f family) {
	four := t.Env.ipv4()
	l := t.tcp(t.B, f)
	t.ok(l.Bind(netip.AddrPortFrom(f.any, 0)))
	set(t, l, socket.TCP_MD5SIG, md5Key(host(mapped(four.a)), "secret"))
	t.ok(l.Listen(4))
	a := t.bound(t.tcp(t.A, four), four.a)
	set(t, a, socket.TCP_MD5SIG, md5Key(host(four.b), "secret"))
	t.connect(a, netip.AddrPortFrom(four.b, l.LocalAddr().Port()))
	t.converse(a, t.accept(l))
}
