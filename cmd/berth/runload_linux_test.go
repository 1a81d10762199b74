package main

import (
	"crypto/sha256"
	"encoding/hex"
	"flag"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

var transferSize = flag.Int64("transfer", 64<<20, "how many bytes TestRunTransfer takes through a run")

// TestRunTransfer: what the world sends is what the program gets.
func TestRunTransfer(t *testing.T) {
	needTool(t, "curl")
	body := func() io.Reader { return io.LimitReader(rand.NewChaCha8([32]byte{1}), *transferSize) }
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.Copy(w, body()) }))
	t.Cleanup(s.Close)
	sum := sha256.New()
	if _, err := io.Copy(sum, body()); err != nil {
		t.Fatal(err)
	}
	want := hex.EncodeToString(sum.Sum(nil))
	asEach(t, func(t *testing.T, u user) {
		r := u.run(t, "--loopback", "--", "sh", "-c", "curl -s http://192.0.0.3:"+portOf(t, s.Listener)+"/ | sha256sum")
		if !strings.HasPrefix(r.stdout, want) {
			t.Errorf("of %d bytes came those with the hash %.64s, want %s: %s", *transferSize, r.stdout, want, r.stderr)
		}
	})
}

func portOf(t *testing.T, ln net.Listener) string {
	t.Helper()
	_, port, err := net.SplitHostPort(ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// crowd opens a thousand connections, and only when all are open speaks over each.
const crowd = `
import socket, sys
all = [socket.create_connection(("192.0.0.3", int(sys.argv[1])), 60) for _ in range(1000)]
for i, s in enumerate(all): s.sendall(b"%d\n" % i)
print(sum(s.makefile("rb").readline() == b"%d\n" % i for i, s in enumerate(all)))`

// TestRunCrowd: a thousand connections at a time.
func TestRunCrowd(t *testing.T) {
	needTool(t, "/usr/bin/python3")
	ln, err := net.Listen("tcp", "127.0.0.1:0")
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
	asEach(t, func(t *testing.T, u user) {
		r := u.run(t, "--loopback", "--", "sh", "-c", `ulimit -n 2000 && exec /usr/bin/python3 -c "$0" "$1"`, crowd, portOf(t, ln))
		if r.stdout != "1000\n" || r.stderr != "" {
			t.Errorf("%q were answered, status %d: %s", r.stdout, r.status, r.stderr)
		}
	})
}

// TestRunGit clones over HTTP.
func TestRunGit(t *testing.T) {
	needTool(t, "git")
	dir := t.TempDir()
	script := "git init -q r && cd r && echo words > file && git add file && git -c user.name=n -c user.email=e@example.com commit -q -m m && git update-server-info"
	cmd := exec.CommandContext(t.Context(), "sh", "-c", script)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "HOME="+dir)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	s := httptest.NewServer(http.FileServer(http.Dir(filepath.Join(dir, "r", ".git"))))
	t.Cleanup(s.Close)
	asEach(t, func(t *testing.T, u user) {
		r := u.run(t, "--loopback", "--allow", "host.berth.internal:"+portOf(t, s.Listener), "--", "sh", "-c",
			"d=$(mktemp -d) && git clone -q http://host.berth.internal:"+portOf(t, s.Listener)+"/ $d/c && cat $d/c/file; rm -rf $d")
		if r.stdout != "words\n" {
			t.Errorf("status %d, %q, %q", r.status, r.stdout, r.stderr)
		}
	})
}

// TestRunChromium loads a page whose script says what it has computed.
func TestRunChromium(t *testing.T) {
	needTool(t, "chromium")
	if testing.Short() {
		t.Skip("a browser takes its time")
	}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = io.WriteString(w, "<p id=p></p><script>p.textContent = 'six times seven is ' + 6*7</script>")
	}))
	t.Cleanup(s.Close)
	asEach(t, func(t *testing.T, u user) {
		r := u.run(t, "--quiet", "--loopback", "--allow", "host.berth.internal", "--", "sh", "-c",
			`d=$(mktemp -d); HOME=$d timeout 60 chromium --headless --no-sandbox --disable-gpu --disable-dev-shm-usage --user-data-dir=$d --dump-dom "$0" 2>/dev/null; rm -rf $d`,
			"http://host.berth.internal:"+portOf(t, s.Listener)+"/")
		if want := "six times seven is " + strconv.Itoa(42); !strings.Contains(r.stdout, want) {
			t.Errorf("status %d, %q, %q", r.status, r.stdout, r.stderr)
		}
	})
}
