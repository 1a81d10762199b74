package limits

import (
	"context"
	"encoding/binary"
	"errors"
	"math/bits"
	"net"
	"os"
	"runtime"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// BareTUN bounds what any stack in user space can move through one TUN to or
// from the kernel's TCP. One goroutine does it all, without sockets, copies or
// timers: headers, windows, system calls, and checksums where the kernel does
// not compute them. What is lost is sent again from there on, after a while.
//
// The kernel's end has a goroutine in the same process, as under a stack that is
// measured. With one processor of Go's (GOMAXPROCS=1) both share it, so that who waits
// for a packet must give it away: see wait.
type BareTUN struct {
	Vnet bool // virtio headers, segments of 64 KiB
	Send bool // to the kernel, else from it
}

// BareResult is what it moved, and on how many cores, the kernel's work included.
type BareResult struct{ Gbps, Cores float64 }

const (
	bareMSS  = 1460
	barePort = 20000
	bareWarm = 300 * time.Millisecond
	bareTime = 1500 * time.Millisecond
)

// Flags of TCP.
const (
	flagSYN = 0x02
	flagRST = 0x04
	flagACK = 0x10
)

// Run measures.
func (t BareTUN) Run() (r BareResult, err error) {
	fd, err := openTUN(t.Vnet)
	if err != nil {
		return r, err
	}
	file := os.NewFile(uintptr(fd), "tun9")
	defer file.Close()
	stop, err := t.peer()
	if err != nil {
		return r, err
	}
	defer stop()
	c := &bareConn{fd: fd, file: file, vnet: t.Vnet, nxt: 1000, out: make([]byte, 70000), in: make([]byte, 70000)}
	if err := c.connect(); err != nil {
		return r, err
	}
	return t.measure(c), nil
}

const tunService = "10.99.0.1:8000"

// peer is the kernel's end: it reads, or writes, as fast as it can.
func (t BareTUN) peer() (stop func() error, err error) {
	config := net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) (err error) {
		failed := c.Control(func(fd uintptr) {
			err = unix.SetsockoptString(int(fd), unix.IPPROTO_TCP, unix.TCP_CONGESTION, "cubic")
		})
		return errors.Join(failed, err)
	}}
	l, err := config.Listen(context.Background(), "tcp", tunService)
	if err != nil {
		return nil, err
	}
	go func() {
		c, err := l.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		for buf := make([]byte, 64<<10); err == nil; {
			if t.Send {
				_, err = c.Read(buf)
			} else {
				_, err = c.Write(buf)
			}
		}
	}()
	return l.Close, nil
}

// measure moves data until the time is over.
func (t BareTUN) measure(c *bareConn) (r BareResult) {
	began, before := time.Time{}, int64(0)
	var cpu unix.Rusage
	for start := time.Now(); ; {
		if !c.turn(t.Send) {
			c.wait()
		}
		now := time.Now()
		switch {
		case began.IsZero() && now.Sub(start) > bareWarm:
			began, before = now, c.moved
			_ = unix.Getrusage(unix.RUSAGE_SELF, &cpu)
		case !began.IsZero() && now.Sub(began) > bareTime:
			var end unix.Rusage
			_ = unix.Getrusage(unix.RUSAGE_SELF, &end)
			secs := now.Sub(began).Seconds()
			r.Gbps = float64(c.moved-before) * 8 / 1e9 / secs
			r.Cores = float64(end.Utime.Nano()+end.Stime.Nano()-cpu.Utime.Nano()-cpu.Stime.Nano()) / 1e9 / secs
			c.write(flagRST, nil, 0)
			return r
		}
	}
}

// bareConn is a connection with its packets.
type bareConn struct {
	fd           int
	file         *os.File // the same, in Go's poller
	vnet         bool
	una, nxt     uint32
	rcv, wnd     uint32
	scale        uint8
	out, in      []byte
	connected    bool
	owesAck      bool
	moved        int64 // bytes that were acknowledged, or received in order
	lastProgress time.Time
}

// connect opens the connection.
func (c *bareConn) connect() error {
	const kindMSS, kindScale, nop = 2, 3, 1
	for limit := time.Now().Add(5 * time.Second); time.Now().Before(limit); {
		c.write(flagSYN, []byte{kindMSS, 4, bareMSS >> 8, bareMSS & 0xff, kindScale, 3, 10, nop}, 0)
		c.wait()
		for c.read() {
		}
		if c.connected {
			c.una = c.nxt
			c.write(flagACK, nil, 0)
			c.lastProgress = time.Now()
			return nil
		}
		c.nxt--
	}
	return errors.New("the kernel does not answer")
}

// turn reads what there is, answers, and sends what the window allows. It
// reports whether there was anything to do.
func (c *bareConn) turn(send bool) (busy bool) {
	for i := range 64 {
		if !c.read() {
			break
		}
		busy = true
		if c.owesAck && c.vnet && i%largePerAck() == 0 {
			c.write(flagACK, nil, 0) // else one for a batch
		}
	}
	if c.owesAck {
		c.write(flagACK, nil, 0)
	}
	if !send {
		return busy
	}
	most := bareMSS
	if c.vnet {
		most *= 44
	}
	for range 8 {
		n := min(int(c.wnd)-int(c.nxt-c.una), most)
		if n < bareMSS {
			break
		}
		c.write(flagACK, nil, n)
		busy = true
	}
	if time.Since(c.lastProgress) > 200*time.Millisecond {
		c.nxt, c.lastProgress = c.una, time.Now()
	}
	return busy
}

