package berth_test

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"reflect"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"example.com/berth"
	"example.com/berth/internal/header"
	"example.com/berth/link"
	"example.com/berth/link/impair"
	"example.com/berth/socket"
	"example.com/berth/tcpauth"
)

func hostPrefix(a netip.Addr) netip.Prefix { return netip.PrefixFrom(a, a.BitLen()) }

// aoKey is a key that one end has for its peer; the other has it the other way
// round.
func aoKey(peer netip.Addr, send, recv uint8) socket.TCPAOKey {
	return socket.TCPAOKey{
		Peer: hostPrefix(peer), SendID: send, RecvID: recv,
		Secret: []byte("secret"), Algorithm: tcpauth.HMACSHA1,
	}
}

// protection is a way to give a socket a key for a peer.
type protection struct {
	name string
	set  func(t testing.TB, s socket.Socket, peer netip.Addr, client bool, secret string)
	kind byte // of its option
}

var protections = []protection{
	{"MD5", func(t testing.TB, s socket.Socket, peer netip.Addr, _ bool, secret string) {
		mustSet(t, s, socket.TCP_MD5SIG, socket.TCPMD5Sig{Peer: hostPrefix(peer), Key: []byte(secret), Algorithm: tcpauth.MD5})
	}, header.TCPAuthMD5},
	{"HMAC-SHA-1-96", ao(tcpauth.HMACSHA1, false, 0), header.TCPAuthAO},
	{"AES-128-CMAC-96", ao(tcpauth.AES128CMAC, false, 0), header.TCPAuthAO},
	{"HMAC-SHA-1-128, options excluded", ao(tcpauth.HMACSHA1, true, 16), header.TCPAuthAO},
}

func ao(a socket.TCPAlgorithm, exclude bool, length int) func(testing.TB, socket.Socket, netip.Addr, bool, string) {
	return func(t testing.TB, s socket.Socket, peer netip.Addr, client bool, secret string) {
		k := aoKey(peer, 1, 2)
		if !client {
			k = aoKey(peer, 2, 1)
		}
		k.Secret, k.Algorithm, k.ExcludeOptions, k.MACLen = []byte(secret), a, exclude, length
		mustSet(t, s, socket.TCP_AO_ADD_KEY, k)
	}
}

func mustSet[T any](t testing.TB, s socket.Socket, o socket.Option[T], v T) {
	t.Helper()
	if err := socket.Set(s, o, v); err != nil {
		t.Fatalf("setting %v: %v", o.ID, err)
	}
}

func mustGet[T any](t testing.TB, s socket.Socket, o socket.Option[T]) T {
	t.Helper()
	v, err := socket.Get(s, o)
	if err != nil {
		t.Fatalf("reading %v: %v", o.ID, err)
	}
	return v
}

// keyedPair is a connection from alice to bob, whose sockets were given keys.
func keyedPair(t testing.TB, alice, bob *berth.Host, addr netip.Addr, client, server func(socket.Socket)) (c, s socket.Socket) {
	t.Helper()
	l := listenerWith(t, bob, addr, server)
	c = newSocket(t, alice, domainOf(addr), socket.STREAM, 0)
	client(c)
	if err := c.Connect(t.Context(), l.LocalAddr()); err != nil {
		t.Fatal(err)
	}
	s, _, err := l.Accept(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	l.Close()
	return c, s
}

func listenerWith(t testing.TB, h *berth.Host, addr netip.Addr, keys func(socket.Socket)) socket.Socket {
	t.Helper()
	l := newSocket(t, h, domainOf(addr), socket.STREAM, 0)
	keys(l)
	if err := l.Bind(netip.AddrPortFrom(addr, 179)); err != nil {
		t.Fatal(err)
	}
	if err := l.Listen(4); err != nil {
		t.Fatal(err)
	}
	return l
}

// watched counts the segments that leave a device, those without an option for
// authentication, and those that it is to cut.
type watched struct {
	link.Device
	kind                      byte
	segments, unsigned, large atomic.Int64
}

func (w *watched) Output(frames []link.Frame) (int, error) {
	for _, f := range frames {
		var ip4 header.IPv4
		var ip6 header.IPv6
		b := append(bytes.Clone(f.Head), f.Payload...)
		rest, err := ip4.Parse(b)
		if err != nil {
			if rest, err = ip6.Parse(b); err != nil || ip6.NextHeader != header.ProtocolTCP {
				continue
			}
		}
		var h header.TCP
		if _, err := h.Parse(rest); err != nil {
			continue
		}
		w.segments.Add(1)
		if h.Options.Auth.Kind != w.kind {
			w.unsigned.Add(1)
		}
		if f.GSO != link.GSONone {
			w.large.Add(1)
		}
	}
	return w.Device.Output(frames)
}

// A long transfer both ways, over a device that would cut large segments and over a
// line that loses and reorders: each segment has a code, that of a retransmission its
// own.
func TestConnectionsWithKeys(t *testing.T) {
	for _, p := range protections {
		for _, addrs := range [][2]netip.Addr{{alice4, bob4}, {alice6, bob6}} {
			for _, bad := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s/%v/bad=%v", p.name, addrs[1], bad), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) { longTransfer(t, p, addrs, bad) })
				})
			}
		}
	}
}

