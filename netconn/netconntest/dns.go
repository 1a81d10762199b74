package netconntest

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"example.com/berth/netconn"
	"golang.org/x/net/dns/dnsmessage"
)

// zone is what a name server answers, by name and type: addresses, the target
// of an alias ("=target."), or a word.
type zone map[string]string

// nameServer answers over UDP and TCP on one port, and counts the questions.
type nameServer struct {
	zone  zone
	addr  netip.AddrPort
	mu    sync.Mutex
	asked []string // "udp a.test. TypeA"
	first sync.Once
	begun chan struct{} // closed when the first question has come
}

func (h *host) nameServer(t *testing.T, z zone) *nameServer {
	t.Helper()
	s := &nameServer{zone: z, begun: make(chan struct{})}
	packets, streams := h.listenBoth(t)
	s.addr = packets.LocalAddr().(*net.UDPAddr).AddrPort()
	go s.servePackets(packets)
	go s.serveStreams(streams)
	return s
}

// listenBoth listens for datagrams and streams on one port. The port is chosen
// for the datagrams; where a stream has it already, another is.
func (h *host) listenBoth(t *testing.T) (net.PacketConn, net.Listener) {
	t.Helper()
	for {
		packets, err := netconn.ListenPacket(h.Server, "udp", h.any())
		check(t, err)
		t.Cleanup(func() { packets.Close() })
		streams, err := netconn.Listen(h.Server, "tcp", packets.LocalAddr().String())
		if errors.Is(err, syscall.EADDRINUSE) {
			continue
		}
		check(t, err)
		t.Cleanup(func() { streams.Close() })
		return packets, streams
	}
}

func (s *nameServer) questions() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.asked)
}

func (s *nameServer) servePackets(c net.PacketConn) {
	b := make([]byte, 1500)
	for {
		n, from, err := c.ReadFrom(b)
		if err != nil {
			return
		}
		for _, answer := range s.answer("udp", b[:n]) {
			_, _ = c.WriteTo(answer, from)
		}
	}
}

func (s *nameServer) serveStreams(l net.Listener) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		var length [2]byte
		_, _ = io.ReadFull(c, length[:])
		b := make([]byte, binary.BigEndian.Uint16(length[:]))
		_, _ = io.ReadFull(c, b)
		for _, answer := range s.answer("tcp", b) {
			_, _ = c.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(answer))), answer...))
		}
		c.Close()
	}
}

// answer returns the messages to send for a question.
func (s *nameServer) answer(network string, b []byte) [][]byte {
	var m dnsmessage.Message
	if m.Unpack(b) != nil || len(m.Questions) != 1 {
		return nil
	}
	q := m.Questions[0]
	s.mu.Lock()
	s.asked = append(s.asked, network+" "+q.Name.String()+" "+q.Type.String())
	s.mu.Unlock()
	s.first.Do(func() { close(s.begun) })
	m = dnsmessage.Message{Questions: m.Questions, Header: dnsmessage.Header{
		ID: m.ID, Response: true, RecursionDesired: true, RecursionAvailable: true,
	}}
	record, known := s.zone[strings.ToLower(q.Name.String())]
	if !known {
		m.RCode = dnsmessage.RCodeNameError
	}
	var before [][]byte
	for f := range strings.FieldsSeq(record) {
		switch f {
		case "silent":
			return nil
		case "failing":
			m.RCode = dnsmessage.RCodeServerFailure
		case "truncated":
			m.Truncated = network == "udp"
		case "lame":
			m.RecursionAvailable = false
		case "garbled":
			return [][]byte{b[:5]}
		case "forged": // three answers that are none of this question's
			forged := m
			forged.ID++
			forged.Answers = []dnsmessage.Resource{record4(q.Name, "6.6.6.6")}
			other := m
			other.Questions = []dnsmessage.Question{q}
			other.Questions[0].Name = dnsmessage.MustNewName("other.test.")
			question := m
			question.Response = false
			for _, f := range []dnsmessage.Message{forged, other, question} {
				packed, _ := f.Pack()
				before = append(before, packed)
			}
		default:
			m.Answers = append(m.Answers, s.records(q, f)...)
		}
	}
	if m.Truncated {
		m.Answers = nil
	}
	packed, err := m.Pack()
	if err != nil {
		return nil
	}
	return append(before, packed)
}

