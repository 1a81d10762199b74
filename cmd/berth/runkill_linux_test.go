package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// marker makes processes of one test known by their command lines.
func marker() string { return fmt.Sprintf("31%09d.5", rand.IntN(1e9)) }

// processesWith are the processes that have a marker among their arguments.
func processesWith(marker string) (pids []int) {
	all, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, path := range all {
		line, _ := os.ReadFile(path) // gone meanwhile
		if bytes.Contains(line, []byte(marker)) {
			pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(path)))
			pids = append(pids, pid)
		}
	}
	return pids
}

// shellWith is the shell that has a marker among its arguments; 0 if there is none.
func shellWith(marker string) int {
	for _, pid := range processesWith(marker) {
		line, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
		if bytes.HasPrefix(line, []byte("sh\x00")) {
			return pid
		}
	}
	return 0
}

// namespaces are the network namespaces of all processes.
func namespaces() map[string]bool {
	all := make(map[string]bool)
	links, _ := filepath.Glob("/proc/[0-9]*/ns/net")
	for _, l := range links {
		if to, err := os.Readlink(l); err == nil {
			all[to] = true
		}
	}
	return all
}

// TestRunKilled kills either side at random moments, and nothing is left.
func TestRunKilled(t *testing.T) {
	times := 100
	if testing.Short() {
		times = 5
	}
	asEach(t, func(t *testing.T, u user) {
		tmp := t.TempDir()
		if err := errors.Join(os.Chmod(tmp, 0o777), os.Chmod(filepath.Dir(tmp), 0o755)); err != nil {
			t.Fatal(err)
		}
		before := namespaces()
		mounts, _ := os.ReadFile("/proc/self/mountinfo")
		devices, _ := os.ReadFile("/proc/net/dev")
		for i := range times {
			m := marker()
			cmd := u.command(t.Context(), "--", "sh", "-c", "trap '' HUP INT TERM; setsid sleep "+m+" & (sleep "+m+" &); sleep "+m)
			cmd.Env = append(cmd.Env, "TMPDIR="+tmp)
			cmd.Dir = tmp
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Duration(rand.IntN(120)) * time.Millisecond) // the moment is what is tested, not waited for
			victim := cmd.Process.Pid
			if program := shellWith(m); i%2 == 1 && program != 0 {
				victim = program
			}
			_ = syscall.Kill(victim, syscall.SIGKILL)
			_ = cmd.Wait()
			awaitNone(t, m)
		}
		for ns := range namespaces() {
			if !before[ns] && len(processesIn(ns)) == 0 {
				t.Errorf("%s is left", ns)
			}
		}
		if after, _ := os.ReadFile("/proc/self/mountinfo"); !bytes.Equal(after, mounts) {
			t.Errorf("mounts outside are now\n%s", after)
		}
		if after, _ := os.ReadFile("/proc/net/dev"); strings.Count(string(after), "\n") != strings.Count(string(devices), "\n") {
			t.Errorf("devices outside are now\n%s", after)
		}
		if left, err := os.ReadDir(tmp); len(left) > 0 || err != nil {
			t.Errorf("%v is left in the directory of temporary files, %v", left, err)
		}
	})
}

// processesIn are those of a namespace.
func processesIn(ns string) (all []string) {
	links, _ := filepath.Glob("/proc/[0-9]*/ns/net")
	for _, l := range links {
		if to, _ := os.Readlink(l); to == ns {
			all = append(all, l)
		}
	}
	return all
}

// awaitNone waits until no process has the marker: the kernel takes a moment.
func awaitNone(t *testing.T, m string) {
	t.Helper()
	for late := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		pids := processesWith(m)
		if len(pids) == 0 {
			return
		}
		if time.Now().After(late) {
			t.Fatalf("processes %v are left", pids)
		}
	}
}

// terminal makes a pseudo-terminal.
func terminal(t *testing.T) (master, slave *os.File) {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Skip(err)
	}
	t.Cleanup(func() { master.Close() })
	n, err := unix.IoctlGetInt(int(master.Fd()), unix.TIOCGPTN)
	if err == nil {
		err = unix.IoctlSetPointerInt(int(master.Fd()), unix.TIOCSPTLCK, 0)
	}
	if err == nil {
		slave, err = os.OpenFile("/dev/pts/"+strconv.Itoa(n), os.O_RDWR|syscall.O_NOCTTY, 0)
	}
	if err != nil {
		t.Skip(err)
	}
	t.Cleanup(func() { slave.Close() })
	return master, slave
}

