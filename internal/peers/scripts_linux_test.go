package peers

import (
	"flag"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"example.com/berth"
	"example.com/berth/internal/testnet"
	"example.com/berth/kernel"
	"example.com/berth/lab/script"
	"example.com/berth/link/tuntap"
	"example.com/berth/socket"
)

// scriptDir may be one of other scripts that Linux is to be asked about.
var scriptDir = flag.String("scripts", "../../lab/script/testdata", "directory of the scripts of TestScripts")

// TestMain lets a dozen scripts run at a time, unless the flag says otherwise: they
// wait for real time to pass, and for namespaces to end. No other test is parallel.
func TestMain(m *testing.M) {
	flag.Parse()
	chosen := false
	flag.Visit(func(f *flag.Flag) { chosen = chosen || f.Name == "test.parallel" })
	if !chosen {
		if err := flag.Set("test.parallel", "12"); err != nil {
			panic(err)
		}
	}
	os.Exit(m.Run())
}

// TestScripts has Linux judge the scripts of package script: each is run against
// the kernel, and must pass there as it does with berth, but for those that
// testdata/scripts.txt excuses, each with the reason. What is excused must fail,
// but where the reason begins with "sometimes".
func TestScripts(t *testing.T) {
	testnet.NeedRoot(t)
	if race {
		t.Skip("scripts run in real time, and Linux's answers are the same without the race detector")
	}
	excuses := readExcuses(t, "testdata/scripts.txt")
	var files, names []string
	err := filepath.WalkDir(*scriptDir, func(file string, d fs.DirEntry, err error) error {
		if filepath.Ext(file) == ".pkt" {
			files = append(files, file)
		}
		return err
	})
	if err != nil || len(files) == 0 {
		t.Fatal(len(files), "scripts,", err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.ToSlash(strings.TrimPrefix(file, *scriptDir+"/")), ".pkt")
		names = append(names, name)
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			why := excuses.of(name)
			s, length := readScript(t, file)
			if length > *longest {
				t.Skipf("the script takes %v, which would be real time", length)
			}
			// A machine that is busy runs timers late, which is no judgment.
			const attempts = 3
			var err error
			for range attempts {
				r := runOnKernel(t, s)
				if err = r.Err; r.Unsupported() {
					t.Skip(err) // a setting of another system, or of another Linux
				}
				if err == nil || why != "" {
					break
				}
			}
			switch {
			case why == "" && err != nil:
				t.Error(err)
			case why != "" && err == nil && !strings.HasPrefix(why, "sometimes"):
				t.Errorf("Linux does what the script expects: it needs no excuse (%s)", why)
			case why != "":
				t.Log("as excused:", why)
			}
		})
	}
	for _, e := range excuses {
		if *scriptDir == flag.Lookup("scripts").DefValue && !slices.ContainsFunc(names, e.match) {
			t.Errorf("%q excuses a script that there is not", e.pattern)
		}
	}
}

// An excuse is why Linux does something else than scripts expect whose names match
// a pattern.
type excuse struct{ pattern, why string }

type excuses []excuse

func (e excuse) match(name string) bool {
	ok, err := path.Match(e.pattern, name)
	return ok && err == nil
}

// of is the reason for a script; empty: it has to pass.
func (list excuses) of(name string) string {
	for _, e := range list {
		if e.match(name) {
			return e.why
		}
	}
	return ""
}

// readExcuses reads lines "pattern: reason".
func readExcuses(t *testing.T, file string) (list excuses) {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(b)) {
		if line = strings.TrimSpace(line); line == "" || line[0] == '#' {
			continue
		}
		pattern, why, ok := strings.Cut(line, ": ")
		if !ok || list.of(pattern) != "" {
			t.Fatalf("%s: %q is no line \"pattern: reason\", or the second of its name", file, line)
		}
		list = append(list, excuse{pattern, why})
	}
	return list
}

// longest is how long a script may take, which here is real time.
var longest = flag.Duration("longest", 2*time.Second, "scripts that take longer are left out of TestScripts")

// readScript reads a script, and tells how long it takes.
func readScript(t *testing.T, file string) (*script.Script, time.Duration) {
	t.Helper()
	src, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	s, err := script.Parse(file, src, nil)
	if err != nil {
		t.Fatal(err)
	}
	return s, s.Run(script.Config{Variant: s.Variants()[0]}).Time
}

