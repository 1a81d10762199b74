package berth_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net/netip"
	"os"
	"sync"
	"syscall"
	"testing"
	"time"

	"example.com/berth"
	"example.com/berth/internal/header"
	"example.com/berth/link"
	"example.com/berth/link/wire"
	"example.com/berth/socket"
)

// A recorder is a device that keeps a copy of each frame of UDP that it sends.
type recorder struct {
	link.Device
	mu     sync.Mutex
	frames []link.Frame // in one piece each
}

func (r *recorder) Output(frames []link.Frame) (int, error) {
	r.mu.Lock()
	for i := range frames {
		f := frames[i]
		f.Payload, f.Head, f.Buffer = f.AppendTo(nil), nil, nil
		ip := f.Payload[r.Info().Medium.HeaderLen():]
		if ip[0]>>4 == 4 && ip[9] == header.ProtocolUDP || ip[0]>>4 == 6 && ip[6] == header.ProtocolUDP {
			r.frames = append(r.frames, f)
		}
	}
	r.mu.Unlock()
	return r.Device.Output(frames)
}

// take returns the frames since the last call.
func (r *recorder) take() []link.Frame {
	r.mu.Lock()
	defer r.mu.Unlock()
	frames := r.frames
	r.frames = nil
	return frames
}

// recordedPair is pair with a recorder before alice's device.
func recordedPair(t *testing.T, opts ...wire.Option) (alice, bob *berth.Host, r *recorder) {
	t.Helper()
	r = new(recorder)
	alice, bob = pairWith(t, berth.Config{}, func(d link.Device) link.Device {
		r.Device = d
		return r
	}, opts...)
	return alice, bob, r
}

// sameButID is a frame without what each packet has of its own: the identifier of
// IPv4, and the header's checksum, which covers it.
func sameButID(f link.Frame, headerLen int) string {
	b := bytes.Clone(f.Payload)
	if ip := b[headerLen:]; ip[0]>>4 == 4 {
		binary.BigEndian.PutUint16(ip[4:], 0)
		binary.BigEndian.PutUint16(ip[10:], 0)
	}
	return fmt.Sprintf("%x, checksum %d at %d+%d", b, f.Checksum, f.CsumStart, f.CsumOffset)
}

// Of many datagrams to one destination the later ones are the same packets as the
// first, though their headers are not written anew.
func TestDatagramsInARowAreTheSamePackets(t *testing.T) {
	const n = 3 * berth.TemplateAfter
	for _, m := range media {
		for _, addr := range []netip.Addr{bob4, bob6} {
			for _, connect := range []bool{false, true} {
				for _, size := range []int{0, 1, 64, 255, 1400} {
					name := fmt.Sprintf("%s, %v, connected %v, %d bytes", m.name, addr, connect, size)
					alice, bob, rec := recordedPair(t, m.opts...)
					r := newSocket(t, bob, domainOf(addr), socket.DGRAM, 0)
					if err := r.Bind(netip.AddrPortFrom(addr, 53)); err != nil {
						t.Fatal(err)
					}
					s := newSocket(t, alice, domainOf(addr), socket.DGRAM, 0)
					to := r.LocalAddr()
					if connect {
						if err := s.Connect(t.Context(), to); err != nil {
							t.Fatal(err)
						}
						to = netip.AddrPort{}
					}
					if err := r.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil { // one that is lost
						t.Fatal(err)
					}
					data, got := bytes.Repeat([]byte("ab\xff"), size)[:size], make([]byte, 2000)
					for i := range n {
						if _, err := s.SendTo(data, 0, to); err != nil {
							t.Fatal(err)
						}
						if k, err := r.Recv(got, 0); err != nil || !bytes.Equal(got[:k], data) {
							t.Fatalf("%s: datagram %d: %d bytes, %v", name, i, k, err)
						}
					}
					frames := rec.take()
					if len(frames) != n {
						t.Fatalf("%s: %d frames of %d datagrams", name, len(frames), n)
					}
					headerLen := alice.Interfaces()[1].Device().Info().Medium.HeaderLen()
					for i, f := range frames {
						if got, want := sameButID(f, headerLen), sameButID(frames[0], headerLen); got != want {
							t.Fatalf("%s: datagram %d differs from the first:\n%s\n%s", name, i, got, want)
						}
					}
					alice.Close()
					bob.Close()
				}
			}
		}
	}
}

