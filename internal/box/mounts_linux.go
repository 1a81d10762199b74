package box

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// hidden are the directories of services outside that resolve names, so that the C
// library asks the name servers of resolv.conf instead.
var hidden = []string{"/run/nscd", "/var/run/nscd", "/run/systemd/resolve", "/run/avahi-daemon", "/var/run/avahi-daemon"}

// staging are directories of which one is there on any system. For a moment it has
// the tmpfs on it that the overlays live in.
var staging = []string{"/tmp", "/run", "/mnt", "/srv", "/usr"}

const tmpfsFlags = unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC

// mounts gives the namespace its own /proc, hides what is to be hidden and lays
// files over others.
func (s *stage) mounts(overlays []Overlay) error {
	// What is mounted outside appears here; nothing of here appears outside.
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_SLAVE, ""); err != nil {
		return &step{"make mounts private", err}
	}
	const procFlags = unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC
	if err := unix.Mount("proc", "/proc", "proc", procFlags, ""); err != nil {
		return &step{stepProc, err}
	}
	hid := hide()
	if len(overlays) == 0 {
		return nil
	}
	for _, o := range overlays { // before anything covers where they lie
		if err := laySource(o); err != nil {
			return &step{"lay " + o.Source + " over " + o.Path, err}
		}
	}
	dir, err := mountStaging()
	if err != nil {
		return err
	}
	for _, o := range overlays {
		if o.Source != "" {
			continue
		}
		err := lay(o, dir, hid)
		if errors.Is(err, fs.ErrNotExist) {
			s.notes = append(s.notes, Note{Text: "there is no " + o.Path + " to lay the program's own over", Missing: o.Path})
		} else if err != nil {
			return &step{"lay a file over " + o.Path, err}
		}
	}
	if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil { // the files stay where they were laid
		return &step{"unmount the overlays' directory", err}
	}
	return nil
}

// stepProc is what fails where a container covers parts of /proc.
const stepProc = "mount /proc"

// hide lays an empty directory over each hidden one, and returns those.
func hide() (hid []string) {
	for _, name := range hidden {
		dir, err := filepath.EvalSymlinks(name)
		if err != nil {
			continue // not there
		}
		if unix.Mount("berth", dir, "tmpfs", tmpfsFlags, "mode=755,size=64k") == nil {
			hid = append(hid, dir)
		}
	}
	return hid
}

func mountStaging() (dir string, err error) {
	for _, dir = range staging {
		if err = unix.Mount("berth", dir, "tmpfs", tmpfsFlags, "mode=755,size=1m"); err == nil {
			return dir, nil
		}
	}
	return "", &step{"mount a tmpfs", err}
}

// laySource puts the file that an overlay names, if it does, over another.
func laySource(o Overlay) error {
	if o.Source == "" {
		return nil
	}
	target, err := filepath.EvalSymlinks(o.Path)
	if err != nil {
		return err
	}
	if err := unix.Mount(o.Source, target, "", unix.MS_BIND, ""); err != nil {
		return err
	}
	// What the file system of the source forbids, a user namespace cannot allow.
	var fs unix.Statfs_t
	if err := unix.Statfs(target, &fs); err != nil {
		return err
	}
	const kept = unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC
	return unix.Mount("", target, "", unix.MS_REMOUNT|unix.MS_BIND|unix.MS_RDONLY|uintptr(fs.Flags)&kept, "")
}

// lay puts a file over another. A link into a hidden directory points to nothing
// by now; the file is made there.
func lay(o Overlay, dir string, hid []string) error {
	target, err := filepath.EvalSymlinks(o.Path)
	if errors.Is(err, fs.ErrNotExist) {
		if to, ok := within(o.Path, hid); ok {
			return os.WriteFile(to, []byte(o.Text), 0o644)
		}
	}
	if err != nil {
		return err
	}
	file := filepath.Join(dir, filepath.Base(o.Path))
	if err := os.WriteFile(file, []byte(o.Text), 0o644); err != nil {
		return err
	}
	return unix.Mount(file, target, "", unix.MS_BIND, "")
}

// within tells where a link into one of the directories points to.
func within(link string, dirs []string) (string, bool) {
	to, err := os.Readlink(link)
	if err != nil {
		return "", false
	}
	if !filepath.IsAbs(to) {
		to = filepath.Join(filepath.Dir(link), to)
	}
	parent, err := filepath.EvalSymlinks(filepath.Dir(to))
	if err != nil {
		return "", false
	}
	for _, dir := range dirs {
		if parent == dir || strings.HasPrefix(parent, dir+"/") {
			return filepath.Join(parent, filepath.Base(to)), true
		}
	}
	return "", false
}