func longTransfer(t *testing.T, p protection, addrs [2]netip.Addr, bad bool) {
	w := &watched{kind: p.kind}
	alice, bob := pairWith(t, berth.Config{}, func(d link.Device) link.Device {
		if bad {
			d = impair.New(d, impair.Config{Delay: 5 * time.Millisecond, Jitter: 5 * time.Millisecond, Loss: 0.05})
		}
		w.Device = d
		return w
	})
	c, s := keyedPair(t, alice, bob, addrs[1],
		func(c socket.Socket) { p.set(t, c, addrs[1], true, "secret") },
		func(l socket.Socket) { p.set(t, l, addrs[0], false, "secret") })
	data := bytes.Repeat([]byte("routes and more routes, "), 20_000)
	carry(t, c, s, data)
	carry(t, s, c, data)
	if all, unsigned, large := w.segments.Load(), w.unsigned.Load(), w.large.Load(); all < 300 || unsigned != 0 || large != 0 {
		t.Errorf("of %d segments %d are not signed, %d are large", all, unsigned, large)
	}
	for _, name := range []string{"MD5Bad", "MD5Missing", "AOBad", "AORequired", "AOKeyNotFound"} {
		if n := machineCounter(bob, name); n != 0 {
			t.Errorf("%s is %d", name, n)
		}
	}
}

// carry sends data and compares what arrives.
func carry(t *testing.T, from, to socket.Socket, data []byte) {
	t.Helper()
	done := make(chan error, 1)
	go func() {
		_, err := from.Send(data, 0)
		done <- err
	}()
	got := make([]byte, len(data))
	if n, err := to.Recv(got, socket.MSG_WAITALL); err != nil || !bytes.Equal(got, data) {
		t.Fatalf("%d bytes, %v", n, err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

// Who has no key, another one, or a key of the other kind, gets no answer, nor does
// one who signs where nobody asked for it.
func TestNoConnectionWithoutTheKey(t *testing.T) {
	md5, sha1 := protections[0], protections[1]
	none := protection{set: func(testing.TB, socket.Socket, netip.Addr, bool, string) {}}
	for _, tt := range []struct {
		name           string
		client, server protection
		count          string
	}{
		{"MD5, no signature", none, md5, "MD5Missing"},
		{"MD5, another key", md5, md5, "MD5Bad"},
		{"MD5, nobody has a key", md5, none, "MD5Unexpected"},
		{"MD5, a code of TCP-AO", sha1, md5, "MD5Missing"},
		{"TCP-AO, no code", none, sha1, "AORequired"},
		{"TCP-AO, another key", sha1, sha1, "AOBad"},
		{"TCP-AO, another algorithm", protections[2], sha1, "AOBad"},
		{"TCP-AO, another length", protections[3], sha1, "AOBad"},
		{"TCP-AO, nobody has a key", sha1, none, "AOKeyNotFound"},
		{"TCP-AO, a signature", md5, sha1, "AORequired"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				alice, bob := pair(t)
				l := listenerWith(t, bob, bob4, func(l socket.Socket) { tt.server.set(t, l, alice4, false, "secret") })
				c := newSocket(t, alice, socket.INET, socket.STREAM, 0)
				tt.client.set(t, c, bob4, true, "guess")
				c.SetWriteDeadline(time.Now().Add(10 * time.Second))
				if err := c.Connect(t.Context(), l.LocalAddr()); !errors.Is(err, os.ErrDeadlineExceeded) {
					t.Errorf("connect: %v", err)
				}
				if n := machineCounter(bob, tt.count); n != 4 { // at 0, 1, 3 and 7 s
					t.Errorf("%s is %d", tt.count, n)
				}
				if n := bob.Counters().TCP.ResetsSent.Load(); n != 0 {
					t.Errorf("%d resets", n)
				}
			})
		})
	}
}

