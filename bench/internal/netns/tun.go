package netns

import (
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"
)

// TUNConfig describes a TUN.
type TUNConfig struct {
	Name string
	MTU  int
	Addr string // of the kernel's side, with the length of the prefix
	// VnetHeader gives each packet a virtio header of 10 bytes: the kernel may
	// hand over, and takes, TCP segments of 64 KiB with partial checksums.
	VnetHeader bool
}

// OpenTUN makes a TUN in the namespace of the calling thread and returns a
// descriptor that does not block.
func OpenTUN(c TUNConfig) (int, error) {
	fd, err := unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		return -1, err
	}
	req, err := unix.NewIfreq(c.Name)
	if err != nil {
		return -1, err
	}
	flags := uint16(unix.IFF_TUN | unix.IFF_NO_PI)
	if c.VnetHeader {
		flags |= unix.IFF_VNET_HDR
	}
	req.SetUint16(flags)
	if _, _, e := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), unix.TUNSETIFF, uintptr(unsafe.Pointer(req))); e != 0 {
		return -1, fmt.Errorf("TUNSETIFF: %w", e)
	}
	if c.VnetHeader {
		if err := unix.IoctlSetInt(fd, unix.TUNSETOFFLOAD, unix.TUN_F_CSUM|unix.TUN_F_TSO4|unix.TUN_F_TSO6); err != nil {
			return -1, fmt.Errorf("TUNSETOFFLOAD: %w", err)
		}
	}
	return fd, Shell(fmt.Sprintf(`ip addr add %s dev %s
ip link set %s mtu %d txqueuelen 4000 up`, c.Addr, c.Name, c.Name, c.MTU))
}
