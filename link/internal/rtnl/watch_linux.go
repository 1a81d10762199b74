package rtnl

import (
	"encoding/binary"
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// subscribe opens a netlink socket that hears of changes of links.
func subscribe() (*os.File, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, unix.NETLINK_ROUTE)
	if err != nil {
		return nil, err
	}
	if err := unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Groups: unix.RTMGRP_LINK}); err != nil {
		unix.Close(fd)
		return nil, err
	}
	return os.NewFile(uintptr(fd), "netlink"), nil
}

// Watch calls changed for each change of the interface, with the state after
// it, until Close; when the interface is gone it calls changed with ENODEV and
// returns. A message of the kernel is only the sign to look: what it says may
// be old, and messages may be lost (ENOBUFS).
func (i *Interface) Watch(changed func(State, error)) {
	// Only the first bytes matter; the rest of a message is cut off.
	var message [64]byte
	for {
		n, err := i.events.Read(message[:])
		if err != nil && !errors.Is(err, unix.ENOBUFS) {
			return
		}
		if err == nil && !concerns(message[:n], i.index) {
			continue
		}
		s, err := i.State()
		if err != nil && !errors.Is(err, unix.ENODEV) {
			if errors.Is(err, os.ErrClosed) {
				return
			}
			continue
		}
		changed(s, err)
		if err != nil {
			return
		}
	}
}

// concerns tells whether a message is about the interface of that index. A
// struct nlmsghdr of 16 bytes is followed by a struct ifinfomsg with the index
// in its bytes 4 to 7.
func concerns(message []byte, index int) bool {
	const at = unix.SizeofNlMsghdr + 4
	return len(message) < at+4 || int(binary.NativeEndian.Uint32(message[at:])) == index
}
