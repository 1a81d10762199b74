//go:build !linux

package icmp

import "syscall"

// errNoNet stands in for ENONET, which only Linux has.
const errNoNet = syscall.ENETUNREACH
