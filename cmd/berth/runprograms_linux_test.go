package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"example.com/berth/internal/testnet"
)

// in runs 'berth run' in a namespace, whose loopback nobody else uses.
func (u user) in(t *testing.T, ns *testnet.NS, args ...string) result {
	t.Helper()
	cmd := ns.Command(t.Context(), "/proc/self/exe", append([]string{"run"}, args...)...)
	plain := u.command(t.Context())
	cmd.Env, cmd.Dir = plain.Env, plain.Dir
	cmd.SysProcAttr.Credential = u.credential
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	if _, ok := errors.AsType[*exec.ExitError](err); err != nil && !ok {
		t.Fatal(err)
	}
	return result{out.String(), errs.String(), cmd.ProcessState.ExitCode()}
}

// shared is a directory that every user may look into.
func shared(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := errors.Join(os.Chmod(dir, 0o755), os.Chmod(filepath.Dir(dir), 0o755)); err != nil {
		t.Fatal(err)
	}
	return dir
}

// serveIn runs a server until the test ends, once it has said that it listens.
func serveIn(t *testing.T, ns *testnet.NS, listens string, name string, args ...string) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	cmd := ns.Command(ctx, name, args...)
	r, w := io.Pipe()
	cmd.Stdout, cmd.Stderr = w, w
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		_ = cmd.Wait()
		w.Close()
	})
	lines := bufio.NewScanner(r)
	var said []string
	for lines.Scan() {
		said = append(said, lines.Text())
		if strings.Contains(lines.Text(), listens) {
			go io.Copy(io.Discard, r)
			return
		}
	}
	t.Fatalf("%s does not listen: %s", name, strings.Join(said, "\n"))
}

// TestRunGitOverSSH clones from an sshd of the test's own.
func TestRunGitOverSSH(t *testing.T) {
	testnet.NeedRoot(t)
	for _, tool := range []string{"git", "ssh", "ssh-keygen", "/usr/sbin/sshd"} {
		needTool(t, tool)
	}
	dir := shared(t)
	script := `ssh-keygen -q -t ed25519 -N '' -f host && ssh-keygen -q -t ed25519 -N '' -f key && cp key.pub authorized &&
		echo "[host.berth.internal]:2222 $(cut -d' ' -f1,2 host.pub)" > known &&
		git init -q r && cd r && echo words > file && git add file && git -c user.name=n -c user.email=e@example.com commit -q -m m`
	cmd := exec.CommandContext(t.Context(), "sh", "-c", script)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "HOME="+dir)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	config := fmt.Sprintf("Port 2222\nListenAddress 127.0.0.1\nHostKey %[1]s/host\nAuthorizedKeysFile %[1]s/authorized\n"+
		"StrictModes no\nUsePAM no\nPidFile none\nPasswordAuthentication no\nPermitRootLogin prohibit-password\n", dir)
	if err := os.WriteFile(filepath.Join(dir, "config"), []byte(config), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir("/run/sshd", 0o755); err == nil { // sshd wants it, and services make it
		t.Cleanup(func() { os.Remove("/run/sshd") })
	}
	ns := testnet.New(t)
	serveIn(t, ns, "Server listening", "/usr/sbin/sshd", "-D", "-e", "-f", filepath.Join(dir, "config"))
	asEach(t, func(t *testing.T, u user) {
		key := filepath.Join(dir, u.name)
		text, err := os.ReadFile(filepath.Join(dir, "key"))
		if err == nil {
			err = os.WriteFile(key, text, 0o600)
		}
		if u.credential != nil && err == nil {
			err = os.Chown(key, int(u.credential.Uid), int(u.credential.Gid))
		}
		if err != nil {
			t.Fatal(err)
		}
		clone := fmt.Sprintf("d=$(mktemp -d) && GIT_SSH_COMMAND='ssh -F none -i %s -o UserKnownHostsFile=%s/known' "+
			"git clone -q ssh://root@host.berth.internal:2222%s/r $d/c && cat $d/c/file; rm -rf $d", key, dir, dir)
		r := u.in(t, ns, "--loopback", "--allow", "tcp/host.berth.internal:2222", "--", "sh", "-c", clone)
		if r.stdout != "words\n" {
			t.Errorf("status %d, %q, %q", r.status, r.stdout, r.stderr)
		}
		r = u.in(t, ns, "--loopback", "--deny", "tcp/host.berth.internal:2222", "--", "sh", "-c", clone)
		if r.stdout != "" || !strings.Contains(r.stderr, "berth: denied tcp host.berth.internal:2222") {
			t.Errorf("where it is denied: status %d, %q, %q", r.status, r.stdout, r.stderr)
		}
	})
}

