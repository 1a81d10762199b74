package peers

import (
	"context"
	"flag"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"example.com/berth"
	"example.com/berth/internal/testnet"
	"example.com/berth/kernel"
	"example.com/berth/link"
	"example.com/berth/link/impair"
	"example.com/berth/link/tuntap"
	"example.com/berth/link/wire"
	"example.com/berth/socket"
)

var (
	emulatedTime = flag.Duration("peers.time", 0, "how long each transfer over an emulated path takes; 0: they are skipped")
	emulatedRows = flag.String("peers.paths", "", "only paths whose name contains this")
	emulatedCC   = flag.String("peers.cc", "reno,cubic,bbr", "which congestion controls")
)

// emulatedRate is that of the narrow link, in bits a second: low enough that no
// processor is the limit.
const emulatedRate = 20e6

// An emulatedPath is a line between two hosts. Data meet its rate, queue, loss and
// reordering; acknowledgments only its delay.
type emulatedPath struct {
	rtt     time.Duration
	loss    float64 // of a hundred
	reorder int     // by how many packets one in a hundred is overtaken
	queue   float64 // in bandwidth-delay products
}

func (p emulatedPath) String() string {
	return fmt.Sprintf("%v, %v %% lost, reordered by %d, queue %v", p.rtt, p.loss, p.reorder, p.queue)
}

const ms = time.Millisecond

// emulatedPaths vary one thing at a time, and end with what is bad in all.
var emulatedPaths = []emulatedPath{
	{1 * ms, 0, 0, 4},
	{20 * ms, 0, 0, 0.25},
	{20 * ms, 0, 0, 1},
	{20 * ms, 0, 0, 4},
	{20 * ms, 0.01, 0, 1},
	{20 * ms, 0.1, 0, 1},
	{20 * ms, 1, 0, 1},
	{20 * ms, 5, 0, 1},
	{20 * ms, 0, 1, 1},
	{20 * ms, 0, 3, 1},
	{200 * ms, 0, 0, 1},
	{200 * ms, 0.1, 3, 1},
	{1 * ms, 1, 3, 4},
}

// TestEmulatedPaths sends over bad lines from Linux to Linux, from berth to Linux
// and from Linux to berth, and prints how much arrives a second, and how that
// compares with Linux alone.
//
//	sudo go test ./internal/peers -run Emulated -peers.time 15s -timeout 30m -v
func TestEmulatedPaths(t *testing.T) {
	if *emulatedTime == 0 {
		t.Skip("takes minutes; see -peers.time")
	}
	var table strings.Builder
	table.WriteString("| round trip | loss | reordering | queue | control | Linux to Linux | berth to Linux | Linux to berth |\n|---|---|---|---|---|---|---|---|\n")
	for _, p := range emulatedPaths {
		if !strings.Contains(p.String(), *emulatedRows) {
			continue
		}
		for cc := range strings.SplitSeq(*emulatedCC, ",") {
			got := transfers(t, p, cc)
			fmt.Fprintf(&table, "| %v | %v %% | %d | %v BDP | %s | %.2f | %.2f (%.2f) | %.2f (%.2f) |\n", p.rtt, p.loss, p.reorder, p.queue, cc,
				got[0]/1e6, got[1]/1e6, got[1]/got[0], got[2]/1e6, got[2]/got[0])
			t.Logf("%v, %s: %.2f, %.2f (%.2f), %.2f (%.2f)", p, cc, got[0]/1e6, got[1]/1e6, got[1]/got[0], got[2]/1e6, got[2]/got[0])
		}
	}
	t.Logf("Mbit/s, and in brackets the share of what Linux does:\n%s", table.String())
}

