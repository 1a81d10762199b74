package berth

import (
	"math/rand/v2"
	"sync"
	"syscall"
	"testing"
)

// The list has the sockets that were entered and not removed, whatever the order.
func TestSocketList(t *testing.T) {
	h := NewHost(Config{})
	defer h.Close()
	var l socketList
	there := map[endpoint]bool{}
	var all []*datagram
	rng := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		if len(all) == 0 || rng.IntN(5) < 3 {
			s := newDatagram(h, 2, 17)
			if err := l.insert(s, uint8(rng.Uint32())); err != nil {
				t.Fatal(err)
			}
			all = append(all, s)
			there[s] = true
			continue
		}
		i := rng.IntN(len(all))
		l.remove(&all[i].sock)
		delete(there, all[i])
		all[i] = all[len(all)-1]
		all = all[:len(all)-1]
	}
	n := 0
	l.each(func(s endpoint) {
		n++
		if !there[s] {
			t.Error("a socket that was removed is there")
		}
	})
	if n != len(there) {
		t.Errorf("%d sockets, want %d", n, len(there))
	}
	l.close()
	s := newDatagram(h, 2, 17)
	if err := l.insert(s, 0); err != syscall.ENETDOWN {
		t.Errorf("into a closed list: %v", err)
	}
	l.remove(&s.sock) // is nothing
}

func TestSocketListOfSeveral(t *testing.T) {
	h := NewHost(Config{})
	defer h.Close()
	var l socketList
	var users sync.WaitGroup
	for i := range 4 {
		users.Go(func() {
			for n := range 200 {
				a, b := newDatagram(h, 2, 17), newDatagram(h, 2, 17)
				if l.insert(a, uint8(n)) != nil || l.insert(b, uint8(n+i)) != nil {
					t.Error("no place")
				}
				l.remove(&a.sock)
				l.remove(&b.sock)
			}
		})
	}
	users.Wait()
	l.each(func(endpoint) { t.Error("a socket is left") })
}
