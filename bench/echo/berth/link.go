package main

import (
	"os"
	"syscall"

	"example.com/berth/link"
)

// fdLink is a TUN as a device, one packet a system call.
type fdLink struct {
	fd   int
	file *os.File
}

// Info implements link.Device.
func (d *fdLink) Info() link.Info { return link.Info{Medium: link.IP, MTU: 1500, Up: true} }

// Attach implements link.Device.
func (d *fdLink) Attach(h link.Handler) error {
	if err := syscall.SetNonblock(d.fd, true); err != nil {
		return err
	}
	d.file = os.NewFile(uintptr(d.fd), "tun")
	go d.read(h)
	return nil
}

func (d *fdLink) read(h link.Handler) {
	frames := make([]link.Frame, 1)
	for {
		b := link.NewBuffer(2048)
		n, err := d.file.Read(b.Bytes())
		if err != nil {
			return
		}
		frames[0] = link.Frame{Payload: b.Bytes()[:n], Buffer: b}
		h.Input(frames)
		b.Release()
	}
}

// Output implements link.Device.
func (d *fdLink) Output(frames []link.Frame) (int, error) {
	var packet [1500]byte
	for i := range frames {
		if _, err := d.file.Write(frames[i].AppendTo(packet[:0])); err != nil {
			return i, err
		}
	}
	return len(frames), nil
}

// Close implements link.Device.
func (d *fdLink) Close() error { return d.file.Close() }