// session is a command on a terminal of its own.
type session struct {
	t      *testing.T
	cmd    *exec.Cmd
	master *os.File
	in     *bufio.Reader
}

func onTerminal(t *testing.T, cmd *exec.Cmd) *session {
	t.Helper()
	master, slave := terminal(t)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = slave, slave, slave
	cmd.SysProcAttr.Setsid, cmd.SysProcAttr.Setctty = true, true
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	slave.Close()
	// What does not come within a minute does not come; the terminal then ends, and
	// whoever awaits something says what.
	patience := time.AfterFunc(time.Minute, func() { cmd.Process.Kill() })
	t.Cleanup(func() { patience.Stop() })
	return &session{t, cmd, master, bufio.NewReader(master)}
}

// await reads until a text comes, and returns what came.
func (s *session) await(text string) string {
	s.t.Helper()
	var all []byte
	for !bytes.HasSuffix(all, []byte(text)) {
		b, err := s.in.ReadByte()
		if err != nil {
			s.t.Fatalf("%v before %q came: %q", err, text, all)
		}
		all = append(all, b)
	}
	return string(all)
}

func (s *session) typed(text string) {
	s.t.Helper()
	if _, err := s.master.WriteString(text); err != nil {
		s.t.Fatal(err)
	}
}

// TestRunInterrupt: Ctrl-C reaches the program once, and what it does about it is
// its own matter; a signal to berth alone reaches it, too. Each is sent when berth
// has surely taken the last of its kind, since two that wait are one to the kernel:
// what came to berth alone has come through it, and what the terminal sent is
// followed by another kind.
func TestRunInterrupt(t *testing.T) {
	const script = `n=0; trap 'n=$((n+1)); echo "got $n."' INT; trap 'echo "end $n."; exit 6' TERM; echo ready.; while :; do sleep 0.05; done`
	asEach(t, func(t *testing.T, u user) {
		s := onTerminal(t, u.command(t.Context(), "--", "sh", "-c", script))
		alone := func(sig syscall.Signal) {
			if err := s.cmd.Process.Signal(sig); err != nil {
				t.Fatal(err)
			}
		}
		s.await("ready.")
		alone(syscall.SIGINT)
		s.await("got 1.")
		s.typed("\x03")
		s.await("got 2.")
		alone(syscall.SIGTERM)
		s.await("end 2.") // not 3: of the second it was told before
		if s.cmd.Wait(); s.cmd.ProcessState.ExitCode() != 6 {
			t.Errorf("it ended with %v", s.cmd.ProcessState)
		}
	})
}

// TestRunIgnoredSignals: what a shell has its background jobs ignore, the program ignores.
func TestRunIgnoredSignals(t *testing.T) {
	self, err := os.Open("/proc/self/exe") // for everybody
	if err != nil {
		t.Fatal(err)
	}
	defer self.Close()
	var here uint64 // what the test itself was told to ignore: by nohup, say
	status, err := os.ReadFile("/proc/self/status")
	if _, after, ok := strings.Cut(string(status), "SigIgn:"); !ok || err != nil {
		t.Fatal(err)
	} else if _, err := fmt.Sscanf(after, "%x", &here); err != nil {
		t.Fatal(err)
	}
	here &= 0b11
	asEach(t, func(t *testing.T, u user) {
		for _, tt := range []struct {
			trap string
			want uint64 // bits of signals, from SIGHUP on
		}{
			{"", here},
			{"trap '' INT HUP;", here | 0b11},
			{"trap '' INT;", here | 0b10},
		} {
			cmd := u.command(t.Context())
			cmd.Path, cmd.ExtraFiles = "/bin/sh", []*os.File{self}
			cmd.Args = []string{"sh", "-c", tt.trap + " exec /proc/self/fd/3 run -- grep SigIgn /proc/self/status"}
			out, err := cmd.Output()
			var ignored uint64
			if _, scan := fmt.Sscanf(string(out), "SigIgn: %x", &ignored); err != nil || scan != nil {
				t.Fatalf("%q: %v, %v", out, err, scan)
			}
			if ignored &= 0b11; ignored != tt.want {
				t.Errorf("%s the program ignores %b, want %b", tt.trap, ignored, tt.want)
			}
		}
	})
}

