package box

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/netip"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"testing"

	"example.com/berth/link"
	"golang.org/x/sys/unix"
)

func TestMain(m *testing.M) {
	Main()
	attempt()
	os.Exit(m.Run())
}

// nobody is the user that tests run as a second time.
const nobody = 65534

// TestAsAnOrdinaryUser runs the tests of boxes again without privileges.
func TestAsAnOrdinaryUser(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("takes root, to become somebody else: the tests run as an ordinary user anyway")
	}
	// The test binary may lie where only root can look; through /proc it is found.
	cmd := exec.CommandContext(t.Context(), "/proc/self/exe", "-test.run", "^TestBox", "-test.v")
	cmd.Dir = "/"
	cmd.Env = append(os.Environ(), "HOME=/")
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	if !strings.Contains(string(out), "--- PASS: TestBox") {
		t.Skipf("none could run:\n%s", out)
	}
}

// config is a box with addresses and routes.
func config() Config {
	return Config{
		Addrs:    []netip.Prefix{netip.MustParsePrefix("192.0.0.2/29"), netip.MustParsePrefix("fd62::2/64")},
		Gateways: []netip.Addr{netip.MustParseAddr("192.0.0.1"), netip.MustParseAddr("fd62::1")},
	}
}

// start makes a box, or skips the test where there can be none.
func start(t testing.TB, cfg Config) *Box {
	t.Helper()
	b, err := Start(cfg)
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		if strings.Contains(err.Error(), "remedy:") {
			t.Skip(err)
		}
		t.Fatal(err)
	}
	for _, n := range b.Notes() {
		t.Log(n)
	}
	t.Cleanup(func() {
		b.Close()
		if b.Device() != nil {
			b.Device().Close()
		}
	})
	return b
}

// inside runs a command in a box, and returns what it wrote and how it ended.
func inside(t testing.TB, cfg Config, args ...string) (string, Status) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	cfg.Args = args
	cfg.Files[1], cfg.Files[2] = w, w
	b := start(t, cfg)
	err = b.Run()
	w.Close()
	if err != nil {
		t.Fatal(err)
	}
	out, _ := io.ReadAll(r)
	return strings.TrimSpace(string(out)), b.Wait()
}

func sh(t testing.TB, script string) string {
	t.Helper()
	out, status := inside(t, config(), "sh", "-c", script)
	if status.ExitCode() != 0 {
		t.Errorf("%s: %v: %s", script, status, out)
	}
	return out
}

func TestBoxStatus(t *testing.T) {
	for script, want := range map[string]struct {
		status Status
		code   int
	}{
		"exit 0":              {Status{}, 0},
		"exit 7":              {Status{Code: 7}, 7},
		"exit 255":            {Status{Code: 255}, 255},
		"kill -TERM $$":       {Status{Signal: unix.SIGTERM}, 143},
		"kill -KILL $$":       {Status{Signal: unix.SIGKILL}, 137},
		"sleep 1000 & exit 3": {Status{Code: 3}, 3}, // and the other is killed
		"(sleep 0.01 &) ; :":  {Status{}, 0},        // an orphan
	} {
		if _, got := inside(t, Config{}, "sh", "-c", script); got != want.status || got.ExitCode() != want.code {
			t.Errorf("%s: %v, exit code %d, want %d", script, got, got.ExitCode(), want.code)
		}
	}
}

