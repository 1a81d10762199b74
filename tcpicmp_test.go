package berth_test

import (
	"errors"
	"net/netip"
	"syscall"
	"testing"
	"time"

	"example.com/berth"
	"example.com/berth/internal/header"
	"example.com/berth/socket"
)

// softErrors are the ICMP messages that may well pass (RFC 9293 3.9.2.2).
func softErrors(remote netip.Addr) map[string]header.ICMP {
	if remote.Is6() {
		return map[string]header.ICMP{
			"no route":            {Type: header.ICMPv6Unreachable, Code: 0},
			"address unreachable": {Type: header.ICMPv6Unreachable, Code: 3},
			"hop limit":           {Type: header.ICMPv6TimeExceeded, Code: 0},
			"reassembly":          {Type: header.ICMPv6TimeExceeded, Code: 1},
			"parameter problem":   {Type: header.ICMPv6ParameterProblem, Code: 0},
		}
	}
	return map[string]header.ICMP{
		"network unreachable": {Type: header.ICMPv4Unreachable, Code: 0},
		"host unreachable":    {Type: header.ICMPv4Unreachable, Code: 1},
		"source route failed": {Type: header.ICMPv4Unreachable, Code: 5},
		"TTL":                 {Type: header.ICMPv4TimeExceeded, Code: 0},
		"reassembly":          {Type: header.ICMPv4TimeExceeded, Code: 1},
		"parameter problem":   {Type: header.ICMPv4ParameterProblem, Code: 0},
	}
}

// MUST-56, HOST-51: a soft error about a segment of a connection does not end it. MUST-54,
// MUST-47, SHLD-25: it goes to the connection that sent the segment, which tells
// it who asks, or when it has to give up.
func TestSoftErrorsAreToldWhenAConnectionGivesUp(t *testing.T) {
	both(t, func(t *testing.T, remote netip.Addr) {
		for name, m := range softErrors(remote) {
			asks := name == "reassembly"
			h, st := stationed(t, berth.Config{})
			p := playedServer(t, h, st, remote)
			set(t, p.sock, socket.TCP_USER_TIMEOUT, 30_000)
			send(t, p.sock, "hello")
			st.icmpMessage(remote, localOf(remote), m, st.one("the segment", isTCP).frame)
			wantState(t, p.sock, socket.TCP_ESTABLISHED)
			if asks {
				for _, want := range []int{int(syscall.EHOSTUNREACH), 0} { // once
					if v, err := socket.Get(p.sock, socket.SO_ERROR); v != want || err != nil {
						t.Errorf("%s: SO_ERROR is %d, %v at once", name, v, err)
					}
				}
			}
			time.Sleep(20 * time.Second)
			wantState(t, p.sock, socket.TCP_ESTABLISHED)
			time.Sleep(20 * time.Second)
			wantState(t, p.sock, socket.TCP_CLOSE)
			if _, err := p.sock.Recv(make([]byte, 1), 0); err == nil || errors.Is(err, syscall.ETIMEDOUT) != asks {
				t.Errorf("%s: the reason is %v", name, err)
			}
		}
	})
}

// MUST-56, SHLD-25: with KeepConnecting a soft error about a SYN does not end the
// attempt. What it said is told when the attempt is given up, or at once where the
// program asked for errors.
func TestSoftErrorsEndNoHandshakeOfAPatientHost(t *testing.T) {
	both(t, func(t *testing.T, remote netip.Addr) {
		for name, m := range softErrors(remote) {
			for _, tt := range []struct {
				cfg     berth.TCPConfig
				recvErr bool
				syns    int
			}{
				{berth.TCPConfig{KeepConnecting: true}, false, 8},
				{berth.TCPConfig{KeepConnecting: true}, true, 1},
				{berth.TCPConfig{}, false, 1},
			} {
				h, st := stationed(t, berth.Config{TCP: tt.cfg})
				syns := 0
				st.onPacket(func(p *packet) {
					if p.isTCP(header.SYN) {
						syns++
						st.icmpMessage(remote, localOf(remote), m, p.frame)
					}
				})
				c := newSocket(t, h, domainOf(remote), socket.STREAM, 0)
				if tt.recvErr {
					o := socket.IP_RECVERR
					if remote.Is6() {
						o = socket.IPV6_RECVERR
					}
					set(t, c, o, 1)
				}
				err := c.Connect(t.Context(), netip.AddrPortFrom(remote, 80))
				if err == nil || errors.Is(err, syscall.ETIMEDOUT) || syns != tt.syns {
					t.Errorf("%s, %+v: %v after %d SYNs", name, tt, err, syns)
				}
			}
		}
	})
}

// SHLD-26, HOST-50: a hard error ends a handshake. One that is established goes on, for
// anybody can send such a message (RFC 5927 section 5.2).
//
// DEF-38.
func TestHardErrorsEndAHandshake(t *testing.T) {
	for code, want := range map[uint8]error{2: syscall.ENOPROTOOPT, 3: syscall.ECONNREFUSED} {
		h, st := stationed(t, berth.Config{})
		st.onPacket(func(p *packet) {
			if p.isTCP(header.SYN) {
				st.icmpMessage(bob4, alice4, header.ICMP{Type: header.ICMPv4Unreachable, Code: code}, p.frame)
			}
		})
		c := newSocket(t, h, socket.INET, socket.STREAM, 0)
		if err := c.Connect(t.Context(), netip.AddrPortFrom(bob4, 80)); !errors.Is(err, want) {
			t.Errorf("code %d: %v, want %v", code, err, want)
		}
	}
}

// MUST-55: a Source Quench ends no handshake.
//
// DEF-40.
func TestSourceQuenchEndsNoHandshake(t *testing.T) {
	h, st := stationed(t, berth.Config{})
	st.onPacket(func(p *packet) {
		if p.isTCP(header.SYN) {
			st.icmpMessage(bob4, alice4, header.ICMP{Type: header.ICMPv4SourceQuench}, p.frame)
		}
	})
	c := newSocket(t, h, socket.INET, socket.STREAM, 0)
	if err := c.SetNonblock(true); err != nil {
		t.Fatal(err)
	}
	c.Connect(t.Context(), netip.AddrPortFrom(bob4, 80))
	wantState(t, c, socket.TCP_SYN_SENT)
}

// MUST-55: a Source Quench changes nothing, and is not answered.
//
// DEF-40.
func TestSourceQuenchIsIgnored(t *testing.T) {
	h, st := stationed(t, berth.Config{})
	p := playedServer(t, h, st, bob4)
	before, err := socket.Get(p.sock, socket.TCP_INFO)
	if err != nil {
		t.Fatal(err)
	}
	send(t, p.sock, "hello")
	segment := st.one("the segment", isTCP).frame
	for range 100 {
		st.icmpMessage(bob4, alice4, header.ICMP{Type: header.ICMPv4SourceQuench}, segment)
	}
	st.none("it is answered", nil)
	after, err := socket.Get(p.sock, socket.TCP_INFO)
	if err != nil || after.SndCwnd != before.SndCwnd || after.SndSSThresh != before.SndSSThresh || after.RTO != before.RTO {
		t.Errorf("before %+v, after %+v, %v", before, after, err)
	}
	if v, err := socket.Get(p.sock, socket.SO_ERROR); v != 0 || err != nil {
		t.Errorf("SO_ERROR is %d, %v", v, err)
	}
}
