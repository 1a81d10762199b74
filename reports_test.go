package berth_test

import (
	"net/netip"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"example.com/berth"
	"example.com/berth/internal/header"
	"example.com/berth/socket"
)

// wantReport waits for a report and compares it.
func wantReport(t *testing.T, h *berth.Host, s socket.Socket, kind uint8, e syscall.Errno, info uint32) {
	t.Helper()
	fds := []socket.PollFD{{Socket: s}}
	if n, err := h.Poll(t.Context(), fds, time.Hour); n != 1 || err != nil || fds[0].Revents != socket.POLLERR {
		t.Fatalf("Poll: %d, %v, %v", n, err, fds[0].Revents)
	}
	var m socket.Message
	if _, err := s.RecvMsg(&m, socket.MSG_ERRQUEUE); err != nil {
		t.Fatal(err)
	}
	want := socket.ExtendedError{Errno: e, Origin: berth.ReportOrigin, Type: kind, Info: info}
	if m.Flags != socket.MSG_ERRQUEUE || m.Control.Present != socket.ControlErr || m.Control.Err != want {
		t.Errorf("got %+v, want %+v", m, want)
	}
}

func wantNoReport(t *testing.T, s socket.Socket) {
	t.Helper()
	var m socket.Message
	if _, err := s.RecvMsg(&m, socket.MSG_ERRQUEUE); err != syscall.EAGAIN {
		t.Errorf("got %+v, %v", m, err)
	}
}

// MUST-32: a program can be told when urgent data is announced, before it comes,
// and whenever its pointer moves on.
func TestUrgentDataIsReported(t *testing.T) {
	both(t, func(t *testing.T, remote netip.Addr) {
		h, st := stationed(t, berth.Config{})
		p := playedServer(t, h, st, remote)
		urgent := func(pointer uint16) {
			p.sendWith(header.TCP{Flags: header.ACK | header.URG, Urgent: pointer}, nil, "")
		}
		urgent(5)
		wantNoReport(t, p.sock) // nobody asked
		set(t, p.sock, berth.TCP_REPORTS, 1)
		wantNoReport(t, p.sock)
		for i, pointer := range []uint16{7, 9} {
			urgent(pointer)
			wantReport(t, h, p.sock, berth.ReportUrgent, 0, uint32(2+i))
			urgent(pointer) // once more
			wantNoReport(t, p.sock)
		}
		urgent(10)
		set(t, p.sock, berth.TCP_REPORTS, 0) // SHLD-20
		wantNoReport(t, p.sock)
	})
}

// SHLD-9: a program can be told when R1 is reached, long before the connection is
// given up.
func TestRetransmissionsAreReported(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		alice, bob, line := distant(t, berth.Config{})
		c, s := connected(t, alice, bob, bob4)
		set(t, c, berth.TCP_REPORTS, 1)
		exchange(t, c, s, 100)
		cut(t, line)
		send(t, c, "hello")
		start := time.Now()
		wantReport(t, alice, c, berth.ReportRetransmissions, syscall.ETIMEDOUT, 3)
		if took := time.Since(start); took > 10*time.Second {
			t.Errorf("it took %v", took)
		}
		wantState(t, c, socket.TCP_ESTABLISHED)
		wantNoReport(t, c)
	})
}

// MUST-47: a program can be told of a soft error at once.
func TestSoftErrorsAreReported(t *testing.T) {
	h, st := stationed(t, berth.Config{})
	p := playedServer(t, h, st, bob4)
	set(t, p.sock, berth.TCP_REPORTS, 1)
	send(t, p.sock, "hello")
	m := header.ICMP{Type: header.ICMPv4Unreachable, Code: 1}
	st.icmpMessage(bob4, alice4, m, st.one("the segment", isTCP).frame)
	wantReport(t, h, p.sock, berth.ReportSoftError, syscall.EHOSTUNREACH, 0)
	wantNoReport(t, p.sock)
	wantState(t, p.sock, socket.TCP_ESTABLISHED)
}