// TestRunDiesOfAnInterrupt: if Ctrl-C kills the program it kills berth, so that a shell
// ends its loop, as it does without berth. A program that dies of such a signal by
// itself has a status and no more.
func TestRunDiesOfAnInterrupt(t *testing.T) {
	needTool(t, "bash")
	asEach(t, func(t *testing.T, u user) {
		s := onTerminal(t, u.command(t.Context(), "--", "sh", "-c", "echo ready.; exec sleep 1000"))
		s.await("ready.")
		s.typed("\x03")
		s.cmd.Wait()
		if w := s.cmd.ProcessState.Sys().(syscall.WaitStatus); !w.Signaled() || w.Signal() != syscall.SIGINT {
			t.Errorf("it ended with %v", s.cmd.ProcessState)
		}
		if r := u.run(t, "--", "sh", "-c", "kill -INT $$"); r.status != 128+2 {
			t.Errorf("killed by itself: status %d", r.status)
		}
		loop := exec.CommandContext(t.Context(), "bash", "-c", `for i in 1 2; do "$@"; echo next.; done`, "bash",
			"/proc/self/exe", "run", "--", "sh", "-c", "echo ready.; exec sleep 1000")
		if u.credential != nil {
			t.Skip("the test binary is not for everybody")
		}
		exe, err := os.Executable()
		if err != nil {
			t.Fatal(err)
		}
		one := u.command(t.Context())
		loop.Args[4], loop.Env, loop.Dir, loop.SysProcAttr = exe, one.Env, one.Dir, one.SysProcAttr
		s = onTerminal(t, loop)
		s.await("ready.")
		s.typed("\x03")
		if rest, _ := io.ReadAll(s.in); bytes.Contains(rest, []byte("next.")) {
			t.Errorf("the loop went on: %q", rest)
		}
		s.cmd.Wait()
	})
}

// TestRunJobControl: the shell stops and continues it as any other job.
func TestRunJobControl(t *testing.T) {
	needTool(t, "bash")
	asEach(t, func(t *testing.T, u user) {
		cmd := exec.CommandContext(t.Context(), "bash", "--norc", "--noprofile", "-i")
		run := u.command(t.Context())
		cmd.Env = append(run.Env, "PS1=$ ", "BERTH="+fmt.Sprintf("/proc/%d/exe", os.Getpid()))
		cmd.Dir, cmd.SysProcAttr = "/", &syscall.SysProcAttr{}
		if u.credential != nil {
			t.Skip("the test binary is not for everybody")
		}
		s := onTerminal(t, cmd)
		s.await("$ ")
		s.typed("stty -echo\n")
		s.await("$ ")
		// Where the shell shows the command (fg does) it says nothing that is awaited.
		s.typed("$BERTH run -- sh -c 'while :; do echo ti\"\"ck.; sleep 0.02; done'\n")
		s.await("tick.")
		s.typed("\x1a")
		s.await("Stopped")
		s.await("$ ")
		s.typed("echo between.\n")
		if said := s.await("$ "); strings.Contains(said, "tick") {
			t.Errorf("it was not stopped: %q", said)
		}
		s.typed("fg\n")
		s.await("tick.")
		s.typed("\x03")
		s.await("$ ")
		s.typed("echo status $?.\n")
		s.await("status 130.")
		// A pipe is one job: the reader on the terminal is in the foreground, too.
		s.typed("$BERTH run -- echo through the pipe. | cat\n")
		s.await("through the pipe.")
		// A program that makes jobs itself has the terminal, and gives it back.
		s.typed("$BERTH run -- bash --norc --noprofile -i\n")
		s.await("$ ")
		s.typed("echo inner $((6*7)).; exit 3\n")
		s.await("inner 42.")
		s.await("$ ")
		s.typed("echo status $?.\n")
		s.await("status 3.")
		s.typed("exit\n")
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		context.AfterFunc(ctx, func() { cmd.Process.Kill() })
		cmd.Wait()
	})
}
