package main

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// elsewhere has the calling goroutine in a network namespace where 203.0.113.0/24,
// which nobody has, is at hand, with a port that accepts. What is started in it is
// there, too.
func elsewhere(t *testing.T) (port string) {
	t.Helper()
	needTool(t, "ip")
	needTool(t, "bash")
	runtime.LockOSThread() // never unlocked: the thread ends with the test
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		t.Skip(err)
	}
	for _, args := range []string{"link set lo up", "route add local 203.0.113.0/24 dev lo"} {
		if out, err := exec.Command("ip", strings.Fields(args)...).CombinedOutput(); err != nil {
			t.Fatalf("ip %s: %v, %s", args, err, out)
		}
	}
	ln, err := net.Listen("tcp4", "0.0.0.0:0")
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
			c.Close()
		}
	}()
	_, port, _ = net.SplitHostPort(ln.Addr().String())
	return port
}

// connects is a shell's function that tells whether a port can be reached.
const connects = `c() { if (exec 3<>/dev/tcp/203.0.113.1/$1) 2>/dev/null; then echo "$1 open."; else echo "$1 closed."; fi; }; `

const choices = "? [y]es, [n]o, [a]lways this name and port, ne[v]er: "

// asked awaits a question about a port of 203.0.113.1.
func (s *session) asked(port string) string {
	s.t.Helper()
	return s.await("berth: allow tcp 203.0.113.1:" + port + choices)
}

func asking(t *testing.T, u user, script string, flags ...string) *session {
	t.Helper()
	args := append([]string{"--quiet", "--ask"}, flags...)
	return onTerminal(t, u.command(t.Context(), append(args, "--", "bash", "-c", connects+script)...))
}

// ends has the program end with a status.
func (s *session) ends(status int) {
	s.t.Helper()
	if s.cmd.Wait(); s.cmd.ProcessState.ExitCode() != status {
		s.t.Errorf("it ended with %v, want %d", s.cmd.ProcessState, status)
	}
}

// TestRunAsk: answers are what they say they are, for as long as they hold, and
// what is to be for good is learned.
func TestRunAsk(t *testing.T) {
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(filepath.Dir(dir), 0o755); err != nil {
		t.Fatal(err)
	}
	asEach(t, func(t *testing.T, u user) {
		port := elsewhere(t)
		learned := filepath.Join(dir, u.name)
		s := asking(t, u, fmt.Sprintf("c %[1]s; c %[1]s; c 9; c 9; c 10; c 11; read line; echo the program got $line.", port),
			"--learn", learned, "--deny", ":11")
		s.asked(port)
		s.typed("perhaps\n")
		s.asked(port)
		s.typed("y\n")
		s.await(port + " open.")
		s.await(port + " open.")
		s.asked("9")
		s.typed("No\n")
		s.await("9 closed.")
		s.await("9 closed.")
		s.asked("10")
		s.typed("never\n")
		s.await("10 closed.")
		s.await("11 closed.") // by a rule: nobody is asked
		s.typed("a line\n")
		s.await("the program got a line.")
		s.ends(0)
		text, err := os.ReadFile(learned)
		want := "  - deny: \"tcp/203.0.113.1:10\"\n  - allow: \"tcp/203.0.113.1:" + port + "\"\n"
		if err != nil || !strings.HasSuffix(string(text), want) {
			t.Errorf("%v: learned was %q, want %q", err, text, want)
		}
	})
}

// TestRunAskPauses: while a question is open the program neither runs nor reads the
// terminal, whose modes are the program's again afterwards, and what was typed
// before is no answer.
func TestRunAskPauses(t *testing.T) {
	asEach(t, func(t *testing.T, u user) {
		port := elsewhere(t)
		s := asking(t, u, `stty -icanon -echo; before=$(stty -g); echo ready.; read -n 2 go
			(while :; do echo tick.; sleep 0.01; done) & echo go.; c `+port+`
			kill $!; [ "$(stty -g)" = "$before" ] && echo same.; read -n 1 key; echo key $key.`)
		s.await("ready.")
		s.typed("go" + "y\ny\n") // more than the program reads
		s.await("go.")
		s.asked(port)
		s.typed("hm\n")
		if said := s.asked(port); strings.Contains(said, "tick") {
			t.Errorf("it went on: %q", said)
		}
		s.typed("n\n")
		s.await(port + " closed.")
		s.await("same.")
		s.typed("k")
		s.await("key k.")
		s.ends(0)
	})
}

// TestRunAskInterrupt: Ctrl-C is no, and reaches the program. Time and Ctrl-D are no, too.
// What is said next begins a line.
func TestRunAskInterrupt(t *testing.T) {
	asEach(t, func(t *testing.T, u user) {
		elsewhere(t)
		s := asking(t, u, `trap 'echo interrupted.' INT; c 9; exit 4`)
		s.asked("9")
		s.typed("\x03")
		s.await("interrupted.")
		s.ends(4)
		s = asking(t, u, `c 9; exit 5`, "--ask-time", "50ms")
		s.asked("9")
		s.await("\r\n9 closed.")
		s.ends(5)
		s = asking(t, u, `c 9; exit 6`)
		s.asked("9")
		s.typed("\x04")
		if said := s.await("9 closed."); !strings.HasSuffix(said, "\r\n9 closed.") {
			t.Errorf("after Ctrl-D it says %q", said)
		}
		s.ends(6)
	})
}

// TestRunAskBesideAShell: a program that has made jobs of its own has the terminal
// back afterwards, and its jobs did not stop for it.
func TestRunAskBesideAShell(t *testing.T) {
	asEach(t, func(t *testing.T, u user) {
		port := elsewhere(t)
		cmd := u.command(t.Context(), "--ask", "--", "bash", "--norc", "--noprofile", "-i")
		cmd.Env = append(cmd.Env, "PS1=$ ")
		s := onTerminal(t, cmd)
		s.await("$ ")
		s.typed("stty -echo; " + connects + "\n")
		s.await("$ ")
		s.typed("bash -c '" + connects + "c " + port + "'\n")
		s.asked(port)
		s.typed("a\n")
		if said := s.await("$ "); !strings.Contains(said, port+" open.") || strings.Contains(said, "Stopped") {
			t.Errorf("it said %q", said)
		}
		s.typed("sh -c 'echo it sleeps.; exec sleep 1000'\n")
		s.await("it sleeps.")
		s.typed("\x1a")
		s.await("Stopped")
		s.await("$ ")
		s.typed("c 9\n") // what is stopped stays so
		s.asked("9")
		s.typed("n\n")
		s.await("9 closed.")
		s.await("$ ")
		s.typed("jobs; kill -9 %1\nexit 7\nexit 7\n")
		s.await("Stopped")
		s.ends(7)
	})
}

func TestRunAskNeedsATerminal(t *testing.T) {
	asEach(t, func(t *testing.T, u user) {
		cmd := u.command(t.Context(), "--ask", "--", "true")
		cmd.SysProcAttr.Setsid = true // a session without one
		out, _ := cmd.CombinedOutput()
		if cmd.ProcessState.ExitCode() != exitRun || !strings.Contains(string(out), "there is no terminal to ask at") {
			t.Errorf("%v: %s", cmd.ProcessState, out)
		}
		if r := u.run(t, "--ask", "--net", "none", "--", "true"); r.status != exitRun || !strings.Contains(r.stderr, "nothing to ask about") {
			t.Errorf("status %d: %s", r.status, r.stderr)
		}
	})
}