// records are those for one word of a zone, and for an alias of its target too.
func (s *nameServer) records(q dnsmessage.Question, word string) []dnsmessage.Resource {
	if target, alias := strings.CutPrefix(word, "="); alias {
		list := []dnsmessage.Resource{{
			Header: dnsmessage.ResourceHeader{Name: q.Name, Class: dnsmessage.ClassINET},
			Body:   &dnsmessage.CNAMEResource{CNAME: dnsmessage.MustNewName(target)},
		}}
		next, known := s.zone[target]
		if !known || strings.HasPrefix(next, "apart") || strings.HasPrefix(next, "=") {
			return list
		}
		q.Name = dnsmessage.MustNewName(target)
		for f := range strings.FieldsSeq(next) {
			list = append(s.records(q, f), list...) // out of order
		}
		return list
	}
	a, err := netip.ParseAddr(word)
	switch {
	case err != nil:
		return nil
	case q.Type == dnsmessage.TypeA && a.Is4():
		return []dnsmessage.Resource{record4(q.Name, word)}
	case q.Type == dnsmessage.TypeAAAA && a.Is6():
		return []dnsmessage.Resource{{
			Header: dnsmessage.ResourceHeader{Name: q.Name, Class: dnsmessage.ClassINET},
			Body:   &dnsmessage.AAAAResource{AAAA: a.As16()},
		}}
	}
	return nil
}

func record4(name dnsmessage.Name, a string) dnsmessage.Resource {
	return dnsmessage.Resource{
		Header: dnsmessage.ResourceHeader{Name: name, Class: dnsmessage.ClassINET},
		Body:   &dnsmessage.AResource{A: netip.MustParseAddr(a).As4()},
	}
}

var testZone = zone{
	"a.test.":               "10.0.0.1 10.0.0.2 2001:db8::1",
	"four.test.":            "10.0.0.4",
	"www.a.test.":           "10.0.0.5",
	"alias.test.":           "=a.test.",
	"far.test.":             "=apart.test.",
	"apart.test.":           "apart 10.0.0.6",
	"long.test.":            "truncated 10.0.0.7",
	"forged.test.":          "forged 10.0.0.8",
	"loop.test.":            "=loop2.test.",
	"loop2.test.":           "=loop.test.",
	"failing.test.":         "failing",
	"lame.test.":            "lame",
	"garbled.test.":         "garbled",
	"silent.test.":          "silent",
	"empty.test.":           "",
	"host.search.test.":     "10.0.0.9",
	"two.dots.search.test.": "10.0.0.10",
}

func testDNS(t *testing.T, h *host) {
	s := h.nameServer(t, testZone)
	t.Run("answers", func(t *testing.T) { testAnswers(t, h, s) })
	t.Run("errors", func(t *testing.T) { testDNSErrors(t, h, s) })
	t.Run("the next server if one fails", func(t *testing.T) {
		bad := h.nameServer(t, zone{"a.test.": "failing", "four.test.": "10.6.6.6"})
		r := netconn.DNS{Provider: h.Client, Servers: []netip.AddrPort{bad.addr, s.addr}}
		got, err := r.LookupNetIP(context.Background(), "ip4", "a.test")
		if err != nil || len(got) != 2 {
			t.Errorf("%v, %v", got, err)
		}
	})
	t.Run("the search list", func(t *testing.T) {
		s := h.nameServer(t, testZone)
		r := netconn.DNS{Provider: h.Client, Servers: []netip.AddrPort{s.addr}, Search: []string{"other.test", "search.test."}}
		for name, want := range map[string]string{"host": "10.0.0.9", "two.dots": "10.0.0.10"} {
			got, err := r.LookupNetIP(context.Background(), "ip4", name)
			if err != nil || got[0].String() != want {
				t.Errorf("%s: %v, %v", name, got, err)
			}
		}
		asked := s.questions()
		for _, q := range []string{"udp host.other.test. TypeA", "udp host.search.test. TypeA", "udp two.dots. TypeA"} {
			if !slices.Contains(asked, q) {
				t.Errorf("%s was not asked: %v", q, asked)
			}
		}
		if slices.Contains(asked, "udp host. TypeA") {
			t.Errorf("host was asked for as it is, before the search list: %v", asked)
		}
	})
	t.Run("a context that ends", func(t *testing.T) {
		ctx, cancel := context.WithCancel(context.Background())
		ended := make(chan error, 1)
		s := h.nameServer(t, testZone)
		r := netconn.DNS{Provider: h.Client, Servers: []netip.AddrPort{s.addr}, Timeout: time.Hour}
		go func() {
			_, err := r.LookupNetIP(ctx, "ip4", "silent.test")
			ended <- err
		}()
		<-s.begun
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("%v", err)
		}
	})
}

