package fdlink

import (
	"fmt"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	"example.com/berth/link"
	"example.com/berth/link/internal/virtio"
)

// Why the kernel did not take a frame.
var (
	errDown    = fmt.Errorf("link: interface is down: %w", syscall.ENETDOWN)
	errGone    = fmt.Errorf("link: interface was removed: %w", syscall.ENODEV)
	errRefused = fmt.Errorf("link: the kernel refused the frame: %w", syscall.EINVAL)
)

// Output implements link.Device. It never waits: what the kernel has no room for
// is left to the caller, without an error.
func (d *Device) Output(frames []link.Frame) (int, error) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	if d.closed {
		return 0, link.ErrClosed
	}
	var (
		n, bytes int
		err      error
		info     = d.info.Load()
	)
	for n < len(frames) {
		f := &frames[n]
		if err = info.Check(f); err != nil {
			break
		}
		if err = d.write(f); err != nil {
			break
		}
		bytes += f.Len()
		n++
	}
	d.count.framesOut.Add(uint64(n))
	d.count.bytesOut.Add(uint64(bytes))
	switch err {
	case nil:
	case errBusy:
		d.count.busy.Add(1)
		return n, nil
	default:
		d.count.refused.Add(1)
	}
	return n, err
}

// errBusy never leaves Output.
var errBusy error = syscall.EAGAIN

// write sends one frame.
func (d *Device) write(f *link.Frame) error {
	var (
		header [virtio.MaxLen]byte
		iov    [3]unix.Iovec
		n      int
	)
	add := func(b []byte) {
		if len(b) > 0 {
			iov[n].Base = &b[0]
			iov[n].SetLen(len(b))
			n++
		}
	}
	if d.cfg.VnetHeader > 0 {
		var h virtio.Header
		if err := h.FromFrame(f); err != nil {
			return err
		}
		h.Append(header[:0])
		add(header[:d.cfg.VnetHeader])
	}
	add(f.Head)
	add(f.Payload)
	for {
		_, _, errno := unix.Syscall(unix.SYS_WRITEV, uintptr(d.fd), uintptr(unsafe.Pointer(&iov)), uintptr(n))
		switch errno {
		case 0:
			return nil
		case unix.EINTR:
			continue
		case unix.EAGAIN, unix.ENOBUFS:
			return errBusy
		case unix.EIO, unix.ENETDOWN:
			return errDown
		case unix.EBADFD, unix.ENXIO, unix.ENODEV, unix.EPIPE, unix.ECONNREFUSED, unix.ECONNRESET, unix.ENOTCONN:
			return errGone
		case unix.EMSGSIZE:
			return link.ErrTooLong
		case unix.EINVAL:
			return errRefused
		default:
			return fmt.Errorf("link: the kernel refused the frame: %w", errno)
		}
	}
}
