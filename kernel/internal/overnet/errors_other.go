//go:build !windows

package overnet

import "syscall"

func portable(e syscall.Errno) syscall.Errno { return e }
