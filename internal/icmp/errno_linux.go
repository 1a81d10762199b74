package icmp

import "syscall"

const errNoNet = syscall.ENONET
