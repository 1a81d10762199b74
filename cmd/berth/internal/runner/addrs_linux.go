package runner

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// followAddrs calls a function each time an address of this machine has come or gone,
// until it is ended. Where the kernel does not tell, nothing is called.
func followAddrs(changed func()) (end func()) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, unix.NETLINK_ROUTE)
	if err != nil {
		return func() {}
	}
	news := os.NewFile(uintptr(fd), "rtnetlink")
	if unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Groups: unix.RTMGRP_IPV4_IFADDR | unix.RTMGRP_IPV6_IFADDR}) != nil {
		news.Close()
		return func() {}
	}
	changed() // since the addresses were looked at last
	over := make(chan struct{})
	go func() {
		defer close(over)
		for b := make([]byte, 4096); ; changed() { // what they are is read anew
			if _, err := news.Read(b); err != nil && !errors.Is(err, unix.ENOBUFS) {
				return
			}
		}
	}()
	return func() {
		news.Close()
		<-over
	}
}
