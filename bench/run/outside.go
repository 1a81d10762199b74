package main

import (
	"fmt"
	"os"
	"syscall"

	"example.com/berth/bench/internal/netns"
)

// nobody is the ordinary user that contenders are started by.
const nobody = 65534

// The addresses of the outside: the machine's, on an interface with a default
// route, which pasta takes its own from, and the router's, which stands for the
// outside's loopback there.
const (
	machineAddr = "203.0.113.2"
	routerAddr  = "203.0.113.1"
)

// outside makes of the namespace that it is in a machine with a network, and goes
// on as an ordinary user.
func outside(j Job) error {
	if err := netns.Tune(); err != nil {
		return err
	}
	err := netns.Shell(`ip link add out0 type veth peer name out1
ip addr add ` + machineAddr + `/24 dev out0
ip link set out1 up
ip link set out0 up
ip route add default via ` + routerAddr + `
sysctl -qw net.ipv4.ping_group_range="0 2147483647"`)
	if err != nil {
		return err
	}
	if err := syscall.Setgroups(nil); err != nil {
		return fmt.Errorf("setgroups: %w", err)
	}
	if err := syscall.Setgid(nobody); err != nil {
		return fmt.Errorf("setgid: %w", err)
	}
	if err := syscall.Setuid(nobody); err != nil {
		return fmt.Errorf("setuid: %w", err)
	}
	if err := os.Chdir("/"); err != nil {
		return err
	}
	// A fresh execution makes /proc/self the user's own again.
	return syscall.Exec(j.Program, []string{j.Program, "trial", j.arg()}, os.Environ())
}
