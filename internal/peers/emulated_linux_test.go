package peers

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"net/netip"
	"slices"
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
	emulatedRuns = flag.Int("peers.runs", 1, "how often each transfer over an emulated path is repeated; medians are shown")
	emulatedJobs = flag.Int("peers.jobs", 1, "how many emulated paths are under way at once")
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

// emulatedPaths are some that vary one thing at a time, and a covering design: every
// loss meets every round trip, and both meet every reordering and every queue, which
// meet each other.
func emulatedPaths() []emulatedPath {
	paths := []emulatedPath{
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
	for i, loss := range []float64{0, 0.01, 0.1, 1, 5} {
		for j, rtt := range []time.Duration{1 * ms, 20 * ms, 100 * ms, 200 * ms} {
			p := emulatedPath{rtt, loss, []int{0, 1, 3}[(i+j)%3], []float64{0.25, 1, 4}[(i+2*j)%3]}
			if !slices.Contains(paths, p) {
				paths = append(paths, p)
			}
		}
	}
	slices.SortFunc(paths, func(a, b emulatedPath) int {
		return cmp.Or(cmp.Compare(a.rtt, b.rtt), cmp.Compare(a.loss, b.loss), cmp.Compare(a.reorder, b.reorder), cmp.Compare(a.queue, b.queue))
	})
	return paths
}

// TestEmulatedPaths sends over bad lines from Linux to Linux, from berth to Linux
// and from Linux to berth, and prints how much arrives a second, and how that
// compares with Linux alone.
//
//	sudo go test ./internal/peers -run Emulated -peers.time 10s -peers.runs 3 -timeout 3h -v
func TestEmulatedPaths(t *testing.T) {
	if *emulatedTime == 0 {
		t.Skip("takes minutes; see -peers.time")
	}
	var rows []emulatedRow
	for _, p := range emulatedPaths() {
		if !strings.Contains(p.String(), *emulatedRows) {
			continue
		}
		for cc := range strings.SplitSeq(*emulatedCC, ",") {
			rows = append(rows, emulatedRow{path: p, cc: cc})
		}
	}
	free := make(chan struct{}, *emulatedJobs)
	var wg sync.WaitGroup
	for i := range rows {
		free <- struct{}{}
		wg.Go(func() {
			rows[i].measure(t)
			t.Log(rows[i]) // for who waits
			<-free
		})
	}
	wg.Wait()
	var table strings.Builder
	for _, r := range rows {
		fmt.Fprintln(&table, r)
	}
	t.Logf("Mbit/s, medians of %d; in brackets the share of what Linux does, and from where to where that goes:\n"+
		"| round trip | loss | reordering | queue | control | Linux to Linux | berth to Linux | Linux to berth |\n|---|---|---|---|---|---|---|---|\n%s",
		*emulatedRuns, table.String())
}

// An emulatedRow is a path, who sends over it, and how many bits a second arrived in
// each run between each pair of hosts.
type emulatedRow struct {
	path emulatedPath
	cc   string
	got  [3][]float64
}

// measure lets each run have a luck of its own, the same for all pairs of hosts.
func (r *emulatedRow) measure(t *testing.T) {
	for run := range *emulatedRuns {
		t.Run(fmt.Sprintf("%v, %s, run %d", r.path, r.cc, run+1), func(t *testing.T) {
			for i, bits := range r.path.transfers(t, uint64(run)+1, r.cc) {
				r.got[i] = append(r.got[i], bits/1e6)
			}
		})
	}
	for i := range r.got {
		slices.Sort(r.got[i])
	}
}

// String is the row of a table in Markdown.
func (r emulatedRow) String() string {
	median := func(i int) float64 { return r.got[i][len(r.got[i])/2] }
	all := r.got[0]
	p := r.path
	return fmt.Sprintf("| %v | %v %% | %d | %v BDP | %s | %.2f (%.2f-%.2f) | %.2f (%.2f) | %.2f (%.2f) |", p.rtt, p.loss, p.reorder, p.queue, r.cc,
		median(0), all[0]/median(0), all[len(all)-1]/median(0), median(1), median(1)/median(0), median(2), median(2)/median(0))
}

// transfers runs one transfer for each pair of hosts, at the same time, and
// returns bits a second.
func (p emulatedPath) transfers(t *testing.T, seed uint64, cc string) (got [3]float64) {
	pairs := [3][2]func(*testing.T, string) (socket.Provider, link.Device){
		{onLinux, onLinux}, {onBerth, onLinux}, {onLinux, onBerth},
	}
	var wg sync.WaitGroup
	for i, pair := range pairs {
		from, a := pair[0](t, "10.79.0.1/24")
		to, b := pair[1](t, "10.79.0.2/24")
		p.join(t, seed, a, b)
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
func (p emulatedPath) join(t *testing.T, seed uint64, a, b link.Device) {
	bdp := emulatedRate / 8 * p.rtt.Seconds()
	to := impair.New(b, impair.Config{
		Seed: seed, Rate: emulatedRate, Queue: max(int(p.queue*bdp), 3000), Delay: p.rtt / 2, Loss: p.loss / 100,
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
