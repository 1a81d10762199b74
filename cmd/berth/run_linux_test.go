package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// A user runs berth: whoever runs the tests, and if that is root, one without
// privileges as well.
type user struct {
	name       string
	credential *syscall.Credential
}

func users() []user {
	all := []user{{name: "self"}}
	if os.Geteuid() == 0 {
		all = append(all, user{"nobody", &syscall.Credential{Uid: 65534, Gid: 65534}})
	}
	return all
}

// asEach runs a test as each user, or skips it where there are no boxes.
func asEach(t *testing.T, f func(t *testing.T, u user)) {
	for _, u := range users() {
		t.Run(u.name, func(t *testing.T) {
			if r := u.run(t, "true"); r.status == exitRun && strings.Contains(r.stderr, "remedy:") && os.Getenv("CI") != "true" {
				t.Skip(r.stderr)
			}
			f(t, u)
		})
	}
}

// command prepares 'berth run' with its arguments.
func (u user) command(ctx context.Context, args ...string) *exec.Cmd {
	// The test binary may lie where only root can look; through /proc it is found.
	cmd := exec.CommandContext(ctx, "/proc/self/exe", append([]string{"run"}, args...)...)
	cmd.Env = append(os.Environ(), "BERTH_TEST_AS_COMMAND=1", "HOME=/", "GORACE=atexit_sleep_ms=0")
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: u.credential}
	return cmd
}

func (u user) run(t *testing.T, args ...string) result {
	t.Helper()
	cmd := u.command(t.Context(), args...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	if _, ok := errors.AsType[*exec.ExitError](err); err != nil && !ok {
		t.Fatal(err)
	}
	return result{out.String(), errs.String(), cmd.ProcessState.ExitCode()}
}

func needTool(t *testing.T, name string) {
	t.Helper()
	if _, err := exec.LookPath(name); err != nil {
		t.Skip(err)
	}
}

func TestRunStatus(t *testing.T) {
	asEach(t, func(t *testing.T, u user) {
		for _, tt := range []struct {
			args   []string
			status int
			says   string
		}{
			{[]string{"true"}, 0, ""},
			{[]string{"--", "sh", "-c", "exit 42"}, 42, ""},
			{[]string{"sh", "-c", "exit 2"}, 2, ""},
			{[]string{"--", "sh", "-c", "kill -TERM $$"}, 128 + 15, ""},
			{[]string{"--", "sh", "-c", "kill -KILL $$"}, 128 + 9, ""},
			{[]string{"--", "no-such-program"}, 127, "berth run: no-such-program: command not found\n"},
			{[]string{"--", "/no/such/program"}, 127, "berth run: /no/such/program: no such file or directory\n"},
			{[]string{"--", "/etc"}, 126, "berth run: /etc: is a directory\n"},
			{[]string{"--", "/etc/passwd"}, 126, "berth run: /etc/passwd: permission denied\n"},
			{[]string{"--net", "nix", "true"}, 125, `unknown --net "nix"`},
			{[]string{"--no-such-flag", "true"}, 125, "unknown flag --no-such-flag"},
			{[]string{"--allow", "a:99999", "true"}, 125, `column 3: this is not a port: "99999"`},
			{[]string{"-p", "80", "true"}, 125, "there is no port inside"},
			{[]string{"--policy", "/no/such/file", "true"}, 125, "no such file"},
			// What could not be written at the end is said at the beginning.
			{[]string{"--learn", "/no/such/file", "sh", "-c", "echo it ran. >&2"}, 125, "berth run: open /no/such/file: no such file or directory\n"},
			{[]string{"--learn", "/", "sh", "-c", "echo it ran. >&2"}, 125, "berth run: open /: is a directory\n"},
			{[]string{"--events", "/no/such/file", "sh", "-c", "echo it ran. >&2"}, 125, "berth run: open /no/such/file: no such file or directory\n"},
			{[]string{"--pcap", "/no/such/file", "sh", "-c", "echo it ran. >&2"}, 125, "berth run: open /no/such/file: no such file or directory\n"},
			{nil, 125, "no program is given"},
			{[]string{"--loopback", "192.0.0.9", "--", "true"}, 125, "--loopback takes an address behind an =: --loopback=192.0.0.9"},
			{[]string{"--line", "a.example delay=1ms", "true"}, 125, "there is no colon behind the destination"},
		} {
			r := u.run(t, tt.args...)
			if r.status != tt.status || !strings.Contains(r.stderr, tt.says) || tt.says == "" && r.stderr != "" {
				t.Errorf("berth run %s: status %d, want %d; it said %q, want %q", strings.Join(tt.args, " "), r.status, tt.status, r.stderr, tt.says)
			}
		}
	})
}

// TestRunStreams: they are the program's, as they are.
func TestRunStreams(t *testing.T) {
	asEach(t, func(t *testing.T, u user) {
		cmd := u.command(t.Context(), "--", "sh", "-c", "cat; echo error >&2")
		cmd.Stdin = strings.NewReader(strings.Repeat("0123456789", 100_000))
		var out, errs bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &errs
		if err := cmd.Run(); err != nil || out.Len() != 1_000_000 || errs.String() != "error\n" {
			t.Errorf("%d bytes came back, and %q, %v", out.Len(), errs.String(), err)
		}
		// Who reads sees the end when the program closes its end, though it goes on.
		cmd = u.command(t.Context(), "--", "sh", "-c", "exec >&-; read line; exit 5")
		in, err := cmd.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		pipe, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		if b, err := io.ReadAll(pipe); len(b) != 0 || err != nil {
			t.Errorf("%q, %v", b, err)
		}
		fmt.Fprintln(in)
		if err := cmd.Wait(); cmd.ProcessState.ExitCode() != 5 {
			t.Error(err)
		}
	})
}

// server is a web server on the loopback of the machine.
func server(t *testing.T) (port string) {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprintln(w, "for", r.Host) }))
	t.Cleanup(s.Close)
	_, port, err := net.SplitHostPort(s.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port
}

