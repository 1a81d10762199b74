package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// labs runs hosts of labs whose files are in a directory of the test's.
type labs struct {
	t    *testing.T
	u    user
	dir  string
	name string // of a lab, in no other process's arguments
}

func newLabs(t *testing.T, u user) *labs {
	t.Helper()
	dir, err := os.MkdirTemp("", "lab") // a socket's path must be short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	return &labs{t, u, dir, strings.ReplaceAll(marker(), ".", "-")}
}

// command is a host of the lab.
func (l *labs) command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := l.u.command(ctx, append([]string{"--lab", l.name, "--host"}, args...)...)
	cmd.Env = append(cmd.Env, "TMPDIR="+l.dir, "XDG_RUNTIME_DIR=")
	return cmd
}

func (l *labs) run(args ...string) result {
	l.t.Helper()
	cmd := l.command(l.t.Context(), args...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	if _, ok := errors.AsType[*exec.ExitError](err); err != nil && !ok {
		l.t.Fatal(err)
	}
	return result{out.String(), errs.String(), cmd.ProcessState.ExitCode()}
}

// background starts a host that stays until the function that is returned ends it.
func (l *labs) background(args ...string) (end func(syscall.Signal)) {
	l.t.Helper()
	ctx, cancel := context.WithCancel(l.t.Context())
	l.t.Cleanup(cancel)
	cmd := l.command(ctx, args...)
	if err := cmd.Start(); err != nil {
		l.t.Fatal(err)
	}
	return func(sig syscall.Signal) {
		_ = cmd.Process.Signal(sig)
		_ = cmd.Wait()
	}
}

// gone waits until nothing is left of the lab.
func (l *labs) gone() {
	l.t.Helper()
	awaitNone(l.t, l.name)
	if left, err := os.ReadDir(l.dir); len(left) > 0 || err != nil {
		l.t.Errorf("%v is left, %v", left, err)
	}
}

// until has a command tried until it succeeds: its server may not be there yet.
func until(command string) string {
	return "for i in $(seq 200); do " + command + " && break; sleep 0.05; done"
}

const webServer = "/usr/bin/python3 -m http.server --bind :: 80"

func (l *labs) web(flags ...string) (end func(syscall.Signal)) {
	return l.background(append(append([]string{"web"}, flags...), append([]string{"--"}, strings.Fields(webServer)...)...)...)
}

// TestRunLab: two programs of two runs on one network, by their names.
func TestRunLab(t *testing.T) {
	needTool(t, "curl")
	needTool(t, "/usr/bin/python3")
	asEach(t, func(t *testing.T, u user) {
		l := newLabs(t, u)
		end := l.web()
		r := l.run("alice", "--", "sh", "-c", until("curl -sf --max-time 5 -o /dev/null http://web/")+
			"; curl -sf -4 http://web/ >/dev/null && curl -sf -6 http://web/ >/dev/null && ping -c 1 -W 5 web >/dev/null && echo reached; curl -s --max-time 5 http://203.0.113.1/ || echo no world")
		if r.status != 0 || r.stdout != "reached\nno world\n" || r.stderr != "" {
			t.Errorf("status %d, %q, %q", r.status, r.stdout, r.stderr)
		}
		// One that comes later finds those that are there, and they find it.
		if r := l.run("bob", "--", "sh", "-c", "curl -sf --max-time 5 -o /dev/null http://web/ && grep -c alice /etc/hosts"); r.stdout != "2\n" {
			t.Errorf("status %d, %q, %q", r.status, r.stdout, r.stderr)
		}
		if r := l.run("web", "--", "true"); r.status != exitRun || !strings.Contains(r.stderr, "there is a host web already") {
			t.Errorf("a second web: status %d, %q", r.status, r.stderr)
		}
		for _, pid := range processesWith(l.name) { // it would keep from its end who reads from those who began it
			if line, _ := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "cmdline")); !bytes.HasPrefix(line, []byte("berth-lab\x00")) {
				continue
			}
			fds, _ := filepath.Glob(filepath.Join("/proc", strconv.Itoa(pid), "fd", "*"))
			for _, fd := range fds {
				if to, _ := os.Readlink(fd); strings.HasPrefix(to, "pipe:") {
					t.Errorf("the lab has %s open, %s", fd, to)
				}
			}
		}
		end(syscall.SIGTERM)
		l.gone()
	})
}

