package afpacket

import (
	"encoding/binary"
	"os"
	"sync"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"

	"example.com/berth/link/internal/fdlink"
)

// socket is a device with what only a packet socket has.
type socket struct {
	*fdlink.Device

	mu      sync.Mutex // guards dropped, since the kernel forgets what it told
	dropped uint64
}

func (s *socket) stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.Control(func(fd int) error {
		st, err := unix.GetsockoptTpacketStats(fd, unix.SOL_PACKET, unix.PACKET_STATISTICS)
		if err == nil {
			s.dropped += uint64(st.Drops)
		}
		return err
	})
	return Stats{s.Counters(), s.dropped}
}

// Close keeps the last count.
func (s *socket) Close() error {
	s.stats()
	return s.Device.Close()
}

// socket opens a packet socket on an interface.
func (c *config) socket(index int, mac [6]byte) (int, error) {
	// No protocol yet: nothing comes in until the socket is bound.
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return -1, os.NewSyscallError("socket", err)
	}
	if err := c.prepare(fd, index, mac); err != nil {
		unix.Close(fd)
		return -1, err
	}
	return fd, nil
}

// prepare sets a socket's options and binds it.
func (c *config) prepare(fd, index int, mac [6]byte) error {
	for _, o := range []struct {
		name  string
		value int
	}{
		{"PACKET_VNET_HDR", unix.PACKET_VNET_HDR},
		{"PACKET_IGNORE_OUTGOING", unix.PACKET_IGNORE_OUTGOING},
	} {
		if err := unix.SetsockoptInt(fd, unix.SOL_PACKET, o.value, 1); err != nil {
			return os.NewSyscallError("setsockopt "+o.name, err)
		}
	}
	c.setBuffers(fd)
	if err := c.attachFilter(fd, mac); err != nil {
		return err
	}
	for _, m := range c.memberships() {
		mreq := unix.PacketMreq{Ifindex: int32(index), Type: m}
		if err := unix.SetsockoptPacketMreq(fd, unix.SOL_PACKET, unix.PACKET_ADD_MEMBERSHIP, &mreq); err != nil {
			return os.NewSyscallError("setsockopt PACKET_ADD_MEMBERSHIP", err)
		}
	}
	return os.NewSyscallError("bind", unix.Bind(fd, &unix.SockaddrLinklayer{
		Protocol: htons(unix.ETH_P_ALL), Ifindex: index,
	}))
}

// memberships are what the interface has to hear beyond its own address.
func (c *config) memberships() []uint16 {
	if c.ownAddr && !c.promiscuous {
		return []uint16{unix.PACKET_MR_ALLMULTI}
	}
	return []uint16{unix.PACKET_MR_PROMISC, unix.PACKET_MR_ALLMULTI}
}

// setBuffers asks for buffers beyond the limit of the system, which root may
// have, or else for what the limit allows. A smaller one is no error.
func (c *config) setBuffers(fd int) {
	for _, o := range [][2]int{{unix.SO_RCVBUFFORCE, unix.SO_RCVBUF}, {unix.SO_SNDBUFFORCE, unix.SO_SNDBUF}} {
		if unix.SetsockoptInt(fd, unix.SOL_SOCKET, o[0], c.buffer) != nil {
			unix.SetsockoptInt(fd, unix.SOL_SOCKET, o[1], c.buffer)
		}
	}
}

// attachFilter makes the kernel drop what is not for the device, before it
// costs a copy and a wake-up.
func (c *config) attachFilter(fd int, mac [6]byte) error {
	raw, err := bpf.Assemble(c.filter(mac))
	if err != nil {
		return err
	}
	program := make([]unix.SockFilter, len(raw))
	for i, r := range raw {
		program[i] = unix.SockFilter{Code: r.Op, Jt: r.Jt, Jf: r.Jf, K: r.K}
	}
	return os.NewSyscallError("setsockopt SO_ATTACH_FILTER", unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET,
		unix.SO_ATTACH_FILTER, &unix.SockFprog{Len: uint16(len(program)), Filter: &program[0]}))
}

// filter is the program that passes frames without a VLAN tag, which the kernel
// has taken out of the frame by then, to the device's address or a group.
func (c *config) filter(mac [6]byte) []bpf.Instruction {
	const (
		all       = 1<<32 - 1
		otherHost = 3 // PACKET_OTHERHOST
	)
	pass, drop := bpf.RetConstant{Val: all}, bpf.RetConstant{Val: 0}
	program := []bpf.Instruction{
		bpf.LoadExtension{Num: bpf.ExtVLANTagPresent},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: 0, SkipTrue: 1},
		drop,
	}
	switch {
	case c.promiscuous:
		return append(program, pass)
	case c.ownAddr:
		// The kernel knows the interface's address, also after a change.
		return append(
			program,
			bpf.LoadExtension{Num: bpf.ExtType},
			bpf.JumpIf{Cond: bpf.JumpEqual, Val: otherHost, SkipTrue: 1},
			pass,
			drop,
		)
	}
	high := uint32(mac[0])<<24 | uint32(mac[1])<<16 | uint32(mac[2])<<8 | uint32(mac[3])
	low := uint32(mac[4])<<8 | uint32(mac[5])
	return append(
		program,
		bpf.LoadAbsolute{Off: 0, Size: 1},
		bpf.JumpIf{Cond: bpf.JumpBitsSet, Val: 1, SkipTrue: 4}, // a group
		bpf.LoadAbsolute{Off: 0, Size: 4},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: high, SkipFalse: 3},
		bpf.LoadAbsolute{Off: 4, Size: 2},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: low, SkipFalse: 1},
		pass,
		drop,
	)
}

// htons puts a 16-bit number into network byte order.
func htons(v uint16) uint16 {
	return binary.NativeEndian.Uint16(binary.BigEndian.AppendUint16(nil, v))
}
