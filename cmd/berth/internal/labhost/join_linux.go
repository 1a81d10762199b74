package labhost

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
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

// come comes to the lab once, and begins it if it is not there.
func (o Options) come() (*Seat, error) {
	s, err := o.find()
	if errors.Is(err, errNoLab) {
		var b *beginning
		if b, err = begin(o); err != nil {
			return nil, err
		}
		defer b.Close()
		if b.mine {
			o.Report = "" // as asked for
		}
		s, err = o.find()
	}
	if err != nil {
		return nil, err
	}
	if err := s.introduce(o); err != nil {
		return nil, errors.Join(err, s.conn.Close())
	}
	return s, nil
}

// errNoLab says that nobody answers at a lab's socket. It wraps io.EOF: after it
// began, a lab that is not there has ended.
var errNoLab = fmt.Errorf("the lab is not there: %w", io.EOF)

// find connects to the lab, under the lock: no lab ends meanwhile.
func (o Options) find() (*Seat, error) {
	d, err := openDirectory()
	if errors.Is(err, fs.ErrNotExist) {
		return nil, errNoLab
	} else if err != nil {
		return nil, fmt.Errorf("the directory of labs: %w", err)
	}
	s := &Seat{Hosts: d.hosts(o.Lab)}
	s.conn, err = net.DialUnix("unixpacket", nil, d.address(o.Lab))
	switch {
	case err != nil:
		err = errNoLab
	case o.Report != "":
		err = errors.Join(fmt.Errorf("the lab %s is there already: only who begins it can ask for a report", o.Lab), s.conn.Close())
	}
	return s, errors.Join(err, d.unlock())
}

// A beginning is held by who starts a lab's process until it has come, or is no more:
// the process then sees the other end close.
type beginning struct {
	*os.File
	mine bool // not begun by somebody else meanwhile
}

// begin starts the lab's process, which outlives this one, and waits until it can be
// found. All files are made by that process: this one may be killed at any moment.
func begin(o Options) (*beginning, error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	b := &beginning{File: os.NewFile(uintptr(fds[0]), "beginning")}
	theirs := os.NewFile(uintptr(fds[1]), "beginning")
	// What this process was itself left open, such as a shell's pipe whose reader waits
	// for its end, is not for one that outlives it. Before Linux 5.11 it cannot be helped.
	_ = unix.CloseRange(3, ^uint(0)>>1, unix.CLOSE_RANGE_CLOEXEC)
	cmd := exec.Command("/proc/self/exe")
	cmd.Args = []string{Stage, o.Lab, o.Shape, o.Report}
	cmd.ExtraFiles = []*os.File{theirs}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // neither terminal nor shell are its business
	err = cmd.Start()
	_ = theirs.Close()
	if err == nil {
		err = cmd.Process.Release()
	}
	said := make([]byte, 1024)
	n := 0
	if err == nil {
		n, err = b.Read(said)
	}
	switch said := string(said[:n]); {
	case err == io.EOF:
		err = fmt.Errorf("the process of the lab %s ended before it had begun", o.Lab)
	case err != nil:
	case said == begun:
		b.mine = true
	case said != present:
		err = errors.New(said)
	}
	if err != nil {
		return nil, errors.Join(err, b.Close())
	}
	return b, nil
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
