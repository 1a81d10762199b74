package testnet_test

import (
	"context"
	"errors"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"example.com/berth/internal/testnet"
	"example.com/berth/link"
	"example.com/berth/link/tuntap"
)

func interfaces(t *testing.T) string {
	t.Helper()
	all, err := net.Interfaces()
	if err != nil {
		t.Error(err)
	}
	var names []string
	for _, i := range all {
		names = append(names, i.Name)
	}
	return strings.Join(names, " ")
}

func TestTheMachineIsLeftAlone(t *testing.T) {
	before := interfaces(t)
	ns := testnet.New(t)
	ns.Veth("v0", ns, "v1")
	ns.TUN()
	ns.Do(func() {
		if got := interfaces(t); strings.Contains(got, "eth0") || !strings.Contains(got, "v1") || !strings.Contains(got, "bt0") {
			t.Errorf("in the namespace: %s", got)
		}
	})
	if got := interfaces(t); got != before {
		t.Errorf("the machine has %s, had %s", got, before)
	}
}

func TestCommand(t *testing.T) {
	ns := testnet.New(t)
	ns.Addr("lo", "10.9.8.7/32")
	ns.Sysctl("net.ipv4.ip_default_ttl", "99")
	for _, tt := range []struct{ script, want string }{
		{"cat /proc/sys/net/ipv4/ip_default_ttl", "99\n"},
		{"cat /proc/net/dev | grep -c :", "1\n"},
		{"echo out; echo err >&2", "out\n"},
	} {
		if got, err := ns.Command(t.Context(), "sh", "-c", tt.script).Output(); err != nil || got != tt.want {
			t.Errorf("%s: %q, %v; want %q", tt.script, got, err, tt.want)
		}
	}
	got, err := ns.Command(t.Context(), "sh", "-c", "echo out; echo err >&2; exit 3").CombinedOutput()
	if err == nil || !strings.Contains(err.Error(), "exit status 3") || got != "out\nerr\n" {
		t.Errorf("combined %q, %v", got, err)
	}
	_, err = ns.Command(t.Context(), "sh", "-c", "echo why >&2; exit 3").Output()
	if err == nil || !strings.Contains(err.Error(), "why") {
		t.Errorf("the error does not tell why: %v", err)
	}
	cmd := ns.Command(t.Context(), "sh")
	cmd.Args[0], cmd.Path = "nothing", "/nothing"
	if err := cmd.Run(); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a program that is not there: %v", err)
	}
}

// TestCommandEndsWithItsContext, and so do the processes that it started.
func TestCommandEndsWithItsContext(t *testing.T) {
	ns := testnet.New(t)
	ctx, cancel := context.WithCancel(t.Context())
	cmd := ns.Command(ctx, "sh", "-c", "sleep 1000 & echo started; wait")
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := stdout.Read(make([]byte, 100)); err != nil {
		t.Fatal(err)
	}
	cancel()
	for err == nil { // until the last that holds the pipe is gone
		_, err = stdout.Read(make([]byte, 100))
	}
	if err := cmd.Wait(); err == nil {
		t.Error("no error")
	}
}

func TestEcho(t *testing.T) {
	ns := testnet.New(t)
	for _, opts := range [][]tuntap.Option{nil, {tuntap.TAP()}} {
		dev := ns.TUN(append(opts, tuntap.HostAddr("10.77.0.1/24"), tuntap.HostAddr("fd77::1/64"))...)
		other := make(chan struct{}, 1000)
		changed := make(chan link.Info, 10)
		e := testnet.NewEcho(t, dev, "10.77.0.2", "fd77::2")
		e.Other = func(*link.Frame) { other <- struct{}{} }
		e.OnChange = func(i link.Info) { changed <- i }
		e.Attach()
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		for _, addr := range e.Addrs {
			if out, err := ns.Command(ctx, "ping", "-c2", "-i0.01", addr.String()).CombinedOutput(); err != nil {
				t.Errorf("%v: %s", err, out)
			}
		}
		if out, err := ns.Command(ctx, "ping", "-c1", "-W0.1", "10.77.0.3").CombinedOutput(); err == nil {
			t.Errorf("an address that it does not have answers: %s", out)
		}
		<-other // the kernel says something on its own: MLD, router solicitation
		if out, err := ns.Command(ctx, "ip", "link", "set", dev.Info().Name, "mtu", "1400").CombinedOutput(); err != nil {
			t.Errorf("%v: %s", err, out)
		}
		for i := range changed {
			if i.MTU == 1400 {
				break
			}
		}
		cancel()
		dev.Close()
	}
}
