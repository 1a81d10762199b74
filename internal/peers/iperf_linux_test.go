package peers

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"testing"

	"example.com/berth/internal/testnet"
	"example.com/berth/netconn"
)

// iperfPort is iperf3's.
const iperfPort = 5201

// TestIperf3 measures the kernel by way of berth: iperf3's client calls berth,
// which relays to iperf3's server, so that every byte passes berth twice. The
// rates are iperf3's affair.
func TestIperf3(t *testing.T) {
	testnet.NeedTool(t, "iperf3")
	tun(t, nil).each(func(w *world, f family) {
		ready := w.iperfServer(f)
		w.relay(netip.AddrPortFrom(f.berth, iperfPort), netip.AddrPortFrom(f.kernel, iperfPort))
		for _, way := range []struct {
			name string
			args []string
		}{
			{"up", nil},
			{"down", []string{"-R"}},
			{"in four streams", []string{"-P4"}},
		} {
			<-ready
			w.Run(way.name, func(t *testing.T) { w.iperfClient(t, f, way.args) })
		}
	})
}

// iperfServer starts a server in the namespace. The channel tells each time that
// it is ready for a client: it takes one after the other.
func (w *world) iperfServer(f family) (ready <-chan struct{}) {
	cmd := w.kernel.Command(w.ctx, "iperf3", "-s", "--forceflush", "-B", f.kernel.String())
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		w.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		w.Fatal(err)
	}
	listening, ended := make(chan struct{}, 10), make(chan struct{})
	go func() {
		for lines := bufio.NewScanner(stdout); lines.Scan(); {
			if strings.HasPrefix(lines.Text(), "Server listening") {
				listening <- struct{}{}
			}
		}
		_ = cmd.Wait() // killed
		close(listening)
		close(ended)
	}()
	w.Cleanup(func() {
		if err := cmd.Cancel(); err != nil {
			w.Error(err)
		}
		<-ended
	})
	return listening
}

// iperfSize is more than all buffers on the way hold, so that the receiver has
// got something when the sender is done.
const iperfSize = 64 << 20

// iperfClient sends at least iperfSize bytes, and looks at the report.
func (w *world) iperfClient(t *testing.T, f family, args []string) {
	args = append(args, "-c", f.berth.String(), "-J", "-n", strconv.Itoa(iperfSize))
	out, err := w.kernel.Command(w.ctx, "iperf3", args...).Output()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	var report struct {
		Error string
		End   map[string]json.RawMessage
	}
	if err := json.Unmarshal([]byte(out), &report); err != nil || report.Error != "" {
		t.Fatalf("%v %s: %s", err, report.Error, out)
	}
	sums := 0
	for name, raw := range report.End {
		var sum struct{ Bytes int }
		if !strings.HasPrefix(name, "sum_") {
			continue
		}
		sums++
		least := iperfSize
		if strings.HasPrefix(name, "sum_received") {
			least = 1 // the receiver stops counting when the sender has sent enough
		}
		if err := json.Unmarshal(raw, &sum); err != nil || sum.Bytes < least {
			t.Errorf("%s: %d bytes, want at least %d; %v", name, sum.Bytes, least, err)
		}
	}
	if sums < 2 {
		t.Errorf("no sums: %s", out)
	}
}

// relay takes connections to berth's address and joins each to one to the
// kernel's, until the test ends.
func (w *world) relay(from, to netip.AddrPort) {
	ln, err := netconn.Listen(w.berth, "tcp", from.String())
	if err != nil {
		w.Fatal(err)
	}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			all.Go(func() {
				if err := w.pass(c.(*netconn.TCPConn), to); err != nil {
					w.Error(err)
				}
			})
		}
	})
	w.Cleanup(func() {
		ln.Close()
		all.Wait()
	})
}

// pass dials the other end, and passes on what either sends, and its end.
func (w *world) pass(near *netconn.TCPConn, to netip.AddrPort) error {
	defer near.Close()
	c, err := (&netconn.Dialer{Provider: w.berth}).DialContext(w.ctx, "tcp", to.String())
	if err != nil {
		return fmt.Errorf("relay: %w", err)
	}
	far := c.(*netconn.TCPConn)
	defer far.Close()
	var both sync.WaitGroup
	for _, way := range [][2]*netconn.TCPConn{{far, near}, {near, far}} {
		both.Go(func() {
			_, _ = io.Copy(way[0], way[1]) // a reset is an end as well
			_ = way[0].CloseWrite()
		})
	}
	both.Wait()
	return nil
}