// transfers runs one transfer for each pair of hosts, at the same time, and
// returns bits a second.
func transfers(t *testing.T, p emulatedPath, cc string) (got [3]float64) {
	pairs := [3][2]func(*testing.T, string) (socket.Provider, link.Device){
		{onLinux, onLinux}, {onBerth, onLinux}, {onLinux, onBerth},
	}
	var wg sync.WaitGroup
	for i, pair := range pairs {
		from, a := pair[0](t, "10.79.0.1/24")
		to, b := pair[1](t, "10.79.0.2/24")
		p.join(t, a, b)
		wg.Go(func() {
			bits, err := pour(from, to, cc, *emulatedTime)
			if err != nil {
				t.Errorf("%v, %s, pair %d: %v", p, cc, i, err)
			}
			got[i] = bits
		})
	}
	wg.Wait()
	return got
}

// onLinux is the kernel in a namespace of its own, and the device to it.
func onLinux(t *testing.T, prefix string) (socket.Provider, link.Device) {
	ns := testnet.New(t)
	dev := ns.TUN(tuntap.NoOffload(), tuntap.HostAddr(prefix), tuntap.QueueLength(10000))
	p, err := kernel.InNamespace(fmt.Sprintf("/proc/self/fd/%d", ns.FD()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return p, dev
}

// onBerth is a berth host, and the device to it.
func onBerth(t *testing.T, prefix string) (socket.Provider, link.Device) {
	near, far := wire.Pair(wire.Offload(0))
	h := berth.NewHost(berth.Config{})
	if _, err := h.Attach(near, prefix); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.Close() })
	return h, far
}

// A patch hands on what one device brings to another.
type patch struct{ to link.Device }

// Input implements link.Handler.
func (p patch) Input(frames []link.Frame) { _, _ = p.to.Output(frames) }

// Changed implements link.Handler.
func (patch) Changed() {}

// join makes the path between two devices, from a to b.
func (p emulatedPath) join(t *testing.T, a, b link.Device) {
	bdp := emulatedRate / 8 * p.rtt.Seconds()
	to := impair.New(b, impair.Config{
		Seed: 1, Rate: emulatedRate, Queue: max(int(p.queue*bdp), 3000), Delay: p.rtt / 2, Loss: p.loss / 100,
		Reorder: min(float64(p.reorder), 1) / 100, ReorderGap: p.reorder,
	})
	from := impair.New(a, impair.Config{Delay: p.rtt / 2})
	for _, end := range []struct{ dev, other link.Device }{{from, to}, {to, from}} {
		if err := end.dev.Attach(patch{end.other}); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { end.dev.Close() })
	}
}

// pour sends for so long, and returns how many bits arrived a second.
func pour(from, to socket.Provider, cc string, d time.Duration) (float64, error) {
	l, err := to.Socket(socket.INET, socket.STREAM, 0)
	if err != nil {
		return 0, err
	}
	defer l.Close()
	addr := netip.MustParseAddrPort("10.79.0.2:5001")
	if err := l.Bind(addr); err != nil {
		return 0, err
	}
	if err := l.Listen(1); err != nil {
		return 0, err
	}
	s, err := from.Socket(socket.INET, socket.STREAM, 0)
	if err != nil {
		return 0, err
	}
	defer s.Close()
	if err := socket.Set(s, socket.TCP_CONGESTION, cc); err != nil {
		return 0, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if err := s.Connect(ctx, addr); err != nil {
		return 0, err
	}
	c, _, err := l.Accept(ctx)
	if err != nil {
		return 0, err
	}
	defer c.Close()
	end := time.Now().Add(d)
	if err := c.SetDeadline(end); err != nil {
		return 0, err
	}
	if err := s.SetDeadline(end); err != nil {
		return 0, err
	}
	go func() {
		b := make([]byte, 64<<10)
		for {
			if _, err := s.Send(b, 0); err != nil {
				return
			}
		}
	}()
	b := make([]byte, 256<<10)
	total := 0
	for {
		n, err := c.Recv(b, 0)
		if total += n; err != nil || n == 0 {
			return float64(total) * 8 / d.Seconds(), nil
		}
	}
}