// TestRunIperf3 measures over TCP and UDP, both ways. It is not about how much.
func TestRunIperf3(t *testing.T) {
	testnet.NeedRoot(t)
	needTool(t, "iperf3")
	ns := testnet.New(t)
	serveIn(t, ns, "Server listening", "iperf3", "-s", "--forceflush", "-B", "127.0.0.1")
	asEach(t, func(t *testing.T, u user) {
		for _, flags := range []string{"-n 2M", "-R -n 2M", "-P 4 -n 2M", "-u -b 20M -n 200K", "-u -R -b 20M -n 200K"} {
			args := append([]string{"--loopback", "--", "iperf3", "-J", "-c", "192.0.0.3"}, strings.Fields(flags)...)
			r := u.in(t, ns, args...)
			var said struct {
				Error string
				End   struct {
					// What the server has at the end may be nothing: the end is said over
					// a connection of its own, which may be the first to arrive.
					Sent     struct{ Bytes int64 } `json:"sum_sent"`
					Received struct{ Bytes int64 } `json:"sum_received"`
					Sum      struct{ Bytes int64 }
				}
			}
			if err := json.Unmarshal([]byte(r.stdout), &said); err != nil || said.Error != "" || said.End.Sent.Bytes+said.End.Received.Bytes+said.End.Sum.Bytes == 0 {
				t.Errorf("iperf3 %s: %v, %s, nothing was measured: %+v; %s", flags, err, said.Error, said.End, r.stderr)
			}
		}
	})
}

// TestRunStaticProgram runs a program without libc, that looks up names itself.
func TestRunStaticProgram(t *testing.T) {
	needTool(t, "go")
	exe := filepath.Join(shared(t), "static")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", exe, "./testdata/run/static")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	port := server(t)
	asEach(t, func(t *testing.T, u user) {
		r := u.run(t, "--quiet", "--loopback=192.0.0.9", "--allow", "host.berth.internal", "--", exe, "host.berth.internal", port)
		for _, want := range []string{
			"192.0.0.9 [host.berth.internal", "lookup no-such-name.example on 192.0.0.1:53: no such host", "for host.berth.internal:" + port,
		} {
			if !strings.Contains(r.stdout, want) {
				t.Errorf("status %d: there is no %q in %s%s", r.status, want, r.stdout, r.stderr)
			}
		}
	})
}

// routedBack serves connections to all addresses of a network that leads back to the
// namespace itself, but is none of its own.
func routedBack(t *testing.T, ns *testnet.NS, network string, serve func(net.Conn)) (ln net.Listener) {
	t.Helper()
	if out, err := ns.Command(t.Context(), "ip", "route", "add", "local", network, "dev", "lo").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	var err error
	ns.Do(func() { ln, err = net.Listen("tcp4", "0.0.0.0:0") })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	go func() {
		for c, err := ln.Accept(); err == nil; c, err = ln.Accept() {
			go func() {
				defer c.Close()
				serve(c)
			}()
		}
	}()
	return ln
}

// TestRunOnANewNetwork: a network that the machine comes to while the program runs is
// guarded like those that it was on.
func TestRunOnANewNetwork(t *testing.T) {
	testnet.NeedRoot(t)
	needTool(t, "bash")
	asEach(t, func(t *testing.T, u user) {
		ns := testnet.New(t)
		ln := routedBack(t, ns, "10.123.0.0/24", func(c net.Conn) {})
		script := `c() { (exec 3<>/dev/tcp/10.123.0.1/$0) 2>/dev/null; }; c && echo open. && while c; do sleep 0.01; done; echo closed.`
		cmd := ns.Command(t.Context(), "/proc/self/exe", "run", "--", "bash", "-c", script, portOf(t, ln))
		plain := u.command(t.Context())
		cmd.Env, cmd.Dir = plain.Env, plain.Dir
		cmd.SysProcAttr.Credential = u.credential
		r, w := io.Pipe()
		cmd.Stdout, cmd.Stderr = w, w
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		go func() {
			_ = cmd.Wait()
			w.Close()
		}()
		out := bufio.NewReader(r)
		if line, _ := out.ReadString('\n'); line != "open.\n" {
			t.Fatalf("at first: %q", line)
		}
		ns.Addr("lo", "10.123.0.1/24")
		if rest, _ := io.ReadAll(out); !strings.Contains(string(rest), "is in a network of this machine") {
			t.Errorf("it ended with %q", rest)
		}
	})
}

