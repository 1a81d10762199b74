package testnet

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// Cmd is a command in a namespace. Its fields may be set before it is started,
// as those of an exec.Cmd; start it with the methods of Cmd only.
type Cmd struct {
	*exec.Cmd
	ns *NS
}

// Command prepares a program to run in the namespace. It is killed, with the
// processes that it started, when ctx ends or the test does. The test is skipped
// if the program is not installed.
func (ns *NS) Command(ctx context.Context, name string, args ...string) *Cmd {
	ns.t.Helper()
	NeedTool(ns.t, name)
	ctx, cancel := context.WithCancel(ctx)
	ns.t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = 5 * time.Second // for pipes that a grandchild still holds
	return &Cmd{cmd, ns}
}

// Start starts the command, as exec.Cmd.Start.
func (c *Cmd) Start() error { return c.ns.do(c.Cmd.Start) }

// Run runs the command until it ends, as exec.Cmd.Run.
func (c *Cmd) Run() error {
	if err := c.Start(); err != nil {
		return err
	}
	return c.Wait()
}

// Output runs the command and returns what it wrote to its standard output. An
// error tells what it wrote to its standard error.
func (c *Cmd) Output() (string, error) {
	var stdout, stderr bytes.Buffer
	c.Stdout, c.Stderr = &stdout, &stderr
	err := c.Run()
	if err != nil {
		err = fmt.Errorf("%s: %w: %s", strings.Join(c.Args, " "), err, strings.TrimSpace(stderr.String()))
	}
	return stdout.String(), err
}

// CombinedOutput runs the command and returns what it wrote to its standard
// output and standard error together.
func (c *Cmd) CombinedOutput() (string, error) {
	var out bytes.Buffer
	c.Stdout, c.Stderr = &out, &out
	err := c.Run()
	if err != nil {
		err = fmt.Errorf("%s: %w", strings.Join(c.Args, " "), err)
	}
	return out.String(), err
}