func TestRunLoopback(t *testing.T) {
	needTool(t, "curl")
	port := server(t)
	url := "http://host.berth.internal:" + port + "/"
	asEach(t, func(t *testing.T, u user) {
		for _, tt := range []struct {
			args string
			url  string
			out  string // "" for a refusal
			says string
		}{
			{"--loopback", url, "for host.berth.internal:" + port + "\n", ""},
			{"--loopback", "http://192.0.0.3:" + port, "for 192.0.0.3:" + port + "\n", ""},
			{"--loopback=192.0.0.9", url, "for host.berth.internal:" + port + "\n", ""},
			{"--net host-only", url, "for host.berth.internal:" + port + "\n", ""},
			{"--net host-only", "http://203.0.113.1/", "", "denied tcp 203.0.113.1:80 (--net host-only ends at this machine)"},
			{"--loopback --deny host.berth.internal", url, "", "denied by the rule host.berth.internal"},
			{"--loopback", "http://127.0.0.1:" + port, "", ""}, // the program's own
			{"", url, "", ""},
			{"--net none", url, "", ""},
			{"", "http://169.254.169.254/", "", "denied tcp 169.254.169.254:80"},
			{"--allow tcp/203.0.113.1:80", "http://203.0.113.1:22/", "", "denied tcp 203.0.113.1:22 (no rule allows port 22)"},
			{"--allow 198.51.100.1", "http://[2001:db8::1]/", "", "denied tcp [2001:db8::1]:80"},
			{"--quiet --allow 198.51.100.1", "http://203.0.113.1/", "", ""},
		} {
			args := append(strings.Fields(tt.args), "--", "curl", "-s", "--noproxy", "*", "--max-time", "20", tt.url)
			r := u.run(t, args...)
			if r.stdout != tt.out || (r.status == 0) != (tt.out != "") || !strings.Contains(r.stderr, tt.says) || tt.says == "" && r.stderr != "" {
				t.Errorf("berth run %s: status %d, %q, it said %q, want %q", strings.Join(args, " "), r.status, r.stdout, r.stderr, tt.says)
			}
			if r.status == 28 {
				t.Errorf("berth run %s: not a refusal but a time-out", strings.Join(args, " "))
			}
		}
	})
}