// TestRunOtherRules: the policy file is read again while flows run, and they go on; with
// a mistake in it the rules stay.
func TestRunOtherRules(t *testing.T) {
	testnet.NeedRoot(t)
	needTool(t, "bash")
	asEach(t, func(t *testing.T, u user) {
		ns := testnet.New(t)
		ln := routedBack(t, ns, "203.0.113.0/24", func(c net.Conn) { io.Copy(c, c) })
		file := filepath.Join(shared(t), "policy.yaml")
		rules := func(text string) {
			t.Helper()
			if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		rules("rules: [{allow: 203.0.113.1}]\n")
		script := `c() { (exec 4<>/dev/tcp/203.0.113.1/$0) 2>/dev/null && echo open. || echo closed.; }
			exec 3<>/dev/tcp/203.0.113.1/$0; while read line; do c; echo $line >&3; read back <&3; echo $back.; done`
		cmd := ns.Command(t.Context(), "/proc/self/exe", "run", "--policy", file, "--", "bash", "-c", script, portOf(t, ln))
		plain := u.command(t.Context())
		cmd.Env, cmd.Dir = plain.Env, plain.Dir
		cmd.SysProcAttr.Credential = u.credential
		r, w := io.Pipe()
		cmd.Stdout, cmd.Stderr = w, w
		in, err := cmd.StdinPipe()
		if err == nil {
			err = cmd.Start()
		}
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			_ = cmd.Wait()
			w.Close()
		}()
		lines := bufio.NewScanner(r)
		await := func(want string) {
			t.Helper()
			var said []string
			for lines.Scan() {
				if said = append(said, lines.Text()); strings.Contains(lines.Text(), want) {
					return
				}
			}
			t.Fatalf("there is no %q in %q", want, said)
		}
		fmt.Fprintln(in, "one")
		await("open.")
		await("one.")
		rules("rules: [{allow: 198.51.100.1}]\n")
		await("berth: the rules are those of " + file + " as it is now")
		fmt.Fprintln(in, "two")
		await("closed.")
		await("two.")
		rules("rules: [{alow: 203.0.113.1}]\n")
		await("berth: the rules stay as they were: " + file + `:1:10: unknown key "alow" in a rule`)
		fmt.Fprintln(in, "three")
		await("closed.")
		await("three.")
		in.Close()
		for lines.Scan() { // to its end
		}
	})
}

// TestRunWithoutResolvConf: where there is no file to lay the program's own over, that is
// said, unless there are no names anyway.
func TestRunWithoutResolvConf(t *testing.T) {
	testnet.NeedRoot(t)
	needTool(t, "unshare")
	for _, tt := range []struct{ flags, says string }{
		{"", "berth: there is no /etc/resolv.conf to lay the program's own over: it will find no names\n"},
		{"--quiet", ""},
		{"--net none", ""},
		{"--verbose", "berth: there is no /etc/hosts to lay the program's own over\n"},
	} {
		cmd := exec.CommandContext(t.Context(), "unshare", "-m", "sh", "-c", "mount -t tmpfs none /etc && exec /proc/self/fd/3 run "+tt.flags+" -- /bin/true")
		self, err := os.Open("/proc/self/exe")
		if err != nil {
			t.Fatal(err)
		}
		cmd.ExtraFiles = []*os.File{self}
		cmd.Env = append(os.Environ(), "BERTH_TEST_AS_COMMAND=1")
		out, err := cmd.CombinedOutput()
		self.Close()
		if err != nil || !strings.Contains(string(out), tt.says) || tt.says == "" && len(out) > 0 {
			t.Errorf("%s: %v, it says %q, want %q", tt.flags, err, out, tt.says)
		}
	}
}

// TestRunWithoutTUN: where there is no /dev/net/tun, a veth pair takes its place.
func TestRunWithoutTUN(t *testing.T) {
	testnet.NeedRoot(t)
	needTool(t, "curl")
	needTool(t, "unshare")
	port := server(t)
	asEach(t, func(t *testing.T, u user) {
		if u.credential != nil {
			t.Skip("mounts are made by root")
		}
		// The device is hidden in a mount namespace: once by nothing, once by one that
		// cannot be opened.
		for _, hide := range []string{"mount -t tmpfs none /dev/net", "mount --bind /dev/null /dev/net/tun"} {
			script := hide + ` && exec /proc/self/fd/3 run --verbose --loopback -- curl -s http://192.0.0.3:` + port
			cmd := exec.CommandContext(t.Context(), "unshare", "-m", "sh", "-c", script)
			self, err := os.Open("/proc/self/exe")
			if err != nil {
				t.Fatal(err)
			}
			cmd.ExtraFiles = []*os.File{self}
			cmd.Env, cmd.SysProcAttr = u.command(t.Context()).Env, &syscall.SysProcAttr{}
			var out, errs bytes.Buffer
			cmd.Stdout, cmd.Stderr = &out, &errs
			err = cmd.Run()
			self.Close()
			if err != nil || out.String() != "for 192.0.0.3:"+port+"\n" || !strings.Contains(errs.String(), "veth") {
				t.Errorf("%s: %v, %q, %s", hide, err, out.String(), errs.String())
			}
		}
	})
}
