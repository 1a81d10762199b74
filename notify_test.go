package berth_test

import (
	"net/netip"
	"syscall"
	"testing"
	"testing/synctest"

	"example.com/berth/socket"
)

// Notify tells of what comes about, as long as somebody wants to hear it.
func TestNotify(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		alice, bob := pair(t)
		c, s := connected(t, alice, bob, bob4)
		var told socket.Events
		note := func(e socket.Events) { told |= e }
		want := func(what string, e socket.Events) {
			t.Helper()
			synctest.Wait()
			if told&e != e {
				t.Errorf("%s: told of %v, want %v", what, told, e)
			}
			told = 0
		}
		if err := bob.Notify(s, note); err != nil {
			t.Fatal(err)
		}
		c.Send([]byte("hello"), 0)
		want("data", socket.POLLIN)
		s.Recv(make([]byte, 10), 0)
		for err := error(nil); err == nil; { // until there is no room
			_, err = s.Send(make([]byte, 1<<16), socket.MSG_DONTWAIT)
		}
		synctest.Wait()
		told = 0
		for err := error(nil); err == nil; synctest.Wait() {
			_, err = c.Recv(make([]byte, 1<<20), socket.MSG_DONTWAIT)
		}
		want("room", socket.POLLOUT)
		if err := bob.Notify(s, nil); err != nil {
			t.Fatal(err)
		}
		c.Send([]byte("again"), 0)
		synctest.Wait()
		if told != 0 {
			t.Errorf("told of %v after Notify(nil)", told)
		}
		bob.Notify(s, func(socket.Events) { t.Error("an earlier function is called") })
		bob.Notify(s, note)
		c.Shutdown(socket.SHUT_WR)
		want("the end of the peer's half", socket.POLLIN|socket.POLLRDHUP)
		s.Close()
		want("close", socket.POLLNVAL)
		if err := alice.Notify(s, note); err != syscall.EINVAL {
			t.Errorf("another host's socket: %v, want EINVAL", err)
		}
	})
}

// A Notify does not disturb a Poll of the same socket, nor a datagram's.
func TestNotifyBesidePoll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		alice, bob := pair(t)
		s := newSocket(t, bob, socket.INET, socket.DGRAM, 0)
		if err := s.Bind(netip.AddrPortFrom(bob4, 7)); err != nil {
			t.Fatal(err)
		}
		told := 0
		if err := bob.Notify(s, func(e socket.Events) {
			if e&socket.POLLIN != 0 {
				told++
			}
		}); err != nil {
			t.Fatal(err)
		}
		c := newSocket(t, alice, socket.INET, socket.DGRAM, 0)
		go func() {
			synctest.Wait()
			c.SendTo([]byte("hello"), 0, netip.AddrPortFrom(bob4, 7))
		}()
		fds := []socket.PollFD{{Socket: s, Events: socket.POLLIN}}
		if n, err := bob.Poll(t.Context(), fds, -1); n != 1 || err != nil || told != 1 {
			t.Errorf("%d are ready, %v, told %d times", n, err, told)
		}
		c.SendTo([]byte("again"), 0, netip.AddrPortFrom(bob4, 7))
		synctest.Wait()
		if told != 2 {
			t.Errorf("told %d times, want 2", told)
		}
	})
}
