package port

import (
	"fmt"
	"net/netip"
	"os"
	"strings"
	"testing"
)

const golden = "testdata/conflicts.txt"

// matrix tells, for every way in which a first socket can own a port and a
// second one ask for it, what the second one gets. A line has the owner's state
// and address, the newcomer's address, devices and users, and 16 results: the
// owner with no option, SO_REUSEADDR, SO_REUSEPORT, both; each with the
// newcomer's same four.
//
//	x  Bind gives EADDRINUSE
//	l  Bind succeeds, Listen gives EADDRINUSE
//	.  both succeed
func matrix(w world) string {
	var out strings.Builder
	m := &matrixWriter{w: w, out: &out, port: 10000}
	for _, protocol := range []Protocol{TCP, UDP} {
		states := []string{"bound", "listening", "connected", "chosen", "accepted", "timewait"}
		if protocol == UDP {
			states = []string{"bound", "connected", "chosen"}
		}
		for _, state := range states {
			for _, owner := range matrixAddrs {
				for _, newcomer := range matrixAddrs {
					if newcomer != "::/4" {
						m.line(protocol, state, owner, newcomer, [2]int32{}, [2]int32{})
					}
				}
			}
			for _, a := range [][2]string{{"127.0.0.1", "127.0.0.1"}, {"0.0.0.0", "0.0.0.0"}, {"::", "0.0.0.0"}} {
				m.line(protocol, state, a[0], a[1], [2]int32{}, [2]int32{0, 1})
				for _, devices := range [][2]int32{{0, 1}, {1, 0}, {1, 1}, {1, 2}} {
					m.line(protocol, state, a[0], a[1], devices, [2]int32{})
				}
			}
		}
	}
	return out.String()
}

// matrixAddrs are local addresses. ":: only" is with IPV6_V6ONLY, and "::/4"
// is :: with IPv4 peers.
var matrixAddrs = []string{
	"0.0.0.0", "127.0.0.1", "127.0.0.2", "127.0.0.6", "::", ":: only", "::/4", "::1", "::ffff:127.0.0.1", "::ffff:0.0.0.0",
}

type matrixWriter struct {
	w    world
	out  *strings.Builder
	port uint16
}

var reuse = [4][2]bool{{false, false}, {true, false}, {false, true}, {true, true}}

func (m *matrixWriter) line(protocol Protocol, state, owner, newcomer string, device, uid [2]int32) {
	name := map[Protocol]string{TCP: "tcp", UDP: "udp"}[protocol]
	fmt.Fprintf(m.out, "%s %-9s %-16s | %-16s dev %d %d uid %d %d:", name, state, owner, newcomer,
		device[0], device[1], uid[0], uid[1])
	for _, a := range reuse {
		m.out.WriteByte(' ')
		k := kindFor(protocol, owner, a, device[0], uid[0])
		s := m.own(k, state, owner)
		at := s.local().Port()
		for _, b := range reuse {
			k := kindFor(protocol, newcomer, b, device[1], uid[1])
			m.out.WriteByte(m.ask(k, newcomer, at))
		}
		s.close()
	}
	m.out.WriteByte('\n')
}

func kindFor(protocol Protocol, addr string, reuse [2]bool, device, uid int32) kind {
	return kind{
		protocol: protocol, v6: strings.Contains(addr, ":"), v6Only: addr == ":: only",
		reuseAddr: reuse[0], reusePort: reuse[1], device: device, uid: uid,
	}
}

func addrFor(addr string) netip.Addr {
	addr, _, _ = strings.Cut(addr, " ")
	addr, _, _ = strings.Cut(addr, "/")
	return netip.MustParseAddr(addr)
}

// peer is where an owner with a local address connects to.
func (m *matrixWriter) peer(addr string) netip.AddrPort {
	a := addrFor(addr)
	server := m.w.server(!a.Unmap().Is4() && addr != "::/4")
	if a.Is6() && server.Addr().Is4() {
		return netip.AddrPortFrom(netip.AddrFrom16(server.Addr().As16()), server.Port())
	}
	return server
}

// own makes the owner of a port.
func (m *matrixWriter) own(k kind, state, addr string) sock {
	if state == "chosen" {
		k.noPort = true
	}
	s := m.w.socket(k)
	at := netip.AddrPortFrom(addrFor(addr), 0)
	if !k.noPort {
		m.port++
		at = netip.AddrPortFrom(at.Addr(), m.port)
	}
	check(s.bind(at))
	switch state {
	case "listening":
		check(s.listen())
	case "connected", "chosen":
		check(s.connect(m.peer(addr)))
	case "timewait":
		check(s.connect(m.peer(addr)))
		s.wait()
	case "accepted":
		check(s.listen())
		to := at.Addr()
		if to.Unmap().IsUnspecified() {
			to = m.peer(addr).Addr()
		}
		c := s.accepted(to)
		s.close()
		return c
	}
	return s
}

func (m *matrixWriter) ask(k kind, addr string, port uint16) byte {
	s := m.w.socket(k)
	defer s.close()
	if s.bind(netip.AddrPortFrom(addrFor(addr), port)) != nil {
		return 'x'
	}
	if k.protocol == TCP && s.listen() != nil {
		return 'l'
	}
	return '.'
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}

func TestConflictsAreLinuxs(t *testing.T) {
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	compare(t, matrix(newTableWorld()), string(want))
}

func compare(t *testing.T, got, want string) {
	t.Helper()
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	if len(g) != len(w) {
		t.Fatalf("%d lines, want %d", len(g), len(w))
	}
	wrong := 0
	for i := range g {
		if g[i] != w[i] {
			if wrong++; wrong <= 20 {
				t.Errorf("line %d\n got %s\nwant %s", i+1, g[i], w[i])
			}
		}
	}
	if wrong > 20 {
		t.Errorf("and %d more lines", wrong-20)
	}
}
