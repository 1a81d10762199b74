package berth_test

import (
	"net/netip"
	"testing"

	"example.com/berth"
	"example.com/berth/internal/header"
	"example.com/berth/socket"
)

// Urgent data is announced as soon as its pointer comes, and until all of it has
// been read, in the stream: the pointer is at the octet behind it (MUST-62).
func TestUrgentDataIsAnnouncedUntilItIsRead(t *testing.T) {
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
		urgent := func(pointer uint16, data string) {
			p.sendWith(header.TCP{Flags: header.ACK | header.URG, Urgent: pointer}, nil, data)
		}
		wantUrgent(false)
		urgent(5, "") // MUST-32: before any of it has come
		wantUrgent(true)
		urgent(5, "abc")
		p.wantData(t, "abc")
		wantUrgent(true) // MUST-33: more remains
		urgent(2, "de")
		p.wantData(t, "de")
		wantUrgent(false)
		p.send(header.ACK, "f")
		p.wantData(t, "f")
		wantUrgent(false)
	})
}