func TestRunPrograms(t *testing.T) {
	port := server(t)
	asEach(t, func(t *testing.T, u user) {
		for _, tt := range []struct{ args, out string }{
			{"python3 -c import/urllib.request;print(urllib.request.urlopen('http://host.berth.internal:" + port + "').read())", "for host.berth.internal:" + port},
			{"ping -c 1 -W 5 192.0.0.1", "1 received"},
			{"ping -c 1 -W 5 127.0.0.1", "1 received"},
			{"ping -c 1 -W 5 fd62:6572:7468::1", "1 received"},
			{"dig +short host.berth.internal", "192.0.0.3"},
			{"dig +short +tcp host.berth.internal AAAA", "fd62:6572:7468::3"},
			{"dig @fd62:6572:7468::1 +short localhost", "127.0.0.1"},
			{"getent hosts host.berth.internal", "host.berth.internal"},
			{"node -e fetch('http://host.berth.internal:" + port + "').then(r=>r.text()).then(console.log)", "for host.berth.internal:" + port},
		} {
			args := strings.Fields(tt.args)
			args[len(args)-1] = strings.Replace(args[len(args)-1], "import/", "import ", 1)
			if _, err := exec.LookPath(args[0]); err != nil {
				t.Log(err)
				continue
			}
			if u.credential != nil && u.run(t, "--net", "none", "--", args[0], "--version").status == 126 {
				t.Logf("%s is not for %s", args[0], u.name)
				continue
			}
			if r := u.run(t, append([]string{"--loopback", "--"}, args...)...); !strings.Contains(r.stdout, tt.out) {
				t.Errorf("%s: status %d, %s%s", tt.args, r.status, r.stdout, r.stderr)
			}
		}
	})
}

// TestRunLines: a line of its own, by a flag or by the policy file, is that of its
// destination alone.
func TestRunLines(t *testing.T) {
	needTool(t, "ping")
	file := filepath.Join(t.TempDir(), "lines.yaml")
	if err := errors.Join(os.WriteFile(file, []byte("lines:\n  - {to: 192.0.0.1, loss: 100%}\n"), 0o644),
		os.Chmod(filepath.Dir(file), 0o755), os.Chmod(filepath.Dir(filepath.Dir(file)), 0o755)); err != nil {
		t.Fatal(err)
	}
	asEach(t, func(t *testing.T, u user) {
		for _, flags := range [][]string{
			{"--line", "icmp/192.0.0.1: loss=100%"},
			{"--policy", file},
			{"--loss", "100%", "--line", "fd62:6572:7468::1: profile=perfect"},
		} {
			args := append(slices.Clone(flags), "--", "sh", "-c", "ping -n -q -c 2 -i 0.1 -W 1 192.0.0.1; ping -n -q -c 2 -i 0.1 -W 5 fd62:6572:7468::1")
			r := u.run(t, args...)
			if !strings.Contains(r.stdout, " 0 received") || !strings.Contains(r.stdout, " 2 received") {
				t.Errorf("%s: %s%s", strings.Join(flags, " "), r.stdout, r.stderr)
			}
		}
	})
}

// TestRunPublish: the outside reaches a port of the program's.
func TestRunPublish(t *testing.T) {
	needTool(t, "curl")
	asEach(t, func(t *testing.T, u user) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		exe, err := os.Executable()
		if err != nil || u.credential != nil {
			t.Skip("the test binary is not for everybody")
		}
		cmd := u.command(ctx, "-p", "0:7", "--", exe, "echo", ":7")
		errs, err := cmd.StderrPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		defer cmd.Wait()
		defer cancel()
		var at string
		all := make([]byte, 0, 1000)
		for !strings.Contains(string(all), "listening on") {
			n, err := errs.Read(all[len(all):cap(all)])
			if err != nil {
				t.Fatalf("%v: %s", err, all)
			}
			all = all[:len(all)+n]
		}
		if _, err := fmt.Sscanf(string(all), "berth: tcp %s is port 7", &at); err != nil {
			t.Fatalf("%v: %s", err, all)
		}
		c, err := net.Dial("tcp", at)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		fmt.Fprint(c, "echo")
		c.(*net.TCPConn).CloseWrite()
		if b, err := io.ReadAll(c); string(b) != "echo" || err != nil {
			t.Errorf("%q came back, %v", b, err)
		}
	})
}

