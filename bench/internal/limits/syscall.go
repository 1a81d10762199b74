package limits

import "golang.org/x/sys/unix"

// syscalls are costs of entering the kernel.
func syscalls() []Row {
	null, err := unix.Open("/dev/null", unix.O_WRONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil
	}
	b := make([]byte, 1500)
	eight := [][]byte{b, b, b, b, b, b, b, b}
	return []Row{
		ns("getppid by unix.Syscall, which tells the scheduler", repeat(func() { _, _, _ = unix.Syscall(unix.SYS_GETPPID, 0, 0, 0) })),
		ns("getppid by unix.RawSyscall", repeat(func() { _, _, _ = unix.RawSyscall(unix.SYS_GETPPID, 0, 0, 0) })),
		ns("write 1500 B to /dev/null", repeat(func() { _, _ = unix.Write(null, b) })),
		ns("writev 8 x 1500 B to /dev/null", repeat(func() { _, _ = unix.Writev(null, eight) })),
	}
}
