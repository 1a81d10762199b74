package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// A trialRun is a trial under way: a server in this process, a contender, and a
// client that is talked to by its standard streams.
type trialRun struct {
	Job
	dir     string
	cmd     *exec.Cmd // the client, or the contender that starts it
	helpers []*exec.Cmd
	in      io.WriteCloser
	out     *bufio.Scanner
	said    bytes.Buffer // on standard error
}

// trial does one, and writes its metrics.
func trial(j Job, out io.Writer) error {
	s, err := serve()
	if err != nil {
		return err
	}
	t := &trialRun{Job: j}
	if t.dir, err = os.MkdirTemp("", "run-"); err != nil {
		return err
	}
	defer os.RemoveAll(t.dir)
	defer t.stop()
	m, err := t.run(s)
	if err := errors.Join(err, s.failed()); err != nil {
		t.stop()
		return fmt.Errorf("%w: %s", err, tail(t.said.String()))
	}
	return json.NewEncoder(out).Encode(m)
}

// run starts everything and measures.
func (t *trialRun) run(s *server) (map[string]float64, error) {
	if err := contenderNamed(t.Contender).start(t, []string{t.Program, "client", t.arg()}); err != nil {
		return nil, err
	}
	if err := t.expect("up"); err != nil {
		return nil, err
	}
	idle := spend(t.Program)
	if err := t.tell("connect"); err != nil {
		return nil, err
	}
	if err := t.expect("ready"); err != nil {
		return nil, err
	}
	time.Sleep(t.Warm)
	begin, bytes := spend(t.Program), s.received.Load()
	if err := t.tell("start"); err != nil {
		return nil, err
	}
	time.Sleep(t.Time)
	end, received := spend(t.Program), s.received.Load()-bytes
	if err := t.tell("stop"); err != nil {
		return nil, err
	}
	var r result
	if !t.out.Scan() {
		return nil, errors.Join(errors.New("the client has ended"), t.out.Err())
	}
	if err := json.Unmarshal(t.out.Bytes(), &r); err != nil {
		return nil, fmt.Errorf("the client says %q", t.out.Text())
	}
	r.Bytes += received // of the two one is zero
	return r.metrics(idle, begin, end), nil
}

// startClient starts the command whose standard streams are the client's.
func (t *trialRun) startClient(args []string, attr *syscall.SysProcAttr) (err error) {
	t.cmd = exec.Command(args[0], args[1:]...)
	t.cmd.SysProcAttr = attr
	t.cmd.Stderr = &t.said
	t.cmd.WaitDelay = time.Second
	if t.in, err = t.cmd.StdinPipe(); err != nil {
		return err
	}
	out, err := t.cmd.StdoutPipe()
	if err != nil {
		return err
	}
	t.out = bufio.NewScanner(out)
	return t.cmd.Start()
}

// startHelper starts another process of the contender's.
func (t *trialRun) startHelper(cmd *exec.Cmd) error {
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	cmd.WaitDelay = time.Second
	if err := cmd.Start(); err != nil {
		return err
	}
	t.helpers = append(t.helpers, cmd)
	return nil
}

// tell says a line to the client.
func (t *trialRun) tell(line string) error {
	_, err := io.WriteString(t.in, line+"\n")
	return err
}

// expect waits for a line of the client's.
func (t *trialRun) expect(line string) error {
	if !t.out.Scan() {
		return errors.Join(fmt.Errorf("the client has ended before it was %s", line), t.out.Err())
	}
	if t.out.Text() != line {
		return fmt.Errorf("the client says %q", t.out.Text())
	}
	return nil
}

// stop ends all that was started.
func (t *trialRun) stop() {
	for pid, p := range processes() {
		if p.parent == os.Getpid() {
			_ = syscall.Kill(pid, syscall.SIGTERM)
		}
	}
	if t.cmd != nil && t.cmd.Process != nil {
		_ = t.in.Close()
		kill := time.AfterFunc(2*time.Second, func() { _ = t.cmd.Process.Kill() })
		_ = t.cmd.Wait() // how it ended is no matter
		kill.Stop()
		t.cmd = nil
	}
	for _, h := range t.helpers {
		_ = h.Process.Kill()
		_ = h.Wait()
	}
	t.helpers = nil
}

// waitFor waits for a file.
func waitFor(path string) error {
	for range 500 {
		if _, err := os.Stat(path); err == nil {
			return nil
		}
		time.Sleep(10 * time.Millisecond)
	}
	return fmt.Errorf("there is no %s", path)
}

// tail is the end of what somebody said.
func tail(s string) string {
	s = strings.TrimSpace(s)
	return s[max(0, len(s)-500):]
}