// TestRunDrains: what the program wrote last arrives, though it has ended.
func TestRunDrains(t *testing.T) {
	needTool(t, "curl")
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	const size = 3_000_000
	got := make(chan int64)
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			n, _ := io.Copy(io.Discard, c)
			c.Close()
			got <- n
		}
	}()
	_, port, _ := net.SplitHostPort(ln.Addr().String())
	asEach(t, func(t *testing.T, u user) {
		script := fmt.Sprintf("head -c %d /dev/zero > /dev/tcp/192.0.0.3/%s", size, port)
		if r := u.run(t, "--loopback", "--", "bash", "-c", script); r.status != 0 {
			t.Fatal(r.stderr)
		}
		if n := <-got; n != size {
			t.Errorf("%d bytes of %d arrived", n, size)
		}
	})
}

func TestRunFiles(t *testing.T) {
	needTool(t, "curl")
	port := server(t)
	dir := t.TempDir()
	if err := errors.Join(os.Chmod(dir, 0o777), os.Chmod(filepath.Dir(dir), 0o755)); err != nil {
		t.Fatal(err)
	}
	asEach(t, func(t *testing.T, u user) {
		file := func(name string) string { return filepath.Join(dir, u.name+name) }
		r := u.run(t, "--loopback", "--pcap", file(".pcapng"), "--events", file(".jsonl"), "--learn", file(".yaml"),
			"--", "curl", "-s", "-4", "http://host.berth.internal:"+port+"/")
		if r.status != 0 {
			t.Fatal(r.stderr)
		}
		for name, want := range map[string]string{
			".pcapng": "GET / HTTP/1.1\r\nHost: host.berth.internal:" + port,
			".jsonl":  `"name":"host.berth.internal","allow":true`,
			".yaml":   `allow: "tcp/host.berth.internal@192.0.0.3:` + port + `"`,
		} {
			b, err := os.ReadFile(file(name))
			if err != nil || !strings.Contains(string(b), want) {
				t.Errorf("%s: there is no %q: %v\n%.2000s", name, want, err, b)
			}
		}
		// What was learned lets it do that again, and nothing else.
		args := []string{"--loopback", "--policy", file(".yaml"), "--", "curl", "-s", "-4"}
		if r := u.run(t, append(args, "http://host.berth.internal:"+port+"/")...); r.status != 0 {
			t.Error(r.stderr)
		}
		if r := u.run(t, append(args, "http://203.0.113.1/")...); !strings.Contains(r.stderr, "berth: denied tcp 203.0.113.1:80") {
			t.Errorf("it says %q", r.stderr)
		}
	})
}

// TestRunWhereNamespacesAreForbidden says what forbids them, and the remedy.
func TestRunWhereNamespacesAreForbidden(t *testing.T) {
	asEach(t, func(t *testing.T, u user) {
		exe, err := os.Executable()
		if err != nil {
			t.Fatal(err)
		}
		if u.credential != nil {
			t.Skip("the test binary is not for everybody")
		}
		r := u.run(t, "--root", "--net", "none", "--", "sh", "-c", "echo 0 > /proc/sys/user/max_user_namespaces; exec "+exe+" run true")
		if r.status != exitRun || !strings.Contains(r.stderr, "user.max_user_namespaces is 0") || !strings.Contains(r.stderr, "sudo sysctl -w user.max_user_namespaces=") {
			t.Errorf("status %d: %s", r.status, r.stderr)
		}
	})
}
