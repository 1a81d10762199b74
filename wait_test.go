package berth_test

import (
	"errors"
	"net/netip"
	"os"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"example.com/berth"
	"example.com/berth/link"
	"example.com/berth/socket"
)

// meddler is a device that loses what it is given, and does something else
// meanwhile, once it has been told what.
type meddler struct {
	link.Device
	meddle atomic.Pointer[func()]
}

func (m *meddler) Output(frames []link.Frame) (int, error) {
	f := m.meddle.Load()
	if f == nil {
		return m.Device.Output(frames)
	}
	(*f)()
	return len(frames), nil
}

// A call ends that is sending, with the lock let go, when its end comes.
func TestACallEndsThoughItWasSendingMeanwhile(t *testing.T) {
	for _, tt := range []struct {
		name   string
		meddle func(s socket.Socket)
		want   error
	}{
		{"deadline", func(s socket.Socket) { s.SetWriteDeadline(time.Unix(1, 0)) }, os.ErrDeadlineExceeded},
		{"close", func(s socket.Socket) { s.Close() }, syscall.EBADF},
	} {
		for _, addr := range []netip.Addr{bob4, bob6} {
			t.Run(tt.name+" "+addr.String(), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					var dev *meddler
					alice, bob := pairWith(t, berth.Config{}, func(d link.Device) link.Device {
						dev = &meddler{Device: d}
						return dev
					})
					c, _ := connected(t, alice, bob, addr)
					if err := socket.Set(c, socket.SO_SNDBUF, 4096); err != nil {
						t.Fatal(err)
					}
					meddle := func() {
						dev.meddle.Store(new(func() {}))
						tt.meddle(c)
					}
					dev.meddle.Store(&meddle)
					start := time.Now()
					n, err := c.Send(make([]byte, 64<<20), 0)
					if took := time.Since(start); took != 0 || !errors.Is(err, tt.want) {
						t.Errorf("%d, %v after %v; want %v at once", n, err, took, tt.want)
					}
				})
			})
		}
	}
}
