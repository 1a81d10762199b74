package berth_test

import (
	"bytes"
	"errors"
	"net/netip"
	"sync/atomic"
	"syscall"
	"testing"

	"example.com/berth"
	"example.com/berth/link"
	"example.com/berth/link/wire"
	"example.com/berth/socket"
)

// largeOnes counts the large frames that go out by a device.
type largeOnes struct {
	link.Device
	n atomic.Int64
}

func (d *largeOnes) Output(frames []link.Frame) (int, error) {
	for i := range frames {
		if frames[i].GSO != link.GSONone {
			d.n.Add(1)
		}
	}
	return d.Device.Output(frames)
}

// Several datagrams of one length go as one large frame where the device cuts, and
// one by one elsewhere. Who receives them sees no difference.
func TestSendSegments(t *testing.T) {
	for _, tt := range []struct {
		name         string
		opts         []wire.Option
		to           netip.Addr
		length, size int
		large        int64
	}{
		{"one frame", nil, bob4, 10_300, 1000, 1},
		{"over IPv6", nil, bob6, 10_300, 1000, 1},
		{"the last as long as the others", nil, bob4, 3000, 1000, 1},
		{"one is one", nil, bob4, 1000, 1000, 0},
		{"a short one", nil, bob4, 100, 1000, 0},
		{"more than a packet holds", nil, bob4, 100_000, 1400, 2},
		{"a device that does not cut", []wire.Option{wire.Offload(0)}, bob4, 10_300, 1000, 0},
		{"each in fragments", nil, bob4, 9000, 3000, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			counted := new(largeOnes)
			alice, bob := pairWith(t, berth.Config{}, func(d link.Device) link.Device {
				counted.Device = d
				return counted
			}, tt.opts...)
			from := newSocket(t, alice, domainOf(tt.to), socket.DGRAM, 0)
			to := newSocket(t, bob, domainOf(tt.to), socket.DGRAM, 0)
			if err := errors.Join(to.Bind(netip.AddrPortFrom(tt.to, 53)), from.Connect(t.Context(), to.LocalAddr())); err != nil {
				t.Fatal(err)
			}
			data := bytes.Repeat([]byte("0123456789"), tt.length/10)
			if n, err := alice.SendSegments(from, data, tt.size); n != len(data) || err != nil {
				t.Fatal(n, err)
			}
			got := make([]byte, 4000)
			for at := 0; at < len(data); at += tt.size {
				want := data[at:min(at+tt.size, len(data))]
				if n, err := to.Recv(got, 0); err != nil || !bytes.Equal(got[:n], want) {
					t.Errorf("%d bytes, %v; want %d", n, err, len(want))
				}
			}
			if n, err := to.Recv(got, socket.MSG_DONTWAIT); err == nil {
				t.Errorf("%d bytes more", n)
			}
			if n := counted.n.Load(); n != tt.large {
				t.Errorf("%d large frames, want %d", n, tt.large)
			}
			want := uint64((len(data) + tt.size - 1) / tt.size)
			if n := alice.Counters().UDP.Out.Load(); n != want {
				t.Errorf("%d datagrams are counted, want %d", n, want)
			}
		})
	}
}

func TestSendSegmentsRefuses(t *testing.T) {
	alice, bob := pair(t)
	peer := netip.AddrPortFrom(bob4, 53)
	unconnected := newSocket(t, alice, socket.INET, socket.DGRAM, 0)
	connected := newSocket(t, alice, socket.INET, socket.DGRAM, 0)
	closed := newSocket(t, alice, socket.INET, socket.DGRAM, 0)
	if err := errors.Join(connected.Connect(t.Context(), peer), closed.Connect(t.Context(), peer), closed.Close()); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name string
		s    socket.Socket
		size int
		want error
	}{
		{"a stream", newSocket(t, alice, socket.INET, socket.STREAM, 0), 1, syscall.EINVAL},
		{"of another host", newSocket(t, bob, socket.INET, socket.DGRAM, 0), 1, syscall.EINVAL},
		{"datagrams of nothing", connected, 0, syscall.EINVAL},
		{"to nobody", unconnected, 1, syscall.EDESTADDRREQ},
		{"closed", closed, 1, syscall.EBADF},
	} {
		if n, err := alice.SendSegments(tt.s, []byte("abc"), tt.size); n != 0 || err != tt.want {
			t.Errorf("%s: %d, %v; want %v", tt.name, n, err, tt.want)
		}
	}
}

// swallowing takes all frames and does nothing with them.
type swallowing struct{ link.Device }

func (swallowing) Output(frames []link.Frame) (int, error) { return len(frames), nil }

func segmentsToNobody(t testing.TB) func() {
	alice, _ := pairWith(t, berth.Config{}, func(d link.Device) link.Device { return swallowing{d} })
	s := newSocket(t, alice, socket.INET, socket.DGRAM, 0)
	if err := s.Connect(t.Context(), netip.AddrPortFrom(bob4, 53)); err != nil {
		t.Fatal(err)
	}
	data := make([]byte, 32*1400)
	return func() {
		if n, err := alice.SendSegments(s, data, 1400); n != len(data) || err != nil {
			t.Fatal(n, err)
		}
	}
}

func TestSendSegmentsAllocates(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector drops what is pooled")
	}
	send := segmentsToNobody(t)
	if n := testing.AllocsPerRun(100, send); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkSendSegments(b *testing.B) {
	send := segmentsToNobody(b)
	b.ReportAllocs()
	for b.Loop() {
		send()
	}
}
