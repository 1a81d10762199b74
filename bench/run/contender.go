package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// A contender is a way to give a program a network.
type contender struct {
	name  string
	needs []string // programs in PATH
	// sources are packages that those of needs are built from, in their order, where
	// they are not installed.
	sources []string
	target  string // what stands for the outside's loopback
	// userTCP tells that it ends the program's TCP in a stack of its own, as berth
	// does, and does not lean on the kernel's by its socket options.
	userTCP bool
	berth   string // another binary of berth's
	// start starts a client on a network, told its standard streams by t.
	start func(t *trialRun, client []string) error
}

// contenders are all; berth is the first.
var contenders = []contender{
	{name: "berth", target: "192.0.0.3", start: startBerth},
	{name: "pasta", needs: []string{"pasta"}, target: routerAddr, start: startPasta},
	{name: "slirp4netns", needs: []string{"slirp4netns"}, target: "10.0.2.2", userTCP: true, start: startSlirp},
	{
		name: "gvisor-tap-vsock", needs: []string{"gvproxy", "gvforwarder"}, sources: gvisorTapVsock,
		target: "192.168.127.254", userTCP: true, start: startGvproxy,
	},
	{name: "loopback", target: "127.0.0.1", start: startLoopback},
}

// gvisorTapVsock are its programs, which Go fetches as it fetches any module.
var gvisorTapVsock = []string{
	"github.com/containers/gvisor-tap-vsock/cmd/gvproxy@v0.8.9",
	"github.com/containers/gvisor-tap-vsock/cmd/vm@v0.8.9",
}

func contenderNamed(name string) contender {
	for _, c := range contenders {
		if c.name == name {
			return c
		}
	}
	return contenders[0] // another berth
}

// missing is a program that is needed and not installed.
func (c *contender) missing() string {
	for _, name := range c.needs {
		if _, err := exec.LookPath(name); err != nil {
			return name
		}
	}
	return ""
}

// build makes the programs that are missing, if there are sources, in a directory of
// PATH.
func (c *contender) build(ctx context.Context, dir string) error {
	for i, source := range c.sources {
		if _, err := exec.LookPath(c.needs[i]); err == nil {
			continue
		}
		cmd := exec.CommandContext(ctx, "go", "install", source)
		cmd.Dir = dir // outside of any module
		cmd.Env = append(os.Environ(), "GOBIN="+dir, "CGO_ENABLED=0")
		if b, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("build %s: %w\n%s", source, err, b)
		}
		name, _, _ := strings.Cut(path.Base(source), "@")
		if err := os.Rename(filepath.Join(dir, name), filepath.Join(dir, c.needs[i])); err != nil {
			return err
		}
	}
	return nil
}

// startLoopback has no contender: the client is outside, and what it measures is
// what nobody can better.
func startLoopback(t *trialRun, client []string) error { return t.startClient(client, nil) }

func startBerth(t *trialRun, client []string) error {
	args := []string{t.Berth, "run", "--quiet", "--loopback", "--mtu", strconv.Itoa(t.MTU), "--"}
	return t.startClient(append(args, client...), nil)
}

func startPasta(t *trialRun, client []string) error {
	args := []string{"pasta", "-f", "-q", "--config-net", "-m", strconv.Itoa(t.MTU), "--"}
	return t.startClient(append(args, client...), nil)
}

// startSlirp gives the network to a shell that waits for it in namespaces of its
// own, and then becomes the client.
func startSlirp(t *trialRun, client []string) error {
	if err := t.startClient(afterLine("", client), ownNamespaces()); err != nil {
		return err
	}
	ready, w, err := os.Pipe()
	if err != nil {
		return err
	}
	defer ready.Close()
	cmd := exec.Command("slirp4netns", "--configure", "--mtu", strconv.Itoa(t.MTU), "--ready-fd=3", strconv.Itoa(t.cmd.Process.Pid), "tap0")
	cmd.ExtraFiles = []*os.File{w}
	err = t.startHelper(cmd)
	w.Close()
	if err != nil {
		return err
	}
	if _, err := ready.Read(make([]byte, 1)); err != nil {
		return fmt.Errorf("slirp4netns is not ready: %w", err)
	}
	return t.tell("go")
}

// startGvproxy starts the proxy outside and the forwarder inside, with a Unix
// socket between.
func startGvproxy(t *trialRun, client []string) error {
	socket := filepath.Join(t.dir, "gvproxy.sock")
	mtu := strconv.Itoa(t.MTU)
	if err := t.startHelper(exec.Command("gvproxy", "-listen", "unix://"+socket, "-mtu", mtu, "-ssh-port", "-1")); err != nil {
		return err
	}
	if err := waitFor(socket); err != nil {
		return err
	}
	script := `ip link set lo up
ip tuntap add dev tap0 mode tap
ip link set tap0 mtu ` + mtu + ` address 5a:94:ef:e4:0c:ee up
ip addr add 192.168.127.2/24 dev tap0
ip route add default via 192.168.127.1
gvforwarder -preexisting -iface tap0 -mtu ` + mtu + ` -url unix://` + socket + ` </dev/null >&2 &
`
	if err := t.startClient(afterLine(script, client), ownNamespaces()); err != nil {
		return err
	}
	return t.tell("go")
}

// afterLine is a shell that runs a script, waits for a line, and becomes the
// client.
func afterLine(script string, client []string) []string {
	quoted := make([]string, len(client))
	for i, a := range client {
		quoted[i] = "'" + strings.ReplaceAll(a, "'", `'\''`) + "'"
	}
	return []string{"sh", "-ec", script + "read line\nexec " + strings.Join(quoted, " ")}
}

// ownNamespaces are those of a user and a network, where the user is root.
func ownNamespaces() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNET,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
	}
}
