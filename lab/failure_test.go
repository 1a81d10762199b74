package lab_test

import (
	"bytes"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"example.com/berth/lab"
)

// failed is a test that has failed.
type failed struct {
	*testing.T
	dir      string
	log      strings.Builder
	cleanups []func()
}

func (f *failed) Failed() bool                    { return true }
func (f *failed) Logf(format string, args ...any) { fmt.Fprintf(&f.log, format+"\n", args...) }
func (f *failed) ArtifactDir() string             { return f.dir }
func (f *failed) Cleanup(c func())                { f.cleanups = append(f.cleanups, c) }

// failure runs a test that fails in a network where packets are lost, and returns
// what it leaves behind.
func failure(t *testing.T) (log, dir string) {
	t.Helper()
	dir = t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		f := &failed{T: t, dir: dir}
		n := lab.New(f, lab.Seed(5))
		web, client := n.Host("web"), n.Host("client")
		l := n.Link(web, client, lab.Delay(10*time.Millisecond), lab.Loss(0.1))
		echo(t, web)
		n.Note("the secrets begin here")
		fmt.Fprintln(n.KeyLog(), "CLIENT_RANDOM", strings.Repeat("ab", 32), strings.Repeat("cd", 48))
		c := dial(t, client, "web:7")
		for range 10 {
			exchange(t, c)
		}
		l.Cut()
		c.Write([]byte("into the dark"))
		time.Sleep(time.Second)
		for _, c := range f.cleanups {
			c()
		}
		log = f.log.String()
	})
	return log, dir
}

func TestAFailureLeavesBehindWhatHappened(t *testing.T) {
	log, dir := failure(t)
	for _, want := range []string{
		"repeat: go test -run '^TestAFailureLeavesBehindWhatHappened$' -lab.seed=5",
		"seed 5", "sockets of web", "sockets of client", "ESTABLISHED", "lost",
		filepath.Join(dir, "lab.html"), "go test -artifacts",
	} {
		if !strings.Contains(log, want) {
			t.Errorf("the log lacks %q:\n%s", want, log)
		}
	}
	for _, file := range []string{"lab.pcapng", "lab.html", "lab.txt"} {
		b, err := os.ReadFile(filepath.Join(dir, file))
		if err != nil || len(b) == 0 {
			t.Errorf("%s: %d bytes, %v", file, len(b), err)
		}
	}
	text, _ := os.ReadFile(filepath.Join(dir, "lab.txt"))
	for _, want := range []string{"web", "client", "lost: the link is cut", "the secrets begin here"} {
		if !bytes.Contains(text, []byte(want)) {
			t.Errorf("the ladder lacks %q:\n%s", want, text)
		}
	}
}

func TestWiresharkReadsTheCapture(t *testing.T) {
	tshark, err := exec.LookPath("tshark")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip("no tshark")
	}
	_, dir := failure(t)
	out, err := exec.Command(tshark, "-r", filepath.Join(dir, "lab.pcapng"), "-o", "nameres.network_name:TRUE", "-T", "fields",
		"-e", "frame.interface_name", "-e", "_ws.col.Source", "-e", "frame.comment", "-e", "_ws.col.Info").CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, want := range []string{"web/eth0\tweb\t", "client/eth0\tclient\t", "\tlost\t", "\tlost: the link is cut\t", "[SYN, ACK]"} {
		if !strings.Contains(string(out), want) {
			t.Errorf("tshark does not show %q:\n%s", want, out)
		}
	}
	if strings.Contains(string(out), "Malformed") || strings.Contains(string(out), "incorrect") {
		t.Errorf("tshark finds faults:\n%s", out)
	}
}

// A connection attempt of 5 seconds fails if three SYNs in a row, or the answers to
// them, are lost. Of all that a lossy link does in the meantime, those are left.
func TestMinimise(t *testing.T) {
	attempt := func(opts ...lab.Option) (failed bool, faults []lab.Fault) {
		synctest.Test(t, func(t *testing.T) {
			n := lab.New(nil, opts...)
			defer n.Close()
			a, b, _ := n.Pair(lab.Loss(0.4), lab.Delay(time.Millisecond))
			other := n.Host("other")
			n.Link(a, other, lab.Loss(0.4), lab.Delay(time.Millisecond))
			echo(t, b)
			pc, err := a.ListenPacket("udp4", ":5000")
			if err != nil {
				t.Fatal(err)
			}
			for range 20 { // what is lost of this does not matter
				pc.WriteTo([]byte("x"), udp(netip.AddrPortFrom(other.Addr(), 9)))
			}
			d := a.Dialer()
			d.Timeout = 5 * time.Second
			c, err := d.Dial("tcp4", "b:7")
			if err == nil {
				c.Close()
			}
			failed, faults = err != nil, n.Faults()
		})
		return failed, faults
	}
	seed := lab.Seed(1)
	failed, faults := attempt(seed)
	for s := uint64(2); !failed && s < 200; s++ {
		seed = lab.Seed(s)
		failed, faults = attempt(seed)
	}
	if !failed {
		t.Fatal("no seed fails")
	}
	left := lab.Minimise(faults, func(only lab.Option) bool {
		failed, _ := attempt(seed, only)
		return failed
	})
	if len(left) >= len(faults) || len(left) < 2 || len(left) > 4 {
		t.Errorf("of %d faults %d are left: %v", len(faults), len(left), left)
	}
	for _, f := range left {
		if f.Way != "a>b" && f.Way != "b>a" {
			t.Errorf("%v has nothing to do with it", f)
		}
	}
	if failed, _ := attempt(seed, lab.Only(left)); !failed {
		t.Error("with what is left it does not fail")
	}
}
