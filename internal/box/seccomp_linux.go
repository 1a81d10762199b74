package box

import (
	"unsafe"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// families are the socket families that a network namespace confines, or that
// reach nothing outside. Of others some reach past it: AF_VSOCK speaks to the
// machine that this one is a guest of, AF_BLUETOOTH to whatever is near.
var families = []uint32{unix.AF_UNIX, unix.AF_INET, unix.AF_INET6, unix.AF_NETLINK, unix.AF_PACKET, unix.AF_ALG}

// typing are the requests that put input into a terminal: what the program types
// there, the shell would execute after it.
var typing = []uint32{unix.TIOCSTI, unix.TIOCLINUX}

// abi is what a kernel calls its system calls for one kind of program. A machine
// has several, and a program may use any.
type abi struct {
	arch              uint32 // AUDIT_ARCH_*
	socket, ioctl     uint32
	ioUring           uint32 // io_uring_setup: its ring makes sockets, too
	socketcall        uint32 // 0 for none. Its arguments are out of sight
	above             uint32 // numbers from this on are another ABI's (x32); 0 for none
	socketcallOfMaker uint32 // socketcall's number for socket
}

var abis = []abi{
	{arch: unix.AUDIT_ARCH_X86_64, socket: 41, ioctl: 16, ioUring: 425, above: 0x40000000},
	{arch: unix.AUDIT_ARCH_I386, socket: 359, ioctl: 54, ioUring: 425, socketcall: 102, socketcallOfMaker: 1},
	{arch: unix.AUDIT_ARCH_AARCH64, socket: 198, ioctl: 29, ioUring: 425},
	{arch: unix.AUDIT_ARCH_ARM, socket: 281, ioctl: 54, ioUring: 425},
	{arch: unix.AUDIT_ARCH_RISCV64, socket: 198, ioctl: 29, ioUring: 425},
}

// Where struct seccomp_data has what; all these ABIs are little-endian, so that the
// low half of an argument comes first.
const (
	dataNumber = 0
	dataArch   = 4
	dataArgs   = 16
)

func arg(n uint32) bpf.Instruction { return bpf.LoadAbsolute{Off: dataArgs + 8*n, Size: 4} }

var allow = bpf.RetConstant{Val: unix.SECCOMP_RET_ALLOW}

func refuse(errno unix.Errno) bpf.Instruction {
	return bpf.RetConstant{Val: unix.SECCOMP_RET_ERRNO | uint32(errno)}
}

// when is a body of instructions, which ends the program, for a value.
func when(value uint32, body ...bpf.Instruction) []bpf.Instruction {
	return append([]bpf.Instruction{bpf.JumpIf{Cond: bpf.JumpEqual, Val: value, SkipFalse: uint8(len(body))}}, body...)
}

// ifAmong ends the program, one way if the value is among some, else the other.
func ifAmong(values []uint32, is, isNot bpf.Instruction) (body []bpf.Instruction) {
	for _, v := range values {
		body = append(body, when(v, is)...)
	}
	return append(body, isNot)
}

// program is the filter for one ABI.
func (a *abi) program() []bpf.Instruction {
	p := []bpf.Instruction{bpf.LoadAbsolute{Off: dataNumber, Size: 4}}
	if a.above != 0 {
		p = append(p, bpf.JumpIf{Cond: bpf.JumpGreaterOrEqual, Val: a.above, SkipFalse: 1}, refuse(unix.ENOSYS))
	}
	p = append(p, when(a.socket, append([]bpf.Instruction{arg(0)},
		ifAmong(families, allow, refuse(unix.EAFNOSUPPORT))...)...)...)
	p = append(p, when(a.ioctl, append([]bpf.Instruction{arg(1)},
		ifAmong(typing, refuse(unix.EPERM), allow)...)...)...)
	p = append(p, when(a.ioUring, refuse(unix.ENOSYS))...)
	if a.socketcall != 0 {
		p = append(p, when(a.socketcall, append([]bpf.Instruction{arg(0)},
			ifAmong([]uint32{a.socketcallOfMaker}, refuse(unix.EAFNOSUPPORT), allow)...)...)...)
	}
	return append(p, allow)
}

// syscallFilter is the whole program. An ABI that it does not know has no system
// calls.
func syscallFilter() []bpf.Instruction {
	p := []bpf.Instruction{bpf.LoadAbsolute{Off: dataArch, Size: 4}}
	for i := range abis {
		p = append(p, when(abis[i].arch, abis[i].program()...)...)
	}
	return append(p, refuse(unix.ENOSYS))
}

// filterSyscalls gives the calling thread, and what it starts, the filter.
func filterSyscalls() error {
	raw, err := bpf.Assemble(syscallFilter())
	if err != nil {
		return &step{"assemble the filter of system calls", err}
	}
	filter := make([]unix.SockFilter, len(raw))
	for i, r := range raw {
		filter[i] = unix.SockFilter{Code: r.Op, Jt: r.Jt, Jf: r.Jf, K: r.K}
	}
	prog := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	err = unix.Prctl(unix.PR_SET_SECCOMP, unix.SECCOMP_MODE_FILTER, uintptr(unsafe.Pointer(&prog)), 0, 0)
	if err != nil {
		return &step{"filter system calls (seccomp)", err}
	}
	return nil
}
