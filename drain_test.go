package berth_test

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"example.com/berth"
	"example.com/berth/link"
	"example.com/berth/socket"
)

// An unread is a device whose reader has no time: what comes in waits until
// somebody drains it.
type unread struct {
	link.Device

	mu      sync.Mutex
	handler link.Handler
	stopped bool
	waiting []*link.Kept
	drained int
}

func (d *unread) Attach(h link.Handler) error {
	d.handler = h
	return d.Device.Attach(unreadHandler{h, d})
}

type unreadHandler struct {
	link.Handler
	d *unread
}

func (h unreadHandler) Input(frames []link.Frame) {
	h.d.mu.Lock()
	stopped := h.d.stopped
	if stopped {
		for i := range frames {
			h.d.waiting = append(h.d.waiting, frames[i].Keep())
		}
	}
	h.d.mu.Unlock()
	if !stopped {
		h.Handler.Input(frames)
	}
}

func (d *unread) stop(stopped bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.stopped = stopped
}

// Drain implements link.Drainer.
func (d *unread) Drain() {
	d.mu.Lock()
	waiting := d.waiting
	d.waiting = nil
	d.drained++
	d.mu.Unlock()
	for _, k := range waiting {
		d.handler.Input([]link.Frame{k.Frame})
		k.Release()
	}
}

// notDrained is the same device without Drain.
type notDrained struct{ link.Device }

// What has come in and waits for a reader is looked at before anything is sent
// again: neither a tail loss probe nor a time-out comes of a reader that is slow.
func TestNothingIsResentThatIsAcknowledgedAlready(t *testing.T) {
	for _, tt := range []struct {
		name   string
		wrap   func(*unread) link.Device
		resent bool
	}{
		{"a device that can be drained", func(d *unread) link.Device { return d }, false},
		{"one that cannot", func(d *unread) link.Device { return notDrained{d} }, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				dev := new(unread)
				alice, bob := pairWith(t, berth.Config{}, func(d link.Device) link.Device {
					dev.Device = d
					return tt.wrap(dev)
				})
				c, s := connected(t, alice, bob, bob4)
				exchange(t, c, s, 100)
				dev.stop(true)
				send(t, c, string(make([]byte, 20_000)))
				time.Sleep(time.Second)
				dev.stop(false)
				dev.Drain()
				if n := alice.Counters().TCP.Machine.Retransmits.Load(); n > 0 != tt.resent {
					t.Errorf("%d segments were sent again", n)
				}
				if n, err := s.Recv(make([]byte, 20_000), socket.MSG_WAITALL); n != 20_000 || err != nil {
					t.Errorf("%d bytes arrived, %v", n, err)
				}
			})
		})
	}
}