func TestBoxProgramsThatCannotBeExecuted(t *testing.T) {
	dir := t.TempDir()
	file := func(name, text string, mode os.FileMode) string {
		path := dir + "/" + name
		if err := os.WriteFile(path, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	for _, tt := range []struct {
		name string
		code int
		says string
	}{
		{"no-such-program", 127, "command not found"},
		{"", 127, "command not found"},
		{"/no/such/program", 127, "/no/such/program: no such file or directory"},
		{"/", 126, "is a directory"},
		{file("not-executable", "#!/bin/sh\n", 0o644), 126, "permission denied"},
		{"not-executable", 126, "permission denied"},
		{file("no-interpreter", "#!/no/such/interpreter\n", 0o755), 127, "no-interpreter: its interpreter or loader: no such file or directory"},
	} {
		cfg := Config{Args: []string{tt.name}}
		b, err := Start(cfg)
		if err == nil {
			err = b.Run()
			b.Close()
			if s := b.Wait(); err != nil && s.ExitCode() != 137 {
				t.Errorf("%s: %v", tt.name, s)
			}
		}
		program, ok := err.(*ProgramError)
		if !ok || program.ExitCode() != tt.code || !strings.HasSuffix(program.Error(), tt.says) || program.Name != tt.name && tt.name != "" {
			t.Errorf("%q: %v, want exit code %d", tt.name, err, tt.code)
		}
	}
	// Without a line that says who interprets it, it is the shell's.
	if out, status := inside(t, Config{}, file("script", "echo shell $1; exit 4\n", 0o755), "arg"); out != "shell arg" || status.Code != 4 {
		t.Errorf("a script without #! wrote %q, %v", out, status)
	}
}

func TestBoxIdentity(t *testing.T) {
	want := fmt.Sprintf("%d %d", os.Geteuid(), os.Getegid())
	if got := sh(t, "echo $(id -u) $(id -g)"); got != want {
		t.Errorf("the program is %s, want %s", got, want)
	}
	cfg := config()
	cfg.Root = true
	if got, _ := inside(t, cfg, "sh", "-c", "echo $(id -u) $(id -g)"); got != "0 0" {
		t.Errorf("with Root it is %s", got)
	}
	if got := sh(t, "hostname; pwd; umask"); got != outside(t, "hostname; pwd; umask") {
		t.Errorf("it finds itself in %q", got)
	}
}

// outside runs a script outside of any box.
func outside(t testing.TB, script string) string {
	t.Helper()
	out, err := exec.CommandContext(context.Background(), "sh", "-c", script).CombinedOutput()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

func TestBoxNetwork(t *testing.T) {
	for _, veth := range []bool{false, true} {
		cfg := config()
		cfg.Veth, cfg.MTU = veth, 1400
		out, _ := inside(t, cfg, "sh", "-c", "cat /proc/net/dev /proc/net/route /proc/net/ipv6_route; cat /proc/net/if_inet6; ip link show berth0; ip addr show lo")
		for _, want := range []string{
			"berth0\t00000000\t010000C0", // the default route by 192.0.0.1
			"00000000000000000000000000000000 00 00000000000000000000000000000000 00 fd620000000000000000000000000001",
			"fd620000000000000000000000000002", "mtu 1400", "LOOPBACK,UP", "127.0.0.1/8",
		} {
			if !strings.Contains(out, want) {
				t.Errorf("veth %v: there is no %q in\n%s", veth, want, out)
			}
		}
	}
	if out, _ := inside(t, Config{}, "cat", "/proc/net/dev"); strings.Contains(out, "berth0") || !strings.Contains(out, "lo:") {
		t.Errorf("without addresses there are the devices\n%s", out)
	}
}

// frames hands frames on as copies.
type frames chan []byte

func (f frames) Input(in []link.Frame) {
	for i := range in {
		select {
		case f <- in[i].AppendTo(nil):
		default:
		}
	}
}
func (f frames) Changed() {}

// TestBoxDevice: what the program sends comes out of the device.
func TestBoxDevice(t *testing.T) {
	for _, veth := range []bool{false, true} {
		cfg := config()
		cfg.Veth = veth
		cfg.Args = []string{"sh", "-c", "exec 3<>/dev/null; ip neigh add 192.0.0.1 lladdr 02:00:00:00:00:01 dev berth0 2>/dev/null; ping -c 1 -W 1 -p 6265727468 198.51.100.7 >/dev/null; true"}
		cfg.Root = true // for the neighbor's entry
		b := start(t, cfg)
		in := make(frames, 1000)
		if info := b.Device().Info(); info.MTU != DefaultMTU || (info.Medium == link.Ethernet) != veth || info.Offload == 0 {
			t.Errorf("the device is %+v", info)
		}
		if err := b.Device().Attach(in); err != nil {
			t.Fatal(err)
		}
		if err := b.Run(); err != nil {
			t.Fatal(err)
		}
		b.Wait()
		found := false
		for len(in) > 0 {
			if f := <-in; strings.Contains(string(f), "berthberth") {
				found = f[b.Device().Info().Medium.HeaderLen()] == 0x45 // IPv4's header is where it belongs
			}
		}
		if !found {
			t.Errorf("veth %v: the echo request did not come out", veth)
		}
	}
}

func TestBoxOverlays(t *testing.T) {
	before := outside(t, "ls -i /etc/resolv.conf; cat /etc/resolv.conf /etc/hosts")
	cfg := config()
	cfg.Overlays = []Overlay{{Path: "/etc/resolv.conf", Text: "nameserver 192.0.0.1\n"}, {Path: "/etc/hosts", Text: "192.0.0.2 me\n"}, {Path: "/no/such/file"}}
	out, _ := inside(t, cfg, "sh", "-c", "cat /etc/resolv.conf /etc/hosts; mount")
	if !strings.HasPrefix(out, "nameserver 192.0.0.1\n192.0.0.2 me\n") {
		t.Errorf("the program sees\n%s", out)
	}
	if strings.Contains(out, " on /tmp type tmpfs (rw,nosuid,nodev,noexec,relatime,size=1024k") {
		t.Errorf("what the overlays were made in is still there:\n%s", out)
	}
	if after := outside(t, "ls -i /etc/resolv.conf; cat /etc/resolv.conf /etc/hosts"); after != before {
		t.Errorf("outside there is now\n%s\nwas\n%s", after, before)
	}
}

func TestBoxPrivileges(t *testing.T) {
	status := sh(t, "cat /proc/self/status")
	want := []string{"CapInh:\t0000000000000000", "CapAmb:\t0000000000000000", "Seccomp:\t2", "SigBlk:\t0000000000000000"}
	if os.Geteuid() != 0 {
		want = append(want, "CapPrm:\t0000000000000000", "CapEff:\t0000000000000000")
	}
	for _, w := range want {
		if !strings.Contains(status, w) {
			t.Errorf("there is no %q in\n%s", w, status)
		}
	}
}

// TestBoxDescriptors: the program has its standard streams and nothing else, also
// of those that are inherited across executions.
func TestBoxDescriptors(t *testing.T) {
	fd, err := unix.Open("/etc/passwd", unix.O_RDONLY, 0) // not close-on-exec
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	s, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(s)
	if got := sh(t, "cd /proc/self/fd; echo *"); got != "0 1 2" && got != "0 1 2 3" { // 3 is the directory
		t.Errorf("it has %s", got)
	}
	if got := sh(t, "ls -l /proc/self/fd"); strings.Contains(got, "socket") || strings.Contains(got, "passwd") {
		t.Errorf("it has\n%s", got)
	}
}

// TestBoxProcesses: the program sees its own processes only.
func TestBoxProcesses(t *testing.T) {
	if got := sh(t, "ls -d /proc/[0-9]* | wc -l"); len(got) > 1 {
		t.Errorf("it sees %s processes", got)
	}
	if got := sh(t, "kill -9 1; kill -STOP 1; echo still here"); got != "still here" {
		t.Errorf("after it tried to kill its init: %s", got)
	}
}

// TestBoxClose: what runs is killed.
func TestBoxClose(t *testing.T) {
	cfg := config()
	cfg.Args = []string{"sh", "-c", "trap '' TERM HUP INT; sleep 1000 & setsid sleep 1000 & wait; wait"}
	b := start(t, cfg)
	if err := b.Run(); err != nil {
		t.Fatal(err)
	}
	b.Close()
	if s := b.Wait(); s.Signal != unix.SIGKILL {
		t.Errorf("it ended with %v", s)
	}
	if err := b.Signal(unix.SIGTERM); err == nil {
		t.Error("a signal was sent after that")
	}
	// And before it runs.
	cfg.Args = []string{"true"}
	b = start(t, cfg)
	b.Close()
	b.Close()
}

func TestBoxSignals(t *testing.T) {
	for _, sig := range Forwarded {
		if signal.Ignored(sig) {
			continue // by nohup, say: what a shell was told to ignore it cannot trap
		}
		name := strings.TrimPrefix(unix.SignalName(sig.(syscall.Signal)), "SIG")
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		cfg := Config{Args: []string{"sh", "-c", "trap 'echo " + name + "; exit 9' " + name + "; echo ready; while :; do sleep 0.01; done"}}
		cfg.Files[1] = w
		b := start(t, cfg)
		if err := b.Run(); err != nil {
			t.Fatal(err)
		}
		w.Close()
		line := make([]byte, 6)
		io.ReadFull(r, line)
		if err := b.Signal(sig); err != nil {
			t.Error(err)
		}
		out, _ := io.ReadAll(r)
		if s := b.Wait(); strings.TrimSpace(string(out)) != name || s.Code != 9 {
			t.Errorf("%v: it wrote %q and ended with %v", sig, out, s)
		}
		r.Close()
	}
}

// TestBoxOverlayOfAFile: the program sees what somebody writes to it later, and
// cannot write to it itself.
func TestBoxOverlayOfAFile(t *testing.T) {
	f, err := os.CreateTemp(t.TempDir(), "hosts")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	cfg := config()
	cfg.Overlays = []Overlay{{Path: "/etc/resolv.conf", Text: "# none\n"}, {Path: "/etc/hosts", Source: f.Name()}}
	cfg.Args = []string{"sh", "-c", "cat /etc/hosts; echo mine > /etc/hosts; cat /etc/resolv.conf"}
	cfg.Files[1], cfg.Files[2] = w, w
	b := start(t, cfg)
	if _, err := f.WriteString("192.0.0.7 alice\n"); err != nil { // after the program's file system was made
		t.Fatal(err)
	}
	if err := b.Run(); err != nil {
		t.Fatal(err)
	}
	w.Close()
	out, _ := io.ReadAll(r)
	b.Wait()
	if !strings.HasPrefix(string(out), "192.0.0.7 alice\n") || !strings.Contains(string(out), "Read-only") || !strings.HasSuffix(string(out), "# none\n") {
		t.Errorf("the program saw %q", out)
	}
	if after, err := os.ReadFile(f.Name()); string(after) != "192.0.0.7 alice\n" {
		t.Errorf("outside there is %q, %v", after, err)
	}
}

// TestPause: nothing runs until Resume, and what had stopped before still does not.
func TestPause(t *testing.T) {
	out, in, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	b, err := Start(Config{Args: []string{"sh", "-c", `(kill -STOP $(exec sh -c 'echo $PPID'); echo bad) & (while :; do echo tick; done) & wait`}, Files: [3]*os.File{nil, in}})
	in.Close()
	if err != nil {
		t.Skip(err)
	}
	defer b.Close()
	if err := b.Run(); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 1<<20)
	stoppedItself := func() bool {
		return slices.ContainsFunc(processes(), func(p process) bool { return p.state == 'T' && b.Holds(p.group) })
	}
	for !stoppedItself() {
		if n, err := out.Read(buf); err != nil || bytes.Contains(buf[:n], []byte("bad")) {
			t.Fatalf("%.100q, %v", buf[:n], err)
		}
	}
	for range 3 {
		if n, err := out.Read(buf); err != nil || bytes.Contains(buf[:n], []byte("bad")) {
			t.Fatalf("%.100q, %v", buf[:n], err)
		}
		if err := b.Pause(); err != nil {
			t.Fatal(err)
		}
		inside := map[int]bool{b.pid: true}
		for _, p := range processes() { // parents come first
			if inside[p.parent] {
				inside[p.pid] = true
				if p.state != 'T' && p.state != 'Z' {
					t.Errorf("%+v is not stopped", p)
				}
			}
		}
		if len(inside) < 3 {
			t.Errorf("only %v are inside", inside)
		}
		if err := b.Resume(); err != nil {
			t.Fatal(err)
		}
	}
	if !b.Holds(unix.Getpgrp()) || b.Holds(1<<30) {
		t.Error("the program is in the group of this process, and in no other")
	}
}
