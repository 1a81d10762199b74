package fdlink

import (
	"fmt"
	"syscall"

	"golang.org/x/sys/unix"

	"example.com/berth/link"
	"example.com/berth/link/internal/virtio"
)

// Why the kernel did not take a frame.
var (
	errDown    = fmt.Errorf("link: interface is down: %w", syscall.ENETDOWN)
	errGone    = fmt.Errorf("link: interface was removed: %w", syscall.ENODEV)
	errRefused = fmt.Errorf("link: the kernel refused the frame: %w", syscall.EINVAL)

	errBusy error = syscall.EAGAIN // never leaves Output
)

// Output implements link.Device. It never waits: what the kernel has no room for
// is left to the caller, without an error.
func (d *Device) Output(frames []link.Frame) (n int, err error) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	if d.closed {
		return 0, link.ErrClosed
	}
	if d.cfg.Socket && len(frames) > 1 {
		n, err = d.sendMany(frames)
	} else {
		n, err = d.writeEach(frames)
	}
	bytes := 0
	for i := range frames[:n] {
		bytes += frames[i].Len()
	}
	d.count.framesOut.Add(uint64(n))
	d.count.bytesOut.Add(uint64(bytes))
	switch err {
	case nil:
	case errBusy:
		d.count.busy.Add(1)
		err = nil
	default:
		d.count.refused.Add(1)
	}
	return n, err
}

// encode writes the virtio header of a frame, if the device can carry that.
func (d *Device) encode(header []byte, f *link.Frame) error {
	if err := d.info.Load().Check(f); err != nil {
		return err
	}
	if f.Len() == 0 {
		return errRefused
	}
	if len(header) == 0 {
		return nil
	}
	var h virtio.Header
	if err := h.FromFrame(f); err != nil {
		return err
	}
	h.Append(header[:0])
	return nil
}

// gather refers to the parts of a frame as the kernel takes it. It returns them
// by value, as message does, so that all of it may lie on the caller's stack.
func gather(header []byte, f *link.Frame) [3]unix.Iovec {
	return [...]unix.Iovec{vector(header), vector(f.Head), vector(f.Payload)}
}

// writeEach sends frames one by one.
func (d *Device) writeEach(frames []link.Frame) (int, error) {
	var buf [virtio.MaxLen]byte
	header := buf[:d.cfg.VnetHeader]
	for i := range frames {
		if err := d.encode(header, &frames[i]); err != nil {
			return i, err
		}
		parts := gather(header, &frames[i])
		for {
			errno := writev(d.fd, parts[:])
			if errno == 0 {
				break
			}
			if err := outputError(errno); err != nil {
				return i, err
			}
		}
	}
	return len(frames), nil
}

// sendMany sends frames several at a time.
func (d *Device) sendMany(frames []link.Frame) (sent int, err error) {
	const atOnce = 16
	var (
		headers [atOnce][virtio.MaxLen]byte
		parts   [atOnce][3]unix.Iovec
		msgs    [atOnce]mmsghdr
	)
	for sent < len(frames) && err == nil {
		batch := frames[sent:min(sent+atOnce, len(frames))]
		ready := 0
		for ready < len(batch) {
			header := headers[ready][:d.cfg.VnetHeader]
			if err = d.encode(header, &batch[ready]); err != nil {
				break
			}
			parts[ready] = gather(header, &batch[ready])
			msgs[ready] = message(parts[ready][:])
			ready++
		}
		// Those before the one that is wrong go first.
		n, why := d.send(msgs[:ready])
		sent += n
		if why != nil {
			return sent, why
		}
	}
	return sent, err
}

// send sends messages and returns how many, with what stopped the next one.
func (d *Device) send(msgs []mmsghdr) (sent int, err error) {
	for sent < len(msgs) && err == nil {
		n, errno := sendmmsg(d.fd, msgs[sent:])
		if errno == 0 {
			sent += n
		} else {
			err = outputError(errno)
		}
	}
	return sent, err
}

// outputError says why a frame was not taken, or nil if it is to be tried again.
func outputError(errno unix.Errno) error {
	switch errno {
	case unix.EINTR:
		return nil
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
	}
	return fmt.Errorf("link: the kernel refused the frame: %w", errno)
}