// TestRunLabOfAFile: the network is what a file describes, and what the file runs
// on it answers.
func TestRunLabOfAFile(t *testing.T) {
	needTool(t, "/usr/bin/python3")
	shape, err := filepath.Abs("testdata/run/lossy.yaml")
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(shape)
	if err != nil {
		t.Fatal(err)
	}
	asEach(t, func(t *testing.T, u user) {
		l := newLabs(t, u)
		file, report := filepath.Join(l.dir, "shape.yaml"), filepath.Join(l.dir, "report.html")
		if err := os.WriteFile(file, text, 0o644); err != nil {
			t.Fatal(err)
		}
		const script = `
import socket, time
start = time.monotonic()
s = socket.create_connection(("mirror", 7), 20)
s.sendall(b"there and back"); s.shutdown(1)
print(s.recv(100).decode(), time.monotonic() - start >= 0.1)` // two round trips of 50 ms
		r := l.run("client", "--shape", file, "--report", report, "--", "/usr/bin/python3", "-c", script)
		if r.stdout != "there and back True\n" || r.stderr != "" {
			t.Errorf("status %d, %q, %q", r.status, r.stdout, r.stderr)
		}
		awaitNone(t, l.name)
		if page, err := os.ReadFile(report); !bytes.Contains(page, []byte("<html")) || len(page) < 50_000 || err != nil {
			t.Errorf("the report has %d bytes, %v", len(page), err)
		}
		for _, name := range []string{file, report} {
			if err := os.Remove(name); err != nil {
				t.Error(err)
			}
		}
		l.gone()
	})
}

// TestRunLabKilled: when the hosts are killed nothing is left, and when the lab is,
// another can begin.
func TestRunLabKilled(t *testing.T) {
	asEach(t, func(t *testing.T, u user) {
		l := newLabs(t, u)
		for range 5 {
			a := l.background("a", "--", "sleep", "1000")
			b := l.background("b", "--", "sleep", "1000")
			a(syscall.SIGKILL)
			b(syscall.SIGKILL)
			l.gone()
		}
		a := l.background("a", "--", "sleep", "1000")
		for late := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
			if r := l.run("b", "--", "true"); r.status == 0 {
				break
			} else if time.Now().After(late) {
				t.Fatal(r.stderr)
			}
		}
		for _, pid := range processesWith(l.name) {
			if line, _ := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "cmdline")); bytes.HasPrefix(line, []byte("berth-lab\x00")) {
				_ = syscall.Kill(pid, syscall.SIGKILL)
			}
		}
		if r := l.run("a", "--", "true"); r.status != 0 {
			t.Errorf("after the lab was killed: %q", r.stderr)
		}
		a(syscall.SIGTERM)
		l.gone()
	})
}

func TestRunLabMistakes(t *testing.T) {
	bad := filepath.Join(t.TempDir(), "bad.yaml")
	if err := errors.Join(os.WriteFile(bad, []byte("hosts: [a]\nlinks:\n  - betwen: [a, b]\n"), 0o644), os.Chmod(filepath.Dir(bad), 0o755), os.Chmod(filepath.Dir(filepath.Dir(bad)), 0o755)); err != nil {
		t.Fatal(err)
	}
	good, err := os.ReadFile("testdata/run/lossy.yaml")
	if err != nil {
		t.Fatal(err)
	}
	asEach(t, func(t *testing.T, u user) {
		l := newLabs(t, u)
		file := filepath.Join(l.dir, "shape.yaml")
		if err := os.WriteFile(file, good, 0o644); err != nil {
			t.Fatal(err)
		}
		for _, tt := range []struct {
			args string
			says string
		}{
			{"alice --allow * -- true", "--allow has no meaning in a lab"},
			{"alice --net none -- true", "--net has no meaning in a lab"},
			{"a/b -- true", `--host "a/b" is no name`},
			{"a --shape " + bad + " -- true", bad + ":3:5"},
			{"a --shape /no/such/file -- true", "there is no such file"},
			{"nobody --shape " + file + " -- true", "the lab has no host nobody; there are client, web"},
			{"mirror --shape " + file + " -- true", "the file itself runs something on mirror"},
			{"hub --shape " + file + " -- true", "the lab has no host hub"},
			{"switch -- true", "the name of the switch"},
		} {
			r := l.run(strings.Fields(tt.args)...)
			if r.status != exitRun || !strings.Contains(r.stderr, tt.says) {
				t.Errorf("%s: status %d, %q, want %q", tt.args, r.status, r.stderr, tt.says)
			}
			awaitNone(t, l.name) // the next is to begin a lab of its own
		}
		if err := os.Remove(file); err != nil {
			t.Error(err)
		}
		l.gone()
	})
	r := run(t, "", "run", "--host", "a", "true")
	if r.status != exitRun || !strings.Contains(r.stderr, "--host is about a lab") {
		t.Errorf("status %d, %q", r.status, r.stderr)
	}
}
