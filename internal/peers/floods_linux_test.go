package peers

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/netip"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"example.com/berth"
	"example.com/berth/internal/testnet"
	"example.com/berth/netconn"
)

// A flood is a program that sends all it can.
type flood struct {
	name    string
	program string
	args    []string
}

// DEF-10, DEF-21, DEF-23, DEF-38, DEF-39, DEF-44: floods by hping3 and THC's attack toolkit, from
// the link of a connection. While they last, and afterwards, the connection
// works, new ones can be made, and what the host holds stays within its bounds.
func TestFloods(t *testing.T) {
	four, six := families[0].berth.String(), families[1].berth.String()
	port := fmt.Sprint(echoPort)
	for _, f := range []flood{
		{"SYNs from everywhere", "hping3", []string{"--flood", "--rand-source", "-S", "-p", port, four}},
		{"SYNs to all ports", "hping3", []string{"--flood", "--rand-source", "-S", "-p", "++1", four}},
		{"FIN, RST, PSH, URG and data", "hping3", []string{"--flood", "--rand-source", "-F", "-R", "-P", "-U", "-d", "100", "-p", port, four}},
		{"acknowledgments", "hping3", []string{"--flood", "--rand-source", "-A", "-p", port, four}},
		{"datagrams", "hping3", []string{"--flood", "--rand-source", "-2", "-d", "1000", "-p", "++1", four}},
		{"fragments that are never whole", "hping3", []string{"--flood", "--rand-source", "-2", "-x", "-d", "1000", four}},
		{"pings", "hping3", []string{"--flood", "--rand-source", "-1", four}},
		{"source routes", "hping3", []string{"--flood", "-S", "--lsrr", four, "-p", port, four}},
		{"router advertisements", "atk6-flood_router26", []string{"near0"}},
		{"router advertisements behind headers", "atk6-flood_router26", []string{"-F", "near0"}},
		{"neighbor advertisements", "atk6-flood_advertise6", []string{"near0", six}},
		{"neighbor solicitations", "atk6-flood_solicitate6", []string{"near0", six, six}},
		{"router solicitations", "atk6-flood_rs6", []string{"-s", "near0"}},
		{"multicast reports", "atk6-flood_mld26", []string{"near0", six}},
		{"redirects", "atk6-flood_redir6", []string{"near0", six}},
		{"unreachables from everywhere", "atk6-flood_unreach6", []string{"-R", "near0", six}},
		{"pings from all of the link", "atk6-ndpexhaust26", []string{"-p", "-r", "near0", six + "/128"}},
		{"packets too big", "atk6-ndpexhaust26", []string{"-r", "near0", six + "/128"}},
		{"IPv6 SYNs from everywhere", "atk6-thcsyn6", []string{"-R", "near0", six, port}},
	} {
		t.Run(f.name, func(t *testing.T) {
			testnet.NeedTool(t, f.program)
			veth(t).survives(t, f)
		})
	}
}

const echoPort = 7

// survives lets a flood come while connections of the kernel's are used, until
// the host has had some ten thousand packets of it. What a bound is for the
// memory that is held afterwards is far below what that many would take if each
// left something behind that is worth the name.
func (w *world) survives(t *testing.T, f flood) {
	const packets, memory, routes, addrs = 10_000, 16 << 20, 64, 32
	for _, a := range families {
		everybody := netip.PrefixFrom(netip.IPv4Unspecified(), 0)
		if a.berth.Is6() {
			everybody = netip.PrefixFrom(netip.IPv6Unspecified(), 0)
		}
		if err := w.berth.AddRoute(berth.Route{Dst: everybody, Via: a.kernel}); err != nil {
			t.Fatal(err)
		}
		w.echoes(t, netip.AddrPortFrom(a.berth, echoPort))
	}
	var conns []*net.TCPConn
	exchange := func() error {
		for i, c := range conns {
			b := []byte{byte(i)}
			if _, err := c.Write(b); err != nil {
				return fmt.Errorf("over %s: %w", families[i%2].name, err)
			}
			if _, err := io.ReadFull(c, b); err != nil || b[0] != byte(i) {
				return fmt.Errorf("over %s: %d came back, %w", families[i%2].name, b[0], err)
			}
		}
		return nil
	}
	mustExchange := func(when string) {
		t.Helper()
		if err := exchange(); err != nil {
			t.Fatalf("%s, %v", when, err)
		}
	}
	dial := func(when string) {
		for _, a := range families {
			c, err := w.kernelDial(t, netip.AddrPort{}, netip.AddrPortFrom(a.berth, echoPort))
			if err != nil {
				t.Fatalf("%s, over %s: %v", when, a.name, err)
			}
			conns = append(conns, c)
		}
	}
	dial("before")
	mustExchange("before")
	before := held()

	cmd := w.kernel.Command(w.ctx, f.program, f.args...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	// The flood ends when there was enough of it, whatever becomes of the
	// connections meanwhile: a slow host loses most of what is for them, too.
	in := &w.berth.Counters().IP.In
	var during atomic.Uint64
	var over atomic.Bool
	used := make(chan error, 1)
	go func() {
		for !over.Load() {
			if err := exchange(); err != nil {
				used <- err
				return
			}
			during.Add(1)
		}
		used <- nil
	}()
	const own = 6 // packets of the connections' for one time, at most
	for start := in.Load(); in.Load()-start < packets+during.Load()*own; time.Sleep(time.Millisecond) {
		select {
		case err := <-ended:
			t.Fatalf("%s ended after %d packets: %v: %s", f.program, in.Load()-start, err, out.String())
		case <-w.ctx.Done():
			t.Fatalf("%d packets came", in.Load()-start)
		default:
		}
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	<-ended
	over.Store(true)
	if err := <-used; err != nil {
		t.Fatalf("while it lasted, %v", err)
	}
	t.Logf("%d times there and back meanwhile", during.Load())
	mustExchange("afterwards")
	dial("afterwards")
	mustExchange("afterwards")
	if after := held(); after > before+memory {
		t.Errorf("%d MiB are held that were not before", (after-before)>>20)
	}
	if n := len(w.berth.Routes()); n > routes {
		t.Errorf("%d routes", n)
	}
	if n := len(w.berth.Interfaces()[1].Addrs()); n > addrs {
		t.Errorf("%d addresses", n)
	}
}

// echoes sends back what comes over connections to an address of berth's.
func (w *world) echoes(t *testing.T, at netip.AddrPort) {
	t.Helper()
	ln, err := netconn.Listen(w.berth, "tcp", at.String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				_, _ = io.Copy(c, c)
			}()
		}
	}()
}

// held is how many bytes are on the heap.
func held() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