// machineCounter returns a counter of a host's TCP by its name.
func machineCounter(h *berth.Host, name string) uint64 {
	return reflect.ValueOf(&h.Counters().TCP.Machine).Elem().FieldByName(name).Addr().Interface().(interface{ Load() uint64 }).Load()
}

// A listener has keys for some peers; others speak to it as ever.
func TestKeysAreForTheirPeers(t *testing.T) {
	for _, p := range protections[:2] {
		synctest.Test(t, func(t *testing.T) {
			alice, bob := pair(t)
			c, s := keyedPair(t, alice, bob, bob4, func(socket.Socket) {},
				func(l socket.Socket) { p.set(t, l, netip.MustParseAddr("10.0.0.9"), false, "secret") })
			carry(t, c, s, []byte("in the clear"))
		})
	}
}

// What a stranger sends who knows everything of a connection but its key changes
// nothing: neither a reset, nor data, nor a SYN, nor an ICMP error.
func TestForgeriesChangeNothing(t *testing.T) {
	for _, p := range protections {
		t.Run(p.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := &forger{}
				alice, bob := pairWith(t, berth.Config{}, func(d link.Device) link.Device { w.Device = d; return w })
				c, s := keyedPair(t, alice, bob, bob4,
					func(c socket.Socket) { p.set(t, c, bob4, true, "secret") },
					func(l socket.Socket) { p.set(t, l, alice4, false, "secret") })
				for _, f := range []header.TCPFlags{header.RST, header.RST | header.ACK, header.SYN, header.ACK | header.PSH} {
					for _, strip := range []bool{false, true} {
						w.forge(t, c, f, strip)
					}
				}
				carry(t, c, s, []byte("the truth"))
				carry(t, s, c, []byte("and nothing else"))
				dropped := machineCounter(bob, "MD5Bad") + machineCounter(bob, "MD5Missing") + machineCounter(bob, "AOBad") + machineCounter(bob, "AORequired")
				if dropped != 8 {
					t.Errorf("%d forgeries were dropped, of 8", dropped)
				}
			})
		})
	}
}

// forger keeps the last segment that left, to make others of it.
type forger struct {
	link.Device
	last []byte
}

func (w *forger) Output(frames []link.Frame) (int, error) {
	f := frames[len(frames)-1]
	w.last = append(bytes.Clone(f.Head), f.Payload...)
	return w.Device.Output(frames)
}

// forge sends what follows on the last segment with these flags, with the code of
// that one, or without any.
func (w *forger) forge(t *testing.T, c socket.Socket, flags header.TCPFlags, strip bool) {
	t.Helper()
	var ip header.IPv4
	rest, err := ip.Parse(bytes.Clone(w.last))
	if err != nil {
		t.Fatal(err)
	}
	var h header.TCP
	if _, err := h.Parse(rest); err != nil {
		t.Fatal(err)
	}
	code := rest[header.TCPAuthAt : header.TCPAuthAt+int(h.Options.Auth.Len)]
	h.Flags, h.Checksum = flags, 0
	if strip {
		h.Options.Auth = header.TCPAuth{}
	}
	payload := []byte("a lie")
	b := h.Append(nil)
	if !strip {
		copy(b[header.TCPAuthAt:], code)
	}
	sum := header.Fold(header.Sum(append(bytes.Clone(b), payload...), header.PseudoSum(ip.Src, ip.Dst, header.ProtocolTCP, len(b)+len(payload))))
	b[16], b[17] = byte(sum>>8), byte(sum)
	ip.PayloadLen = len(b) + len(payload)
	packet := append(append(ip.Append(nil), b...), payload...)
	if _, err := w.Device.Output([]link.Frame{{Head: packet}}); err != nil {
		t.Fatal(err)
	}
	synctest.Wait()
}

