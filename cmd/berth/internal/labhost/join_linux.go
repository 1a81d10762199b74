package labhost

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"syscall"

	"golang.org/x/sys/unix"
)

// Join comes to a lab, which begins with its first host.
func Join(o Options) (*Seat, error) {
	if !ValidName(o.Lab) || !ValidName(o.Host) {
		return nil, errors.New("names of labs and hosts are of letters, digits and hyphens")
	}
	for range endings {
		s, err := o.come()
		if !errors.Is(err, io.EOF) && !errors.Is(err, syscall.ECONNRESET) && !errors.Is(err, syscall.EPIPE) {
			return s, err
		}
	}
	return o.come()
}

// endings are how often a host may come to a lab that ends at that moment.
const endings = 5

// come comes to the lab once.
func (o Options) come() (*Seat, error) {
	d, err := openDirectory()
	if err != nil {
		return nil, fmt.Errorf("the directory of labs: %w", err)
	}
	s := &Seat{Hosts: d.hosts(o.Lab)}
	s.conn, err = connect(d, o)
	if err = errors.Join(err, d.unlock()); err != nil {
		return nil, err
	}
	if err := s.introduce(o); err != nil {
		return nil, errors.Join(err, s.conn.Close())
	}
	return s, nil
}

// connect finds the lab, or begins it. The lock is held.
func connect(d *directory, o Options) (*net.UnixConn, error) {
	at := &net.UnixAddr{Name: d.socket(o.Lab), Net: "unixpacket"}
	c, err := net.DialUnix("unixpacket", nil, at)
	if err == nil {
		if o.Report != "" {
			return nil, errors.Join(fmt.Errorf("the lab %s is there already: only who begins it can ask for a report", o.Lab), c.Close())
		}
		return c, nil
	}
	_ = os.Remove(at.Name) // of a lab that was killed
	ln, err := net.ListenUnix("unixpacket", at)
	if err != nil {
		return nil, err
	}
	ln.SetUnlinkOnClose(false)
	defer ln.Close()
	if err := begin(ln, o); err != nil {
		d.remove(o.Lab)
		return nil, err
	}
	return net.DialUnix("unixpacket", nil, at)
}

// begin starts the lab's process, which outlives this one.
func begin(ln *net.UnixListener, o Options) error {
	f, err := ln.File()
	if err != nil {
		return err
	}
	defer f.Close()
	// What this process was itself left open, such as a shell's pipe whose reader waits
	// for its end, is not for one that outlives it. Before Linux 5.11 it cannot be helped.
	_ = unix.CloseRange(3, ^uint(0)>>1, unix.CLOSE_RANGE_CLOEXEC)
	cmd := exec.Command("/proc/self/exe")
	cmd.Args = []string{Stage, o.Lab, o.Shape, o.Report}
	cmd.ExtraFiles = []*os.File{f}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // neither terminal nor shell are its business
	if err := cmd.Start(); err != nil {
		return err
	}
	return cmd.Process.Release()
}

// introduce tells the lab who comes.
func (s *Seat) introduce(o Options) error {
	if err := send(s.conn, join{Host: o.Host, Shape: fingerprint(o.Text)}); err != nil {
		return err
	}
	var w welcome
	if err := receive(s.conn, &w); err != nil {
		return fmt.Errorf("the lab %s does not answer: %w", o.Lab, err)
	}
	if w.Error != "" {
		return errors.New(w.Error)
	}
	s.Addrs, s.Gateways, s.MTU, s.Medium = w.Addrs, w.Gateways, w.MTU, w.Medium
	return nil
}

// fingerprint tells one shape from another, "" for none.
func fingerprint(text []byte) string {
	if text == nil {
		return ""
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}
