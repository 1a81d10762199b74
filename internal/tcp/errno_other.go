//go:build !linux

package tcp

import "syscall"

// errKeyRejected is what systems without EKEYREJECTED have that comes next.
const errKeyRejected = syscall.EACCES
