package main

import (
	"bytes"
	_ "embed"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"testing"

	"example.com/berth/internal/testnet"
	"golang.org/x/net/dns/dnsmessage"
	"golang.org/x/sys/unix"
)

//go:embed testdata/run/escape.py
var escapes string

// The world of the escape tests. The program's machine is one namespace; all else
// is another.
const (
	good4, good6 = "203.0.113.7", "2001:db8::7"
	bad4, bad6   = "203.0.113.66", "2001:db8::66"
	nameServer   = "203.0.113.53"
	ownAddr      = "10.99.0.1"
)

// world is the outside: everything that the machine sends is seen.
type world struct {
	t    *testing.T
	here *testnet.NS
	fd   int // a packet socket on all interfaces of here
}

func newWorld(t *testing.T) *world {
	t.Helper()
	testnet.NeedRoot(t)
	w := &world{t: t, here: testnet.New(t)}
	w.here.Sysctl("net.ipv4.ping_group_range", "0 2147483647")
	there := testnet.New(t)
	w.here.Veth("out", there, "in")
	w.here.Addr("out", ownAddr+"/30")
	w.here.Addr("out", "fd99::1/64")
	there.Addr("in", "10.99.0.2/30")
	there.Addr("in", "fd99::2/64")
	for _, a := range []string{good4 + "/32", bad4 + "/32", nameServer + "/32", good6 + "/128", bad6 + "/128"} {
		there.Addr("lo", a)
	}
	for _, args := range [][]string{{"-4", "route", "add", "default", "via", "10.99.0.2"}, {"-6", "route", "add", "default", "via", "fd99::2"}} {
		if out, err := w.here.Command(t.Context(), "ip", args...).CombinedOutput(); err != nil {
			t.Fatal(err, out)
		}
	}
	for _, at := range []string{"[::]:80", "[::]:443", "[::]:8443"} {
		w.serve(there, at)
	}
	w.serve(w.here, "127.0.0.1:3128")
	w.names(there)
	w.here.Do(func() {
		var err error
		if w.fd, err = unix.Socket(unix.AF_PACKET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, int(networkOrder(unix.ETH_P_ALL))); err == nil {
			err = unix.SetsockoptInt(w.fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, 32<<20)
		}
		if err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(func() { unix.Close(w.fd) })
	return w
}

func networkOrder(v uint16) uint16 {
	return binary.NativeEndian.Uint16(binary.BigEndian.AppendUint16(nil, v))
}

// serve takes connections, and what they bring.
func (w *world) serve(ns *testnet.NS, at string) {
	var ln net.Listener
	var err error
	ns.Do(func() { ln, err = net.Listen("tcp", at) })
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { ln.Close() })
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				for b := make([]byte, 4096); ; {
					if _, err := c.Read(b); err != nil {
						return
					}
					_, _ = io.WriteString(c, "got it")
				}
			}()
		}
	}()
}

// names is the name server of the world.
func (w *world) names(ns *testnet.NS) {
	var pc net.PacketConn
	var err error
	ns.Do(func() { pc, err = net.ListenPacket("udp", nameServer+":53") })
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { pc.Close() })
	go func() {
		b := make([]byte, 4096)
		for {
			n, from, err := pc.ReadFrom(b)
			if err != nil {
				return
			}
			_, _ = pc.WriteTo(named(b[:n]), from)
		}
	}()
}

// named answers a question.
func named(question []byte) []byte {
	var m dnsmessage.Message
	if m.Unpack(question) != nil || len(m.Questions) != 1 {
		return nil
	}
	q := m.Questions[0]
	m.Response, m.Additionals = true, nil
	answer := func(body dnsmessage.ResourceBody) {
		m.Answers = append(m.Answers, dnsmessage.Resource{
			Header: dnsmessage.ResourceHeader{Name: q.Name, Class: q.Class, TTL: 60}, Body: body,
		})
	}
	switch name := q.Name.String(); {
	case strings.EqualFold(name, "good.example.") && q.Type == dnsmessage.TypeA:
		answer(&dnsmessage.AResource{A: netip.MustParseAddr(good4).As4()})
	case strings.EqualFold(name, "good.example.") && q.Type == dnsmessage.TypeAAAA:
		answer(&dnsmessage.AAAAResource{AAAA: netip.MustParseAddr(good6).As16()})
	case strings.EqualFold(name, "rebind.example.") && q.Type == dnsmessage.TypeA:
		answer(&dnsmessage.AResource{A: netip.MustParseAddr(ownAddr).As4()})
	}
	b, _ := m.Pack()
	return b
}

