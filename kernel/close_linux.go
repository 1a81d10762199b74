package kernel

import (
	"net/netip"
	"sync"
	"sync/atomic"
	"syscall"
)

// life is what Close and Poll agree on. A Poll uses descriptors by number and
// sleeps meanwhile: it enters each socket before and leaves it after, and Close
// wakes those inside and waits until they have left. (The runtime's own count
// of users would make Close wait for as long as the Poll does.)
type life struct {
	closed atomic.Bool // set under mu

	mu      sync.Mutex // guards what follows
	pollers map[*waker]int
	inside  int
	left    sync.Cond // inside has become 0
	addr    netip.AddrPort
}

// enter keeps the descriptor open until leave, and reports false if the socket
// is closed. Close will wake w, if that is not nil.
func (l *life) enter(w *waker) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed.Load() {
		return false
	}
	l.inside++
	if w != nil {
		if l.pollers == nil {
			l.pollers = make(map[*waker]int)
		}
		l.pollers[w]++
	}
	return true
}

func (l *life) leave(w *waker) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if w != nil {
		if l.pollers[w]--; l.pollers[w] == 0 {
			delete(l.pollers, w)
		}
	}
	if l.inside--; l.inside == 0 && l.closed.Load() {
		l.left.Broadcast()
	}
}

// end marks the socket closed and waits until no Poll uses it. It reports false
// if it was closed before.
func (l *life) end(addr netip.AddrPort) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed.Load() {
		return false
	}
	l.addr = addr
	l.closed.Store(true)
	for w := range l.pollers {
		w.wake()
	}
	l.left.L = &l.mu
	for l.inside > 0 {
		l.left.Wait()
	}
	return true
}

func (l *life) lastAddr() netip.AddrPort {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.addr
}

func (s *sock) Close() error {
	if !s.life.end(s.LocalAddr()) {
		return syscall.EBADF
	}
	return errno(s.conn.Close())
}