// Both ends move to another key without a word to the program (RFC 5925 7.5): the one
// asks, the other follows, and the first follows its answer.
func TestKeysRollOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		alice, bob := pair(t)
		c, s := keyedPair(t, alice, bob, bob4,
			func(c socket.Socket) { mustSet(t, c, socket.TCP_AO_ADD_KEY, aoKey(bob4, 1, 1)) },
			func(l socket.Socket) { mustSet(t, l, socket.TCP_AO_ADD_KEY, aoKey(alice4, 1, 1)) })
		carry(t, c, s, []byte("with the first"))
		second := aoKey(alice4, 20, 10)
		second.Secret, second.Algorithm = []byte("another secret"), tcpauth.AES128CMAC
		mustSet(t, s, socket.TCP_AO_ADD_KEY, second)
		second.Peer, second.SendID, second.RecvID = hostPrefix(bob4), 10, 20
		mustSet(t, c, socket.TCP_AO_ADD_KEY, second)
		mustSet(t, s, socket.TCP_AO_INFO, socket.TCPAOInfo{SetRNext: true, RNextID: 10})
		carry(t, s, c, []byte("use the second"))
		carry(t, c, s, []byte("I do"))
		if i := mustGet(t, c, socket.TCP_AO_INFO); !i.HasCurrent || i.CurrentID != 10 {
			t.Errorf("the client sends with %d", i.CurrentID)
		}
		// The first key is no longer asked for, and once nothing is sent with it either
		// it can go.
		old := socket.TCPAODelKey{Peer: hostPrefix(alice4), SendID: 1, RecvID: 1}
		if err := socket.Set(s, socket.TCP_AO_DEL_KEY, old); err != syscall.EBUSY {
			t.Errorf("deleting a key in use: %v", err)
		}
		mustSet(t, c, socket.TCP_AO_INFO, socket.TCPAOInfo{SetRNext: true, RNextID: 20})
		carry(t, c, s, []byte("use yours, too"))
		mustSet(t, s, socket.TCP_AO_DEL_KEY, old)
		carry(t, s, c, []byte("done"))
		keys := mustGet(t, s, socket.TCP_AO_GET_KEYS)
		if len(keys) != 1 || keys[0].SendID != 20 || !keys[0].Current || !keys[0].RNext || keys[0].Good == 0 || keys[0].Secret != nil {
			t.Errorf("keys: %+v", keys)
		}
	})
}

// The options of TCP-AO refuse what Linux refuses.
func TestKeysOfTCPAOAreChecked(t *testing.T) {
	alice, _ := pair(t)
	good := aoKey(bob4, 1, 2)
	change := func(f func(*socket.TCPAOKey)) socket.TCPAOKey {
		k := good
		f(&k)
		return k
	}
	for _, tt := range []struct {
		name string
		key  socket.TCPAOKey
		want error
	}{
		{"no peer", change(func(k *socket.TCPAOKey) { k.Peer = netip.Prefix{} }), syscall.EINVAL},
		{"another family", change(func(k *socket.TCPAOKey) { k.Peer = hostPrefix(bob6) }), syscall.EINVAL},
		{"no algorithm", change(func(k *socket.TCPAOKey) { k.Algorithm = nil }), syscall.EINVAL},
		{"no secret", change(func(k *socket.TCPAOKey) { k.Secret = nil }), syscall.EINVAL},
		{"a long secret", change(func(k *socket.TCPAOKey) { k.Secret = make([]byte, 81) }), syscall.EINVAL},
		{"a code longer than there is", change(func(k *socket.TCPAOKey) { k.MACLen = 21 }), syscall.EINVAL},
		{"a code longer than a SYN has room for", change(func(k *socket.TCPAOKey) { k.MACLen = 17 }), syscall.EMSGSIZE},
		{"good", good, nil},
		{"SendID taken", change(func(k *socket.TCPAOKey) { k.RecvID = 9 }), syscall.EEXIST},
		{"RecvID taken", change(func(k *socket.TCPAOKey) { k.SendID = 9 }), syscall.EEXIST},
		{"taken in a network", change(func(k *socket.TCPAOKey) { k.Peer = netip.MustParsePrefix("10.0.0.0/8") }), syscall.EEXIST},
		{"not for others", change(func(k *socket.TCPAOKey) { k.Peer = netip.MustParsePrefix("10.0.0.3/32") }), nil},
	} {
		s := newSocket(t, alice, socket.INET, socket.STREAM, 0)
		if tt.name != "good" && (tt.want == syscall.EEXIST || tt.want == nil) {
			mustSet(t, s, socket.TCP_AO_ADD_KEY, good)
		}
		if err := socket.Set(s, socket.TCP_AO_ADD_KEY, tt.key); err != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
		}
	}
	s := newSocket(t, alice, socket.INET, socket.STREAM, 0)
	if _, err := socket.Get(s, socket.TCP_AO_INFO); err != syscall.ENOENT {
		t.Errorf("TCP_AO_INFO without keys: %v", err)
	}
	if _, err := socket.Get(s, socket.TCP_AO_GET_KEYS); err != syscall.ENOENT {
		t.Errorf("TCP_AO_GET_KEYS without keys: %v", err)
	}
	if err := socket.Set(s, socket.TCP_AO_DEL_KEY, socket.TCPAODelKey{Peer: good.Peer}); err != syscall.ENOENT {
		t.Errorf("TCP_AO_DEL_KEY without keys: %v", err)
	}
	mustSet(t, s, socket.TCP_AO_INFO, socket.TCPAOInfo{Required: true})
	if err := s.Connect(t.Context(), netip.AddrPortFrom(bob4, 1)); err == nil || errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("connecting without the key that is required: %v", err)
	}
	l := listenerWith(t, alice, alice4, func(socket.Socket) {})
	if err := socket.Set(l, socket.TCP_AO_ADD_KEY, change(func(k *socket.TCPAOKey) { k.Current = true })); err != syscall.EINVAL {
		t.Errorf("a current key of a listener: %v", err)
	}
	mustSet(t, l, socket.TCP_AO_ADD_KEY, good)
	if err := socket.Set(l, socket.TCP_MD5SIG, socket.TCPMD5Sig{Peer: good.Peer, Key: []byte("x"), Algorithm: tcpauth.MD5}); err == nil {
		t.Error("a peer has keys of both kinds")
	}
	c, _ := connected(t, alice, alice, alice4)
	if err := socket.Set(c, socket.TCP_AO_ADD_KEY, good); err != syscall.EINVAL {
		t.Errorf("TCP-AO on a connection that began without: %v", err)
	}
}