// runOnKernel runs a script against the kernel in a namespace of its own.
func runOnKernel(t *testing.T, s *script.Script) *script.Result {
	t.Helper()
	return s.Run(script.Config{
		Variant: s.Variants()[0],
		// What is judged is what the kernel sends, not when.
		Options: []string{"tolerance_usecs=1500000"},
		System:  func(p script.Place) (*script.System, error) { return kernelSystem(t, p) },
	})
}

// kernelSystem is the kernel in a new namespace, with a TUN.
func kernelSystem(t *testing.T, p script.Place) (*script.System, error) {
	ns := testnet.New(t)
	// A new namespace has the sizes of the machine's own, which go by its memory.
	ns.Sysctl("net.ipv4.tcp_rmem", "4096 131072 6291456")
	ns.Sysctl("net.ipv4.tcp_wmem", "4096 16384 4194304")
	dev := ns.TUN(tuntap.HostAddr(p.Local.String()), tuntap.MTU(p.MTU), tuntap.NoOffload())
	var err error
	ns.Do(func() { err = routeAll(dev.Info().Name, p.Route) })
	if err != nil {
		return nil, err
	}
	sockets, err := kernel.InNamespace(fmt.Sprintf("/proc/self/fd/%d", ns.FD()))
	if err != nil {
		return nil, err
	}
	tuned := &tunedSockets{sockets, "cubic"}
	return &script.System{
		Sockets: tuned,
		Device:  dev,
		Sysctl: func(name, value string) (err error) {
			if name == "net.ipv4.tcp_congestion_control" {
				if have, err := os.ReadFile("/proc/sys/net/ipv4/tcp_available_congestion_control"); err != nil ||
					!slices.Contains(strings.Fields(string(have)), value) {
					return fmt.Errorf("this kernel has no %s", value)
				}
				tuned.congestion = value
				return nil
			}
			ns.Do(func() {
				err = os.WriteFile(filepath.Join("/proc/sys", strings.ReplaceAll(name, ".", "/")), []byte(value), 0)
			})
			return err
		},
		Table: func() (list []berth.SocketInfo) {
			ns.Do(func() { list, err = kernelTable() })
			if err != nil {
				t.Error("the kernel's table of sockets:", err)
			}
			return list
		},
		Close: func() {
			dev.Close()
			sockets.Close()
		},
	}, nil
}

// tunedSockets gives TCP sockets their congestion control: a namespace cannot have
// one for all that the machine keeps for the privileged.
type tunedSockets struct {
	*kernel.Provider
	congestion string
}

func (p *tunedSockets) Socket(domain socket.Domain, typ socket.Type, protocol socket.Protocol) (socket.Socket, error) {
	s, err := p.Provider.Socket(domain, typ, protocol)
	if err == nil && typ == socket.STREAM {
		err = s.SetOption(socket.TCP_CONGESTION.ID, p.congestion)
	}
	return s, err
}

// routeAll routes a prefix into an interface of the calling thread's namespace.
func routeAll(ifc string, dst netip.Prefix) error {
	l, err := netlink.LinkByName(ifc)
	if err != nil {
		return err
	}
	to, err := netlink.ParseIPNet(dst.String())
	if err != nil {
		return err
	}
	return netlink.RouteAdd(&netlink.Route{LinkIndex: l.Attrs().Index, Dst: to})
}

// kernelTable are the TCP sockets of the calling thread's namespace.
func kernelTable() (list []berth.SocketInfo, err error) {
	for _, family := range []uint8{unix.AF_INET, unix.AF_INET6} {
		found, err := netlink.SocketDiagTCP(family)
		if err != nil {
			return nil, err
		}
		for _, s := range found {
			list = append(list, berth.SocketInfo{
				Domain: socket.Domain(family), Type: socket.STREAM, Protocol: socket.IPPROTO_TCP, State: socket.TCPState(s.State),
				Local: endOf(s.ID.Source, s.ID.SourcePort), Remote: endOf(s.ID.Destination, s.ID.DestinationPort),
				RecvQueue: int(s.RQueue), SendQueue: int(s.WQueue),
			})
		}
	}
	return list, nil
}

func endOf(ip net.IP, port uint16) netip.AddrPort {
	a, _ := netip.AddrFromSlice(ip)
	return netip.AddrPortFrom(a.Unmap(), port)
}
