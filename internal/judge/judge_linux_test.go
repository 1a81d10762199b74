package judge

import (
	"flag"
	"fmt"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"example.com/berth/internal/header"
	"example.com/berth/internal/testnet"
	"example.com/berth/kernel"
	"example.com/berth/link"
	"example.com/berth/link/tuntap"
)

var (
	seeds   = flag.Int("judge.seeds", 150, "how many schedules are played against Linux")
	first   = flag.Uint64("judge.first", 1, "the seed of the first")
	workers = flag.Int("judge.workers", 8, "how many are played at once")
	most    = flag.Int("judge.most", 5, "after how many differences to end")
)

// linux is a world with the kernel, in a namespace of its own.
type linux struct {
	*kernel.Provider
	dev     *tuntap.Device
	out     Outbox
	asked   uint16
	answers chan uint16
}

func newLinux(t *testing.T) *linux {
	ns := testnet.New(t)
	for name, value := range map[string]string{
		"net.ipv4.tcp_no_metrics_save": "1", // what one connection taught must not change the next
		"net.ipv4.tcp_rmem":            "4096 131072 6291456",
		"net.ipv4.tcp_wmem":            "4096 16384 4194304",
	} {
		ns.Sysctl(name, value)
	}
	w := &linux{answers: make(chan uint16, 16), dev: ns.TUN(tuntap.NoOffload(), tuntap.HostAddr(Prefix4), tuntap.HostAddr(Prefix6), tuntap.MTU(mtu))}
	var err error
	if w.Provider, err = kernel.InNamespace(fmt.Sprintf("/proc/self/fd/%d", ns.FD())); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Close() })
	if err := w.dev.Attach(w); err != nil {
		t.Fatal(err)
	}
	return w
}

// Input implements link.Handler.
func (w *linux) Input(frames []link.Frame) {
	for i := range frames {
		b := frames[i].AppendTo(nil)
		if n, ok := echoReply(b); ok {
			w.answers <- n
			continue
		}
		w.out.Put(b)
	}
}

// Changed implements link.Handler.
func (w *linux) Changed() {}

// Inject implements World.
func (w *linux) Inject(b []byte) { _, _ = w.dev.Output([]link.Frame{{Payload: b}}) }

// Sent implements World. It asks for an echo and waits for it: what Linux has sent
// before is here then, however busy the machine is.
func (w *linux) Sent() [][]byte {
	w.asked++
	w.Inject(echoRequest(w.asked))
	for {
		select {
		case n := <-w.answers:
			if n == w.asked {
				return w.out.Take()
			}
		case <-time.After(time.Second):
			return w.out.Take()
		}
	}
}

// echoRequest is a ping of the peer's.
func echoRequest(n uint16) []byte {
	h := header.ICMP{Type: header.ICMPv4EchoRequest}
	h.SetSeq(n)
	b := h.Append(nil)
	sum := header.Fold(header.Sum(b, 0))
	b[2], b[3] = byte(sum>>8), byte(sum)
	return wrap(pinger, local4, header.ProtocolICMP, b)
}

// pinger is another host than the peers.
var pinger = netip.MustParseAddr("10.77.0.2")

// echoReply is the number of an answer to one.
func echoReply(b []byte) (n uint16, ok bool) {
	var h header.ICMP
	_, _, protocol, body := open(b)
	if protocol != header.ProtocolICMP {
		return 0, false
	}
	if _, err := h.Parse(body); err != nil || h.Type != header.ICMPv4EchoReply {
		return 0, false
	}
	return h.Seq(), true
}

var port atomic.Uint32

// ports are others for each run.
func ports() Ports {
	n := port.Add(1)
	return Ports{Host: uint16(1024 + n%30000), Peer: uint16(33000 + n%29989), Number: uint16(n % 60000)}
}

// verdict is what is found of one schedule.
type verdict struct {
	*Difference
	berth, linux []Observation
	met          []string
}

// try plays a schedule to both, and again if they differ: only what repeats is a
// difference, and not a machine that was busy.
func try(t *testing.T, w *linux, s *Schedule) verdict {
	v := verdict{berth: onBerth(t, s)}
	for n, tries := 0, 0; n < 3 && tries < 30; tries++ {
		var err error
		v.linux, err = Play(w, s, ports())
		late := err == error(LateError{})
		if err != nil && !late {
			t.Fatal(err)
		}
		if v.Difference, v.met = Compare(s, v.berth, v.linux); v.Difference == nil {
			return v
		}
		if !late {
			n++
		}
		if tries == 29 {
			v.Difference = nil // the machine was too busy to tell
		}
	}
	return v
}

// TestLinux plays random schedules to berth and to Linux.
func TestLinux(t *testing.T) {
	var next atomic.Uint64
	var found atomic.Int32
	var mu sync.Mutex
	met := make(map[string]int)
	kinds := make(map[string]bool)
	start := time.Now()
	var wg sync.WaitGroup
	for range *workers {
		w := newLinux(t)
		wg.Go(func() {
			for found.Load() < int32(*most) {
				n := next.Add(1) - 1
				if n >= uint64(*seeds) {
					return
				}
				s := Generate(*first + n)
				v := try(t, w, s)
				mu.Lock()
				for _, name := range v.met {
					met[name]++
				}
				mu.Unlock()
				if v.Difference == nil {
					continue
				}
				few := Shrink(s, func(s *Schedule) bool { return try(t, w, s).Difference != nil })
				if v := try(t, w, few); v.Difference != nil {
					mu.Lock()
					key := v.What + v.Berth + v.Linux
					if !kinds[key] {
						kinds[key] = true
						found.Add(1)
						t.Error(Listing(few, v.berth, v.linux, v.Difference))
					}
					mu.Unlock()
				}
			}
		})
	}
	wg.Wait()
	t.Logf("%d schedules in %v; accepted: %v", min(next.Load(), uint64(*seeds)), time.Since(start).Round(time.Second), met)
}
