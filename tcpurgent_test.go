package berth_test

import (
	"net/netip"
	"syscall"
	"testing"

	"example.com/berth"
	"example.com/berth/internal/header"
	"example.com/berth/socket"
)

// Urgent data is told of when it comes, and its last octet is read by itself; the
// pointer is at the octet behind it (MUST-62).
func TestUrgentDataIsToldOfAndRead(t *testing.T) {
	both(t, func(t *testing.T, remote netip.Addr) {
		h, st := stationed(t, berth.Config{})
		p := playedServer(t, h, st, remote)
		wantUrgent := func(want bool) {
			t.Helper()
			fds := []socket.PollFD{{Socket: p.sock, Events: socket.POLLPRI}}
			if _, err := h.Poll(t.Context(), fds, 0); err != nil {
				t.Fatal(err)
			}
			if got := fds[0].Revents&socket.POLLPRI != 0; got != want {
				t.Errorf("POLLPRI is %v", got)
			}
		}
		wantAtMark := func(want bool) {
			t.Helper()
			if at, err := p.sock.AtMark(); at != want || err != nil {
				t.Errorf("at the mark: %v, %v", at, err)
			}
		}
		urgent := func(pointer uint16, data string) {
			p.sendWith(header.TCP{Flags: header.ACK | header.URG, Urgent: pointer}, nil, data)
		}
		wantUrgent(false)
		urgent(5, "")
		wantUrgent(false) // it has not come
		if _, err := p.sock.Recv(make([]byte, 1), socket.MSG_OOB); err != syscall.EAGAIN {
			t.Errorf("MSG_OOB: %v", err)
		}
		urgent(5, "abc")
		wantUrgent(false)
		p.wantData(t, "abc")
		urgent(2, "de")
		wantUrgent(true)
		b := make([]byte, 2)
		if n, err := p.sock.Recv(b, socket.MSG_OOB); n != 1 || b[0] != 'e' || err != nil {
			t.Errorf("MSG_OOB: %q, %v", b[:n], err)
		}
		wantUrgent(false)
		p.wantData(t, "d")
		wantAtMark(true) // MUST-33
		p.seq++          // the urgent octet
		p.send(header.ACK, "f")
		p.wantData(t, "f")
		wantAtMark(false)
	})
}
