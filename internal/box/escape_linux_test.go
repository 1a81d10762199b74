package box

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// attempts are what an attacker in a box tries, run by the test binary inside: the
// first argument names one.
var attempts = map[string]func(arg string) error{
	"family": func(arg string) error {
		family, _ := strconv.Atoi(arg)
		fd, err := unix.Socket(family, unix.SOCK_STREAM, 0)
		if err == nil {
			unix.Close(fd)
		}
		return err
	},
	"type": func(string) error {
		return unix.IoctlSetPointerInt(0, unix.TIOCSTI, 'x')
	},
	"ring": func(string) error {
		_, _, errno := unix.Syscall(unix.SYS_IO_URING_SETUP, 1, 0, 0)
		return errno
	},
	"setns": func(path string) error {
		fd, err := unix.Open(path, unix.O_RDONLY, 0)
		if err != nil {
			return err
		}
		return unix.Setns(fd, unix.CLONE_NEWNET)
	},
	"beneath": func(path string) error { // the outside's /proc is below the box's own
		if err := unix.Unmount("/proc", unix.MNT_DETACH); err != nil {
			return err
		}
		if _, err := os.Stat(filepath.Dir(path)); err != nil {
			return errors.New("it is not there")
		}
		fd, err := unix.Open(path, unix.O_RDONLY, 0)
		if err != nil {
			return err
		}
		return unix.Setns(fd, unix.CLONE_NEWNET)
	},
	"join": func(string) error { return unix.Setns(0, unix.CLONE_NEWNET) },
	"abstract": func(name string) error {
		fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM, 0)
		if err != nil {
			return err
		}
		return unix.Connect(fd, &unix.SockaddrUnix{Name: name})
	},
}

// attempt does what was asked for of the test binary inside a box.
func attempt() {
	if len(os.Args) == 4 && os.Args[1] == "attempt" {
		if err := attempts[os.Args[2]](os.Args[3]); err != nil {
			os.Stdout.WriteString(err.Error())
		}
		os.Exit(0)
	}
}

// try has an attempt made inside, by root in its namespace, and returns its error.
func try(t *testing.T, what, arg string) string {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if unix.Access(exe, unix.X_OK) != nil {
		t.Skip("the test binary is not for everybody")
	}
	cfg := config()
	cfg.Root = true
	out, _ := inside(t, cfg, exe, "attempt", what, arg)
	return out
}

func TestBoxFamilies(t *testing.T) {
	for family, want := range map[int]error{
		unix.AF_VSOCK:     unix.EAFNOSUPPORT, // the machine that this one is a guest of
		unix.AF_BLUETOOTH: unix.EAFNOSUPPORT,
		unix.AF_TIPC:      unix.EAFNOSUPPORT,
		unix.AF_RDS:       unix.EAFNOSUPPORT,
		unix.AF_INET:      nil,
		unix.AF_INET6:     nil,
		unix.AF_UNIX:      nil,
	} {
		got := try(t, "family", strconv.Itoa(family))
		if want == nil && got != "" || want != nil && got != want.Error() {
			t.Errorf("a socket of family %d: %q, want %v", family, got, want)
		}
	}
}

func TestBoxEscapes(t *testing.T) {
	for _, tt := range []struct {
		what, arg string
		want      error
	}{
		{"type", "", unix.EPERM},
		{"ring", "", unix.ENOSYS},
		{"setns", "/proc/1/ns/net", nil}, // the box's own
		{"setns", "/proc/" + strconv.Itoa(os.Getpid()) + "/ns/net", unix.ENOENT},
		{"beneath", "/proc/" + strconv.Itoa(os.Getpid()) + "/ns/net", unix.EACCES},
		{"beneath", "/proc/" + strconv.Itoa(os.Getpid()) + "/cwd", unix.EACCES},
	} {
		if got := try(t, tt.what, tt.arg); tt.want == nil && got != "" || tt.want != nil && got != tt.want.Error() {
			t.Errorf("%s %s: %q, want %v", tt.what, tt.arg, got, tt.want)
		}
	}
}

// TestBoxAbstractSockets: those of the outside are not there inside.
func TestBoxAbstractSockets(t *testing.T) {
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	name := "@berth-test-" + strconv.Itoa(os.Getpid())
	if err := errors.Join(unix.Bind(fd, &unix.SockaddrUnix{Name: name}), unix.Listen(fd, 1)); err != nil {
		t.Fatal(err)
	}
	if err := attempts["abstract"](name); err != nil {
		t.Errorf("outside: %v", err)
	}
	if got := try(t, "abstract", name); got != unix.ECONNREFUSED.Error() {
		t.Errorf("inside: %q", got)
	}
}

// TestBoxNamespaces: not even a descriptor of the outside's namespace lets the
// program in, and one that it makes itself has even less.
func TestBoxNamespaces(t *testing.T) {
	own, err := os.Open("/proc/self/ns/net")
	if err != nil {
		t.Fatal(err)
	}
	defer own.Close()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cfg := config()
	cfg.Root = true
	cfg.Files[0] = own
	if unix.Access(exe, unix.X_OK) == nil {
		if got, _ := inside(t, cfg, exe, "attempt", "join", ""); got != unix.EPERM.Error() {
			t.Errorf("with the outside's namespace as standard input: %q", got)
		}
	}
	if _, err := exec.LookPath("unshare"); err != nil {
		t.Skip(err)
	}
	before, err := os.Readlink("/proc/self/ns/net")
	if err != nil {
		t.Fatal(err)
	}
	cfg.Files[0] = nil
	out, _ := inside(t, cfg, "unshare", "-Urn", "sh", "-c", "readlink /proc/self/ns/net; cat /proc/net/dev")
	if strings.Contains(out, before) || strings.Contains(out, "berth0") || !strings.Contains(out, "lo:") {
		t.Errorf("a namespace made inside has\n%s", out)
	}
}
