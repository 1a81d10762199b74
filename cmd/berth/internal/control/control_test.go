package control

import (
	"bufio"
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"example.com/berth/cmd/berth/internal/sockets"
)

// serve starts a server in a directory of the test's own, and returns its
// socket's path.
func serve(t *testing.T) (s *Server, path string) {
	t.Helper()
	t.Setenv("XDG_RUNTIME_DIR", t.TempDir())
	s, err := Serve(Info{PID: 7, Name: "bt0"}, func() []sockets.Row { return nil })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s, filepath.Join(dir(), "7.bt0.sock")
}

func TestOnlyTheUserMayAsk(t *testing.T) {
	_, path := serve(t)
	for _, tt := range []struct {
		path string
		mode fs.FileMode
	}{{path, 0o600}, {filepath.Dir(path), 0o700}} {
		info, err := os.Stat(tt.path)
		if err != nil {
			t.Fatal(err)
		}
		if got := info.Mode().Perm(); got != tt.mode {
			t.Errorf("%s has mode %#o, want %#o", tt.path, got, tt.mode)
		}
	}
}

func TestConversation(t *testing.T) {
	_, path := serve(t)
	c, err := net.Dial("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	answers := bufio.NewReader(c)
	for _, tt := range []struct{ ask, want string }{
		{`{"op":"info"}`, `{"info":{"pid":7,"name":"bt0","addrs":null,"command":null}}`},
		{`{"op":"sockets"}`, `{"info":{"pid":7,"name":"bt0","addrs":null,"command":null},"sockets":[]}`},
		{`{"op":"reboot"}`, `{"error":"unknown op \"reboot\": info and sockets are known"}`},
		{`{}`, `{"error":"unknown op \"\": info and sockets are known"}`},
		{`hello`, `{"error":"not a request in JSON: invalid character 'h' looking for beginning of value"}`},
	} {
		if _, err := c.Write([]byte(tt.ask + "\n")); err != nil {
			t.Fatal(err)
		}
		got, err := answers.ReadString('\n')
		if err != nil || strings.TrimSpace(got) != tt.want {
			t.Errorf("%s gives %s, %v, want %s", tt.ask, got, err, tt.want)
		}
	}
}

func TestALineWithoutEndEndsTheConversation(t *testing.T) {
	_, path := serve(t)
	c, err := net.Dial("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.Write(make([]byte, 2*maxRequest)) // the server may be gone before all is written
	if n, err := c.Read(make([]byte, 1)); err == nil {
		t.Errorf("%d bytes came back", n)
	}
}

func TestMoreClientsThanAreServedWait(t *testing.T) {
	s, path := serve(t)
	for range 2 * maxClients {
		c, err := net.Dial("unix", path)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
	}
	s.Close() // does not wait for them
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the socket is still there: %v", err)
	}
}

func TestListRemovesWhatNobodyAnswersOn(t *testing.T) {
	_, path := serve(t)
	dead := filepath.Join(filepath.Dir(path), "8.bt1.sock")
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: dead, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	l.SetUnlinkOnClose(false) // as if it had been killed
	l.Close()
	all, err := List(t.Context())
	if err != nil || len(all) != 1 || all[0].Info.PID != 7 {
		t.Errorf("List gives %v, %v", all, err)
	}
	if _, err := os.Stat(dead); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the dead socket is still there: %v", err)
	}
}

func TestListWithoutDirectoryIsEmpty(t *testing.T) {
	t.Setenv("XDG_RUNTIME_DIR", t.TempDir())
	if all, err := List(t.Context()); len(all) != 0 || err != nil {
		t.Errorf("List gives %v, %v", all, err)
	}
}

func TestOneThatAnswersBadlyDoesNotHideOthers(t *testing.T) {
	_, path := serve(t)
	l, err := net.Listen("unix", filepath.Join(filepath.Dir(path), "6.bad.sock"))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			c.Write([]byte("{}\n"))
			c.Close()
		}
	}()
	all, err := List(t.Context())
	if len(all) != 1 || err == nil || !strings.Contains(err.Error(), "6.bad.sock") {
		t.Errorf("List gives %v, %v", all, err)
	}
}

func TestDirectoryMustBeOne(t *testing.T) {
	d := t.TempDir()
	t.Setenv("XDG_RUNTIME_DIR", d)
	if err := os.Symlink(d, filepath.Join(d, "berth")); err != nil {
		t.Fatal(err)
	}
	if _, err := Serve(Info{}, nil); err == nil || !strings.Contains(err.Error(), "is not a directory") {
		t.Errorf("Serve through a symbolic link gives %v", err)
	}
}

func TestWithoutRuntimeDirectoryTheTemporaryOneIsUsed(t *testing.T) {
	t.Setenv("XDG_RUNTIME_DIR", filepath.Join(t.TempDir(), "missing"))
	if got := dir(); filepath.Dir(got) != filepath.Clean(os.TempDir()) {
		t.Errorf("the directory is %s", got)
	}
}
