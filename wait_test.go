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

// What comes while somebody waits for it is theirs, whatever happens before they run.
func TestWhoWaitsGetsWhatComes(t *testing.T) {
	const text = "what they waited for"
	for _, tt := range []struct {
		name  string
		room  int
		flags socket.Flags
		then  func(s socket.Socket)
		got   string
		left  string
	}{
		{"all of it", 64, 0, nil, text, ""},
		{"as much as there is room for", 4, 0, nil, text[:4], text[4:]},
		{"to look at", 64, socket.MSG_PEEK, nil, text, text},
		{"of which nothing is wanted", 64, socket.MSG_TRUNC, nil, string(make([]byte, len(text))), ""},
		{"until the buffer is full", len(text), socket.MSG_WAITALL, nil, text, ""},
		{"though the deadline passes", 64, 0, func(s socket.Socket) { s.SetReadDeadline(time.Unix(1, 0)) }, text, ""},
		{"though the socket is closed", 64, 0, func(s socket.Socket) { s.Close() }, text, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				alice, bob := pair(t)
				c, s := connected(t, alice, bob, bob4)
				for range 2 { // the first bytes of a connection are acknowledged in another way
					buf, n := make([]byte, tt.room), 0
					var err error
					go func() { n, err = s.Recv(buf, tt.flags) }()
					synctest.Wait()
					if _, err := c.Send([]byte(text), 0); err != nil {
						t.Fatal(err)
					}
					if tt.then != nil {
						tt.then(s)
					}
					synctest.Wait()
					if err != nil || string(buf[:n]) != tt.got {
						t.Fatalf("%q, %v; want %q", buf[:n], err, tt.got)
					}
					if tt.then != nil {
						return
					}
					rest := make([]byte, 64)
					if n, err := s.Recv(rest, socket.MSG_DONTWAIT); string(rest[:n]) != tt.left {
						t.Fatalf("then %q, %v; want %q", rest[:n], err, tt.left)
					}
				}
			})
		})
	}
}

// Of several who wait each gets something, and none gets what is another's.
func TestSeveralWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		alice, bob := pair(t)
		c, s := connected(t, alice, bob, bob4)
		const readers, each = 8, 100
		var seen [readers * each]atomic.Int32
		for range readers {
			go func() {
				for range each {
					var b [2]byte
					if n, err := s.Recv(b[:], 0); err != nil || n != 2 {
						t.Errorf("%d, %v", n, err)
						return
					}
					seen[int(b[0])<<8|int(b[1])].Add(1)
				}
			}()
		}
		for i := range seen {
			if _, err := c.Send([]byte{byte(i >> 8), byte(i)}, 0); err != nil {
				t.Fatal(err)
			}
			if i%7 == 0 {
				synctest.Wait()
			}
		}
		synctest.Wait()
		for i := range seen {
			if n := seen[i].Load(); n != 1 {
				t.Errorf("message %d came %d times", i, n)
			}
		}
	})
}