// What changes between two datagrams to one destination shows in the next one.
func TestADatagramHasWhatHasChanged(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(alice, bob *berth.Host, s, r socket.Socket) error
		flags  socket.Flags
		size   int
		err    error
		want   func(ip []byte) bool
	}{
		{
			name:   "TTL",
			change: func(_, _ *berth.Host, s, _ socket.Socket) error { return socket.Set(s, socket.IP_TTL, 7) },
			want:   func(ip []byte) bool { return ip[8] == 7 },
		}, {
			name:   "TOS",
			change: func(_, _ *berth.Host, s, _ socket.Socket) error { return socket.Set(s, socket.IP_TOS, 0x28) },
			want:   func(ip []byte) bool { return ip[1] == 0x28 },
		}, {
			name: "it may not be cut",
			change: func(_, _ *berth.Host, s, _ socket.Socket) error {
				return socket.Set(s, socket.IP_MTU_DISCOVER, socket.IP_PMTUDISC_DO)
			},
			want: func(ip []byte) bool { return ip[6] == 0x40 && ip[4] == 0 && ip[5] == 0 },
		}, {
			name: "the peer",
			change: func(_, _ *berth.Host, s, r socket.Socket) error {
				return s.Connect(t.Context(), netip.AddrPortFrom(r.LocalAddr().Addr(), 99))
			},
			want: func(ip []byte) bool { return ip[23] == 99 },
		}, {
			name: "the addresses of the host",
			change: func(alice, _ *berth.Host, s, r socket.Socket) error {
				ifc := alice.Interfaces()[1]
				if err := ifc.RemoveAddr(alice4); err != nil {
					return err
				}
				if err := ifc.AddAddr(netip.MustParsePrefix("10.0.0.7/24")); err != nil {
					return err
				}
				if err := s.Connect(t.Context(), netip.AddrPort{}); err != nil {
					return err
				}
				return s.Connect(t.Context(), r.LocalAddr())
			},
			want: func(ip []byte) bool { return ip[15] == 7 },
		}, {
			name: "the MTU",
			change: func(alice, _ *berth.Host, _, _ socket.Socket) error {
				return alice.Interfaces()[1].Device().(*recorder).Device.(*wire.Device).SetMTU(600)
			},
			size: 1000,
			want: func(ip []byte) bool { return ip[6]&0x20 != 0 }, // more fragments
		}, {
			name: "too long for one packet",
			size: 2000,
			want: func(ip []byte) bool { return ip[6]&0x20 != 0 },
		}, {
			name:  "out of band",
			flags: socket.MSG_OOB,
			err:   syscall.EOPNOTSUPP,
		}, {
			name:   "the end of sending",
			change: func(_, _ *berth.Host, s, _ socket.Socket) error { return s.Shutdown(socket.SHUT_WR) },
			err:    syscall.EPIPE,
		}, {
			name:   "closed",
			change: func(_, _ *berth.Host, s, _ socket.Socket) error { return s.Close() },
			err:    syscall.EBADF,
		}, {
			name:   "the deadline",
			change: func(_, _ *berth.Host, s, _ socket.Socket) error { return s.SetWriteDeadline(time.Unix(1, 0)) },
			err:    os.ErrDeadlineExceeded,
		}, {
			name: "nobody is there",
			change: func(_, _ *berth.Host, s, r socket.Socket) error {
				r.Close()
				_, err := s.Send([]byte("x"), 0)
				return err
			},
			err: syscall.ECONNREFUSED,
		}, {
			name: "held back before",
			change: func(_, _ *berth.Host, s, _ socket.Socket) error {
				_, err := s.Send([]byte("before "), socket.MSG_MORE)
				return err
			},
			want: func(ip []byte) bool { return bytes.HasPrefix(ip[28:], []byte("before ")) },
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			alice, bob, rec := recordedPair(t)
			r := newSocket(t, bob, socket.INET, socket.DGRAM, 0)
			if err := r.Bind(netip.AddrPortFrom(bob4, 53)); err != nil {
				t.Fatal(err)
			}
			s := newSocket(t, alice, socket.INET, socket.DGRAM, 0)
			if err := s.Connect(t.Context(), r.LocalAddr()); err != nil {
				t.Fatal(err)
			}
			for range 2 * berth.TemplateAfter {
				send(t, s, "as usual")
			}
			if tt.change != nil {
				if err := tt.change(alice, bob, s, r); err != nil {
					t.Fatal(err)
				}
			}
			rec.take()
			if _, err := s.Send(make([]byte, max(1, tt.size)), tt.flags); err != tt.err {
				t.Fatalf("the error is %v, want %v", err, tt.err)
			}
			frames := rec.take()
			if tt.err != nil {
				if len(frames) > 0 {
					t.Errorf("%d packets left", len(frames))
				}
				return
			}
			if len(frames) == 0 || !tt.want(frames[0].Payload) {
				t.Errorf("%d packets: %v", len(frames), frames)
			}
		})
	}
}

// Datagrams to several destinations in turns go where they should.
func TestDatagramsToManyGoWhereTheyShould(t *testing.T) {
	alice, bob, rec := recordedPair(t)
	_ = bob
	s := newSocket(t, alice, socket.INET, socket.DGRAM, 0)
	for i := range 100 {
		port := uint16(1000 + i/20*(i%3)) // a row to one, then to three in turns
		if _, err := s.SendTo([]byte("x"), 0, netip.AddrPortFrom(bob4, port)); err != nil && err != syscall.ECONNREFUSED {
			t.Fatal(err)
		}
		frames := rec.take()
		if len(frames) != 1 || binary.BigEndian.Uint16(frames[0].Payload[22:]) != port {
			t.Fatalf("datagram %d: %v, want one frame to port %d", i, frames, port)
		}
	}
}