// An IPv6 socket shows its keys for IPv4 peers as it was given them.
func TestKeysForMappedPeers(t *testing.T) {
	alice, _ := pair(t)
	s := newSocket(t, alice, socket.INET6, socket.STREAM, 0)
	k := aoKey(netip.AddrFrom16(bob4.As16()), 1, 2)
	mustSet(t, s, socket.TCP_AO_ADD_KEY, k)
	if keys := mustGet(t, s, socket.TCP_AO_GET_KEYS); keys[0].Peer != k.Peer {
		t.Errorf("the peer is %v, was %v", keys[0].Peer, k.Peer)
	}
}

// A listener whose SYN queue is full of others' SYNs still has a place for those whom
// a key vouches for, and never sends them a cookie.
func TestKeyedHandshakesNeedNoCookies(t *testing.T) {
	for _, p := range protections[:2] {
		synctest.Test(t, func(t *testing.T) {
			alice, bob := pairWith(t, berth.Config{TCP: berth.TCPConfig{SYNCookies: berth.SYNCookiesAlways}}, nil)
			c, s := keyedPair(t, alice, bob, bob4,
				func(c socket.Socket) { p.set(t, c, bob4, true, "secret") },
				func(l socket.Socket) { p.set(t, l, alice4, false, "secret") })
			carry(t, c, s, []byte("x"))
			if n := bob.Counters().TCP.SYNCookiesSent.Load(); n != 0 {
				t.Errorf("%d cookies", n)
			}
		})
	}
}

// The end of a connection is signed too: a reset is believed, and TIME-WAIT answers.
func TestEndsAreSigned(t *testing.T) {
	for _, p := range protections[:2] {
		synctest.Test(t, func(t *testing.T) {
			w := &watched{kind: p.kind}
			alice, bob := pairWith(t, berth.Config{}, func(d link.Device) link.Device { w.Device = d; return w })
			keys := []func(socket.Socket){
				func(c socket.Socket) { p.set(t, c, bob4, true, "secret") },
				func(l socket.Socket) { p.set(t, l, alice4, false, "secret") },
			}
			c, s := keyedPair(t, alice, bob, bob4, keys[0], keys[1])
			mustSet(t, c, socket.SO_LINGER, socket.Linger{On: true})
			c.Close()
			if _, err := s.Recv(make([]byte, 1), 0); err != syscall.ECONNRESET {
				t.Errorf("after a reset: %v", err)
			}
			c, s = keyedPair(t, alice, bob, bob4, keys[0], keys[1])
			c.Close()
			if _, err := s.Recv(make([]byte, 1), 0); err != nil {
				t.Errorf("after the end: %v", err)
			}
			s.Close()
			time.Sleep(time.Second)
			if n := w.unsigned.Load(); n != 0 {
				t.Errorf("%d of %d segments are not signed", n, w.segments.Load())
			}
		})
	}
}

