package nets

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"example.com/berth/bench/internal/host"
	"example.com/berth/bench/internal/netns"
	"example.com/berth/bench/internal/usage"
)

// echoNets are programs that do nothing but echo over TCP on one stack.
var echoNets = []host.Net{
	{Name: "echo-berth", About: "an echo on berth's sockets, on a descriptor it is given", Direct: sizeOf("berth")},
	{Name: "echo-berth-tun", About: "the same, which makes its TUN itself", Direct: sizeOf("berthtun")},
	{Name: "echo-gvisor", About: "an echo on gVisor, on a descriptor it is given", Direct: sizeOf("gvisor")},
	{Name: "echo-net", About: "an echo on package net", Direct: sizeOf("net")},
}

// sizeOf tells how large a program of ./echo is when it is linked and stripped,
// and how much of it is resident when it waits for its first connection.
func sizeOf(program string) map[string]func() (host.Metrics, error) {
	return map[string]func() (host.Metrics, error){
		"size": func() (m host.Metrics, err error) {
			dir, err := os.MkdirTemp("", "berth-echo")
			if err != nil {
				return nil, err
			}
			defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
			file := filepath.Join(dir, program)
			size, err := build(program, file)
			if err != nil {
				return nil, err
			}
			rss, err := idleRSS(file)
			return host.Metrics{"binary_MB": float64(size) / 1e6, "rss_MB": rss / 1e6}, err
		},
	}
}

// build makes a program of ./echo, stripped, and tells how many bytes it has.
func build(program, file string) (int64, error) {
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", file, "example.com/berth/bench/echo/"+program)
	if out, err := cmd.CombinedOutput(); err != nil {
		return 0, fmt.Errorf("%w: %s", err, out)
	}
	info, err := os.Stat(file)
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

// idleRSS starts an echo with a TUN as its descriptor 3 and waits until it says
// that it is ready.
func idleRSS(file string) (float64, error) {
	if err := netns.Tune(); err != nil {
		return 0, err
	}
	fd, err := netns.OpenTUN(netns.TUNConfig{Name: "tun0", MTU: 1500, Addr: kernelAddr + "/24"})
	if err != nil {
		return 0, err
	}
	tun := os.NewFile(uintptr(fd), "tun")
	defer tun.Close()
	cmd := exec.Command(file)
	cmd.ExtraFiles = []*os.File{tun}
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return 0, err
	}
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	defer func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}()
	if _, err := out.Read(make([]byte, 64)); err != nil {
		return 0, fmt.Errorf("%w: %s", err, stderr.String())
	}
	return usage.KBytes(fmt.Sprintf("/proc/%d/status", cmd.Process.Pid), "VmRSS:"), nil
}