// largePerAck is how many large segments are acknowledged at once. With a second
// processor the sender has something to do at each; on one, fewer cost less.
func largePerAck() int {
	if runtime.GOMAXPROCS(0) == 1 {
		return 4
	}
	return 1
}

// wait waits for a packet, but not for long. On one processor of Go's it does so by
// Go's poller: in a system call it would keep the processor, from the goroutine that it
// waits for, until Go's monitor noticed. On two, where nobody else wants it, the system
// call is faster.
func (c *bareConn) wait() {
	if runtime.GOMAXPROCS(0) == 1 {
		_ = c.file.SetReadDeadline(time.Now().Add(5 * time.Millisecond))
		if conn, err := c.file.SyscallConn(); err == nil {
			waited := false
			_ = conn.Read(func(uintptr) bool {
				was := waited
				waited = true
				return was
			})
		}
		return
	}
	_, _ = unix.Poll([]unix.PollFd{{Fd: int32(c.fd), Events: unix.POLLIN}}, 5)
}

// write sends a segment with so many bytes.
func (c *bareConn) write(flags byte, options []byte, payload int) {
	packet := c.out
	head := 0
	if c.vnet {
		head = vnetHeader
		putVnetHeader(packet, payload)
	}
	length := 20 + len(options)
	ip := packet[head : head+20+length+payload]
	clear(ip[:40])
	putIPv4(ip, len(ip), unix.IPPROTO_TCP)
	tcp := ip[20:]
	binary.BigEndian.PutUint16(tcp, barePort)
	binary.BigEndian.PutUint16(tcp[2:], 8000)
	binary.BigEndian.PutUint32(tcp[4:], c.nxt)
	binary.BigEndian.PutUint32(tcp[8:], c.rcv)
	tcp[12], tcp[13] = byte(length/4)<<4, flags
	binary.BigEndian.PutUint16(tcp[14:], 65535)
	copy(tcp[20:], options)
	pseudo := uint64(sumLoop(ip[12:20])) + unix.IPPROTO_TCP + uint64(len(tcp))
	if c.vnet {
		binary.BigEndian.PutUint16(tcp[16:], fold(pseudo)) // the kernel completes it
	} else {
		binary.BigEndian.PutUint16(tcp[16:], ^fold(pseudo+uint64(bits.ReverseBytes16(sum(tcp)))))
	}
	_, _ = unix.Write(c.fd, packet[:head+len(ip)])
	c.nxt += uint32(payload)
	if flags&flagSYN != 0 {
		c.nxt++
	}
	c.owesAck = false
}

// read takes a packet; it reports false if there is none.
func (c *bareConn) read() bool {
	n, err := unix.Read(c.fd, c.in)
	if err != nil {
		return false
	}
	packet := c.in[:n]
	if c.vnet {
		packet = packet[vnetHeader:]
	}
	if len(packet) >= 40 && packet[0]>>4 == 4 && packet[9] == unix.IPPROTO_TCP {
		c.input(packet[20:], int(binary.BigEndian.Uint16(packet[2:]))-20)
	}
	return true
}

// input takes a segment of so many bytes with its header.
func (c *bareConn) input(tcp []byte, length int) {
	if binary.BigEndian.Uint16(tcp[2:]) != barePort {
		return
	}
	header, seq := int(tcp[12]>>4)*4, binary.BigEndian.Uint32(tcp[4:])
	ack := binary.BigEndian.Uint32(tcp[8:])
	if tcp[13]&flagSYN != 0 {
		if !c.connected && tcp[13]&flagACK != 0 && ack == c.nxt {
			c.connected, c.rcv = true, seq+1
			c.scale = windowScale(tcp[20:header])
			c.wnd = uint32(binary.BigEndian.Uint16(tcp[14:]))
		}
		return
	}
	c.wnd = uint32(binary.BigEndian.Uint16(tcp[14:])) << c.scale
	if d := int32(ack - c.una); d > 0 {
		c.una = ack
		c.moved += int64(d)
		c.lastProgress = time.Now()
		if int32(c.nxt-c.una) < 0 {
			c.nxt = c.una
		}
	}
	if d := length - header; d > 0 {
		if seq == c.rcv {
			c.rcv += uint32(d)
			c.moved += int64(d)
		}
		c.owesAck = true
	}
}

// windowScale finds that option of TCP.
func windowScale(options []byte) uint8 {
	for len(options) > 0 {
		switch kind := options[0]; {
		case kind == 0:
			return 0
		case kind == 1:
			options = options[1:]
		case len(options) < 3 || options[1] < 2 || int(options[1]) > len(options):
			return 0
		case kind == 3:
			return options[2]
		default:
			options = options[options[1]:]
		}
	}
	return 0
}