// A key for a connection under way: from then on each segment is signed, and none is
// large any more.
func TestKeysOnAConnectionUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &watched{kind: header.TCPAuthMD5}
		alice, bob := pairWith(t, berth.Config{}, func(d link.Device) link.Device { w.Device = d; return w })
		c, s := connected(t, alice, bob, bob4)
		data := make([]byte, 200_000)
		carry(t, c, s, data)
		if w.large.Load() == 0 {
			t.Error("no segment was large before there was a key")
		}
		time.Sleep(time.Second)
		before := mustGet(t, c, socket.TCP_INFO).SndMSS
		protections[0].set(t, c, bob4, true, "secret")
		protections[0].set(t, s, alice4, false, "secret")
		if after := mustGet(t, c, socket.TCP_INFO).SndMSS; after != before-20 {
			t.Errorf("segments of %d bytes, before %d", after, before)
		}
		w.unsigned.Store(0)
		w.large.Store(0)
		carry(t, c, s, data)
		if unsigned, large := w.unsigned.Load(), w.large.Load(); unsigned != 0 || large != 0 {
			t.Errorf("%d segments are not signed, %d are large", unsigned, large)
		}
	})
}

// A host that has lost a connection, and has a listener with the key: with a signature
// it can say so, in a reset that is signed. With TCP-AO it cannot tell who asks, nor
// sign an answer, for the numbers are gone with the connection.
func TestLostConnections(t *testing.T) {
	for _, p := range protections[:2] {
		synctest.Test(t, func(t *testing.T) {
			var cut *cutter
			alice, bob := pairWith(t, berth.Config{}, func(d link.Device) link.Device { cut = &cutter{Device: d}; return cut })
			l := listenerWith(t, bob, bob4, func(l socket.Socket) { p.set(t, l, alice4, false, "secret") })
			c := newSocket(t, alice, socket.INET, socket.STREAM, 0)
			p.set(t, c, bob4, true, "secret")
			if err := c.Connect(t.Context(), l.LocalAddr()); err != nil {
				t.Fatal(err)
			}
			s, _, err := l.Accept(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			cut.in.Store(true)
			mustSet(t, s, socket.SO_LINGER, socket.Linger{On: true})
			s.Close()
			cut.in.Store(false)
			c.Send([]byte("are you there?"), 0)
			c.SetReadDeadline(time.Now().Add(10 * time.Second))
			_, err = c.Recv(make([]byte, 1), 0)
			if p.kind == header.TCPAuthMD5 && err != syscall.ECONNRESET {
				t.Errorf("%s: %v", p.name, err)
			}
			if p.kind == header.TCPAuthAO && (!errors.Is(err, os.ErrDeadlineExceeded) || machineCounter(bob, "AOKeyNotFound") == 0) {
				t.Errorf("%s: %v, %d segments dropped", p.name, err, machineCounter(bob, "AOKeyNotFound"))
			}
		})
	}
}

// cutter is a device that takes in nothing while in is set.
type cutter struct {
	link.Device
	in atomic.Bool
}

func (d *cutter) Attach(h link.Handler) error { return d.Device.Attach(deaf{h, d}) }

type deaf struct {
	link.Handler
	d *cutter
}

func (h deaf) Input(frames []link.Frame) {
	if !h.d.in.Load() {
		h.Handler.Input(frames)
	}
}

// A SYN that is good for its key ends a TIME-WAIT, and begins a connection with keys of
// its own.
func TestKeysAfterTimeWait(t *testing.T) {
	for _, p := range protections[:2] {
		synctest.Test(t, func(t *testing.T) {
			alice, bob := pair(t)
			l := listenerWith(t, bob, bob4, func(l socket.Socket) { p.set(t, l, alice4, false, "secret") })
			for range 2 {
				c := newSocket(t, alice, socket.INET, socket.STREAM, 0)
				p.set(t, c, bob4, true, "secret")
				mustSet(t, c, socket.SO_REUSEADDR, 1)
				if err := c.Bind(netip.AddrPortFrom(alice4, 4000)); err != nil {
					t.Fatal(err)
				}
				if err := c.Connect(t.Context(), l.LocalAddr()); err != nil {
					t.Fatalf("%s: %v", p.name, err)
				}
				s, _, err := l.Accept(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				carry(t, c, s, []byte("hello"))
				s.Close()
				if _, err := c.Recv(make([]byte, 1), 0); err != nil {
					t.Fatal(err)
				}
				c.Close()
				time.Sleep(2 * time.Second)
			}
			if n := machineCounter(bob, "TimeWaitReused"); n != 1 {
				t.Errorf("%s: TIME-WAIT ended %d times", p.name, n)
			}
		})
	}
}