// seen are the packets that the machine has sent or got since it was asked last.
func (w *world) seen() (packets [][]byte) {
	for {
		b := make([]byte, 1<<16)
		n, _, err := unix.Recvfrom(w.fd, b, 0)
		if err != nil {
			return packets
		}
		packets = append(packets, b[:n])
	}
}

var smuggled = regexp.MustCompile(`(?i)SMUGGLED-[a-z0-9-]+`)

// escaped names the attempts whose packets the world has seen, and describes those
// packets to where nobody may go that have no name in them.
func (w *world) escaped() (names []string) {
	for _, p := range w.seen() {
		name := strings.ToLower(string(smuggled.Find(p)))
		for _, a := range []string{bad4, bad6} {
			if name == "" && bytes.Contains(p, netip.MustParseAddr(a).AsSlice()) {
				name = fmt.Sprintf("%x", p)
			}
		}
		if name = strings.TrimPrefix(name, "smuggled-"); name != "" && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// attack makes the attempts inside, by who is root there.
func (w *world) attack(t *testing.T, u user, attempts string, flags ...string) (stderr string) {
	t.Helper()
	args := append([]string{"run", "--root"}, flags...)
	if !slices.Contains(flags, "--net") { // on other networks nobody is asked
		args = append(args, "--dns", nameServer)
	}
	args = append(args, "--", "/usr/bin/python3", "-c", escapes)
	cmd := w.here.Command(t.Context(), "/proc/self/exe", append(args, strings.Fields(attempts)...)...)
	cmd.Env, cmd.Dir = append(u.command(t.Context()).Env, "PATH=/usr/bin:/bin:/usr/sbin:/sbin"), "/"
	cmd.SysProcAttr.Credential = u.credential
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		t.Errorf("%v: %s%s", err, out.String(), errs.String())
	}
	t.Logf("inside:\n%s", out.String())
	return errs.String()
}

// TestRunEscapes: what the rules do not allow, the outside does not see, whatever
// the program tries. That the same attempts are seen where they are allowed shows
// that the outside looks.
func TestRunEscapes(t *testing.T) {
	testnet.NeedTool(t, "/usr/bin/python3")
	const plain = "tcp4 tcp6 tcp-mapped udp4 udp6 udp-mapped ping4 ping6 raw-udp raw-udp6 fragments fragments-late-first sni-other host-other dns-below " +
		"http-later http-pipelined http-both-lengths connect-later h2c-later tls-second-hello"
	byName := []string{"--allow", "good.example:80,443", "--allow", "rebind.example"}
	asEach(t, func(t *testing.T, u user) {
		w := newWorld(t)
		w.seen()
		// Nobody tells when a packet without an answer has got out, so they are tried
		// until all have.
		missing := strings.Fields(plain)
		for range 20 {
			w.attack(t, u, strings.Join(missing, " "))
			got := w.escaped()
			missing = slices.DeleteFunc(missing, func(name string) bool { return slices.Contains(got, name) })
			if len(missing) == 0 {
				break
			}
		}
		if len(missing) > 0 {
			t.Errorf("without rules the world does not see %v", missing)
		}
		w.seen()
		for _, tt := range []struct {
			name, attempts string
			flags          []string
		}{
			{"by name", "", byName},
			{"a proxy is the only way", "proxy proxy-get", append([]string{"--loopback", "--allow", "host.berth.internal:3128"}, byName...)},
			{"host-only", "", []string{"--net", "host-only"}},
			{"none", "tcp4 tcp6 tcp-mapped udp4 udp6 ping4 ping6 metadata dns-other dns-real", []string{"--net", "none"}},
			{"what is guarded, without rules", "loopback loopback-other loopback-source unspecified loopback6 unspecified6 mapped-on-wire compatible nat64 6to4 " +
				"metadata link-local broadcast multicast multicast6 own-network neighbor rebinding", nil},
			{"what is guarded, with a rule for all", "loopback loopback-other unspecified loopback6 unspecified6 mapped-on-wire compatible nat64 6to4 " +
				"metadata link-local broadcast multicast multicast6 own-network neighbor rebinding", []string{"--allow", "*"}},
			{"other protocols, with a rule for all", "sctp-good sctp6-good dccp-good gre-good ipip-good 6in4-good esp-good no-next-header " +
				"echo-reply icmp-timestamp icmp-error loose-route strict-route loose-route-bad routing-header-0 fragment-alone fragments-overlap", []string{"--allow", "*"}},
		} {
			t.Run(tt.name, func(t *testing.T) {
				stderr := w.attack(t, u, tt.attempts, tt.flags...)
				if got := w.escaped(); len(got) > 0 {
					t.Errorf("the world sees %v; berth said\n%s", got, stderr)
				}
			})
		}
	})
}
