package peers

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"example.com/berth/internal/header"
	"example.com/berth/internal/testnet"
	"example.com/berth/socket"
)

// TestPing lets the kernel's ping ask berth.
func TestPing(t *testing.T) {
	testnet.NeedTool(t, "ping")
	tun(t, nil).each(func(w *world, f family) {
		for _, tt := range []struct {
			name    string
			replies int
			args    string
		}{
			{"small", 3, "-i 0.002"},
			{"without data", 3, "-i 0.002 -s 0"},
			{"in fragments", 10, "-i 0.002 -s 8000"},
			{"the largest", 10, "-i 0.002 -s 65507"},
			{"a flood", 1000, "-f"},
		} {
			w.Run(tt.name, func(t *testing.T) {
				w.ping(t, f.berth.String(), tt.replies, strings.Fields(tt.args)...)
			})
		}
	})
}

// ping lets the kernel ask an address until there are so many replies.
//
// With a deadline (-w) ping waits for those. Without one it waits for the last
// no longer than two round trips, which are so short here that a busy machine
// loses it. Meanwhile it sends more, and may hear more.
func (w *world) ping(t *testing.T, addr string, replies int, args ...string) {
	t.Helper()
	args = append(args, "-q", "-w10", "-c", fmt.Sprint(replies), addr)
	out, err := w.kernel.Command(w.ctx, "ping", args...).CombinedOutput()
	var sent, received int
	if _, summary, ok := strings.Cut(out, "statistics ---\n"); ok {
		_, _ = fmt.Sscanf(summary, "%d packets transmitted, %d received", &sent, &received)
	}
	const onTheWay = 20
	if err != nil || received < replies || sent > received+onTheWay || strings.Contains(out, "+") { // duplicates, errors
		t.Errorf("%v: %s", err, out)
	}
}

// TestPingTheKernel asks the kernel from berth's sockets.
func TestPingTheKernel(t *testing.T) {
	tun(t, nil).each(func(w *world, f family) {
		for _, kind := range []string{"ping", "raw"} {
			for _, size := range []int{0, 56, 8000, 65507} {
				w.Run(fmt.Sprint(kind, " ", size), func(t *testing.T) {
					s := w.socket(t, f, kind)
					if err := s.Connect(w.ctx, netip.AddrPortFrom(f.kernel, 0)); err != nil {
						t.Fatal(err)
					}
					for seq := range uint16(10) {
						if err := echo(s, f, kind, seq, size); err != nil {
							t.Fatalf("request %d: %v", seq, err)
						}
					}
				})
			}
		}
	})
}

// echo sends one echo request with size bytes of data on a socket of a kind, and
// waits for the reply.
func echo(s socket.Socket, f family, kind string, seq uint16, size int) error {
	request := []byte{header.ICMPv4EchoRequest, 0, 0, 0, 0x77, 0x77, 0, 0}
	reply := uint8(header.ICMPv4EchoReply)
	if f.berth.Is6() {
		request[0], reply = header.ICMPv6EchoRequest, header.ICMPv6EchoReply
	}
	binary.BigEndian.PutUint16(request[6:], seq)
	request = append(request, contentBytes(int64(size))...)
	headerLen := 0
	if kind == "raw" && f.berth.Is4() { // such a socket gets IP headers, and computes nothing
		headerLen = header.IPv4MinLen
		header.PutICMPv4Checksum(request)
	}
	if _, err := s.Send(request, 0); err != nil {
		return err
	}
	b := make([]byte, 1<<16)
	for {
		n, err := s.Recv(b, 0)
		if err != nil {
			return err
		}
		message := b[headerLen:n]
		if message[0] != reply { // a raw socket hears all types
			continue
		}
		if !bytes.Equal(message[6:], request[6:]) {
			return fmt.Errorf("the reply has %d other bytes", len(message))
		}
		return nil
	}
}