func testAnswers(t *testing.T, h *host, s *nameServer) {
	r := netconn.DNS{
		Provider: h.Client, Servers: []netip.AddrPort{s.addr},
		Hosts: map[string][]netip.Addr{"known": {h.addr}},
	}
	for _, tt := range []struct{ why, network, name, want string }{
		{"both families", "ip", "a.test", "10.0.0.1 10.0.0.2 2001:db8::1"},
		{"one family", "ip4", "a.test", "10.0.0.1 10.0.0.2"},
		{"the other family", "ip6", "a.test", "2001:db8::1"},
		{"a final dot", "ip6", "a.test.", "2001:db8::1"},
		{"upper case", "ip6", "A.Test", "2001:db8::1"},
		{"only one family has addresses", "ip", "four.test", "10.0.0.4"},
		{"an alias", "ip4", "alias.test", "10.0.0.1 10.0.0.2"},
		{"an alias that is asked for anew", "ip4", "far.test", "10.0.0.6"},
		{"an answer too long for UDP", "ip4", "long.test", "10.0.0.7"},
		{"forged answers before the real one", "ip4", "forged.test", "10.0.0.8"},
		{"hosts", "ip", "known", h.addr.String()},
		{"hosts, written otherwise", "ip", "Known.", h.addr.String()},
		{"localhost", "ip", "localhost", "127.0.0.1 ::1"},
		{"under localhost", "ip6", "app.localhost", "::1"},
		{"an address", "ip", "10.1.2.3", "10.1.2.3"},
	} {
		addrs, err := r.LookupNetIP(context.Background(), tt.network, tt.name)
		var got []string
		for _, a := range addrs {
			got = append(got, a.String())
		}
		slices.Sort(got)
		if err != nil || strings.Join(got, " ") != tt.want {
			t.Errorf("%s: %v, %v; want %s", tt.why, got, err, tt.want)
		}
	}
	if !slices.Contains(s.questions(), "tcp long.test. TypeA") {
		t.Error("TCP was not used for the long answer")
	}
}

func testDNSErrors(t *testing.T, h *host, s *nameServer) {
	closed := h.listen(t)
	closed.Close()
	nobody := closed.Addr().(*net.TCPAddr).AddrPort()
	for _, tt := range []struct {
		why, network, name           string
		server                       netip.AddrPort
		notFound, timeout, temporary bool
	}{
		{why: "no such name", network: "ip", name: "none.test", server: s.addr, notFound: true},
		{why: "no such type", network: "ip6", name: "four.test", server: s.addr, notFound: true},
		{why: "no records", network: "ip", name: "empty.test", server: s.addr, notFound: true},
		{why: "the server fails", network: "ip", name: "failing.test", server: s.addr, temporary: true},
		{why: "the server does not answer", network: "ip", name: "silent.test", server: s.addr, timeout: true, temporary: true},
		{why: "garbage is no answer", network: "ip", name: "garbled.test", server: s.addr, timeout: true, temporary: true},
		{why: "the server refers to others", network: "ip", name: "lame.test", server: s.addr},
		{why: "aliases in a circle", network: "ip", name: "loop.test", server: s.addr},
		{why: "nobody serves there", network: "ip", name: "a.test", server: nobody},
		{why: "an onion", network: "ip", name: "a.onion", server: s.addr, notFound: true},
		{why: "no name", network: "ip", name: "a b", server: s.addr, notFound: true},
		{why: "an address of the other family", network: "ip4", name: "2001:db8::1", server: s.addr, notFound: true},
		{why: "no server", network: "ip", name: "a.test"},
	} {
		r := netconn.DNS{Provider: h.Client, Timeout: time.Minute, Attempts: 1}
		if tt.server.IsValid() {
			r.Servers = []netip.AddrPort{tt.server}
		}
		if tt.timeout {
			r.Timeout = 20 * time.Millisecond
		}
		addrs, err := r.LookupNetIP(context.Background(), tt.network, tt.name)
		d, ok := errors.AsType[*net.DNSError](err)
		if !ok {
			t.Errorf("%s: %v, %v", tt.why, addrs, err)
			continue
		}
		if d.IsNotFound != tt.notFound || d.IsTimeout != tt.timeout || d.Timeout() != tt.timeout || d.Temporary() != tt.temporary {
			t.Errorf("%s: %+v", tt.why, d)
		}
		if d.Name != tt.name && tt.name != "loop.test" {
			t.Errorf("%s: the name is %q", tt.why, d.Name)
		}
	}
	r := netconn.DNS{Provider: h.Client}
	if _, err := r.LookupNetIP(context.Background(), "tcp", "a.test"); err == nil {
		t.Error("a network that is none was taken")
	}
	d := netconn.Dialer{Provider: h.Client, Resolver: &netconn.DNS{Provider: h.Client, Servers: []netip.AddrPort{s.addr}}}
	_, err := d.Dial("tcp", "none.test:80")
	if d, ok := errors.AsType[*net.DNSError](err); !ok || !d.IsNotFound {
		t.Errorf("dialing a name that is none: %v", err)
	}
}
