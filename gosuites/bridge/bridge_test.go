package bridge

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// open makes a socket that is closed with the test.
func open(t *testing.T, family, typ int) int {
	t.Helper()
	s, err := Socket(family, typ, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { Close(s) })
	return s
}

var anywhere = map[int]syscall.Sockaddr{
	syscall.AF_INET:  &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}},
	syscall.AF_INET6: &syscall.SockaddrInet6{Addr: [16]byte{15: 1}},
}

func TestAConnection(t *testing.T) {
	for family, at := range anywhere {
		l, c := open(t, family, syscall.SOCK_STREAM), open(t, family, syscall.SOCK_STREAM)
		check(t, Bind(l, at))
		check(t, Listen(l, 1))
		to, err := Getsockname(l)
		check(t, err)
		if err := Connect(c, to); err != syscall.EINPROGRESS {
			t.Fatalf("Connect = %v", err)
		}
		check(t, Lookup(c).WaitWrite())
		if e, err := GetsockoptInt(c, syscall.SOL_SOCKET, syscall.SO_ERROR); e != 0 || err != nil {
			t.Fatalf("SO_ERROR = %d, %v", e, err)
		}
		s, from, err := Accept4(l, 0)
		check(t, err)
		if me, _ := Getsockname(c); !same(me, from) {
			t.Errorf("accepted %v, and it is %v", from, me)
		}
		if n, err := Lookup(c).Writev([][]byte{[]byte("he"), []byte("llo")}); n != 5 || err != nil {
			t.Errorf("Writev = %d, %v", n, err)
		}
		b := make([]byte, 9)
		if n, err := Lookup(s).Read(b); string(b[:n]) != "hello" || err != nil {
			t.Errorf("Read = %q, %v", b[:n], err)
		}
		check(t, Close(s))
		if _, err := Lookup(s).Read(b); err != syscall.EBADF {
			t.Errorf("Read of a closed socket = %v", err)
		}
		if err := Lookup(s).Control(func(uintptr) { t.Error("called") }); err != syscall.EBADF {
			t.Errorf("Control of a closed socket = %v", err)
		}
	}
}

func TestAConnectionThatIsRefused(t *testing.T) {
	for family, at := range anywhere {
		l, c := open(t, family, syscall.SOCK_STREAM), open(t, family, syscall.SOCK_STREAM)
		check(t, Bind(l, at)) // nobody else gets the port, and nobody listens
		to, err := Getsockname(l)
		check(t, err)
		if err := Connect(c, to); err != syscall.EINPROGRESS {
			t.Fatalf("Connect = %v", err)
		}
		check(t, Lookup(c).WaitWrite())
		if e, err := GetsockoptInt(c, syscall.SOL_SOCKET, syscall.SO_ERROR); syscall.Errno(e) != syscall.ECONNREFUSED || err != nil {
			t.Errorf("SO_ERROR = %v, %v", syscall.Errno(e), err)
		}
	}
}

func TestDatagrams(t *testing.T) {
	for family, at := range anywhere {
		a, b := open(t, family, syscall.SOCK_DGRAM), open(t, family, syscall.SOCK_DGRAM)
		check(t, Bind(b, at))
		to, err := Getsockname(b)
		check(t, err)
		if n, err := Lookup(a).WriteTo([]byte("x"), to); n != 1 || err != nil {
			t.Fatalf("WriteTo = %d, %v", n, err)
		}
		from, _ := Getsockname(a)
		n, sa, err := Lookup(b).ReadFrom(make([]byte, 9))
		check(t, err)
		if n != 1 || port(sa) != port(from) {
			t.Errorf("read %d bytes from %v, want 1 from %v", n, sa, from)
		}
	}
}

// Deadlines end waits for readiness, too, and one that comes meanwhile.
func TestDeadlineOfAWait(t *testing.T) {
	f := Lookup(open(t, syscall.AF_INET, syscall.SOCK_DGRAM))
	never := func(uintptr) bool { return false }
	go f.SetReadDeadline(time.Unix(1, 0))
	if err := f.RawRead(never); err != os.ErrDeadlineExceeded {
		t.Errorf("RawRead = %v", err)
	}
}

func TestWhatIsNotBerths(t *testing.T) {
	s := open(t, syscall.AF_UNIX, syscall.SOCK_STREAM)
	if s >= first || Lookup(s) != nil {
		t.Errorf("the Unix socket %d is berth's", s)
	}
	if _, err := GetsockoptInt(s, syscall.SOL_SOCKET, syscall.SO_TYPE); err != nil {
		t.Error(err)
	}
	if s := open(t, syscall.AF_INET, syscall.SOCK_STREAM); s < first || Lookup(s) == nil {
		t.Errorf("the socket %d of IPv4 is the kernel's", s)
	}
}

func TestPortsThatCannotBe(t *testing.T) {
	for _, sa := range []syscall.Sockaddr{&syscall.SockaddrInet4{Port: 1 << 16}, &syscall.SockaddrInet6{Port: -1}} {
		if _, err := addrPort(sa); err != syscall.EINVAL {
			t.Errorf("%#v: %v", sa, err)
		}
	}
}

func TestReport(t *testing.T) {
	open(t, syscall.AF_INET, syscall.SOCK_STREAM)
	dir := t.TempDir()
	t.Setenv("BERTH_REPORT", dir)
	Report()
	names, _ := filepath.Glob(filepath.Join(dir, "*.counters"))
	if len(names) != 1 {
		t.Fatalf("%d reports", len(names))
	}
	b, err := os.ReadFile(names[0])
	if err != nil || !strings.Contains(string(b), "Bridge.Sockets ") {
		t.Errorf("the report is %q, %v", b, err)
	}
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func port(sa syscall.Sockaddr) int {
	a, _ := addrPort(sa)
	return int(a.Port())
}

func same(a, b syscall.Sockaddr) bool {
	x, err := addrPort(a)
	y, bad := addrPort(b)
	return x == y && err == nil && bad == nil
}
