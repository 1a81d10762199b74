package main

import (
	"bufio"
	"encoding/json"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"example.com/berth/internal/testnet"
	"golang.org/x/net/dns/dnsmessage"
)

// process is the command in a process of its own, in a network namespace.
type process struct {
	t   *testing.T
	cmd *testnet.Cmd
	// errs are the lines of standard error.
	errs *bufio.Scanner
}

// inNamespace starts the command with the test binary as the program.
func inNamespace(t *testing.T, ns *testnet.NS, runtimeDir string, args ...string) *process {
	t.Helper()
	cmd := command(t, ns, runtimeDir, args...)
	pipe, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return &process{t, cmd, bufio.NewScanner(pipe)}
}

func command(t *testing.T, ns *testnet.NS, runtimeDir string, args ...string) *testnet.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := ns.Command(t.Context(), self, args...)
	cmd.Env = append(os.Environ(), "BERTH_TEST_AS_COMMAND=1", "XDG_RUNTIME_DIR="+runtimeDir,
		"GORACE=atexit_sleep_ms=0") // or each command lasts a second under the race detector
	return cmd
}

func (m *process) ready() {
	m.t.Helper()
	for m.errs.Scan() {
		if strings.Contains(m.errs.Text(), "listening on") {
			return
		}
	}
	m.t.Fatal("it ended without listening")
}

// interrupt ends it as Ctrl-C does, and wants it to end well.
func (m *process) interrupt() {
	m.t.Helper()
	if err := m.cmd.Process.Signal(syscall.SIGINT); err != nil {
		m.t.Fatal(err)
	}
	rest := ""
	for m.errs.Scan() {
		rest += m.errs.Text() + "\n"
	}
	if err := m.cmd.Wait(); err != nil {
		m.t.Errorf("ended with %v, said %q", err, rest)
	}
}

// One line puts a new machine on the network: the kernel pings it, connects to
// it, and sees it go; ss asks it for its sockets.
func TestAMachineOnATUN(t *testing.T) {
	ns := testnet.New(t)
	testnet.NeedTUN(t)
	dir := t.TempDir()
	capture := filepath.Join(dir, "tun.pcapng")
	m := inNamespace(t, ns, dir, "echo", "--tun", "bt0", "--host-addr", "10.77.0.1/24", "--addr", "10.77.0.2/24",
		"--host-addr", "fd77::1/64", "--addr", "fd77::2/64", "--mtu", "1400", "--pcap", capture, ":50007")
	m.ready()

	for _, host := range []string{"10.77.0.2", "fd77::2"} {
		out, err := command(t, ns, dir, "ping", "-c", "2", "-i", "0.01", host).Output()
		if err != nil || !strings.Contains(out, "2 packets transmitted, 2 received") {
			t.Errorf("ping %s: %v\n%s", host, err, out)
		}
		data := strings.Repeat("through the TUN and back\n", 10_000)
		connect := command(t, ns, dir, "connect", host, "50007")
		connect.Stdin = strings.NewReader(data)
		out, err = connect.Output()
		if err != nil || out != data {
			t.Errorf("connect %s: %v, %d bytes of %d", host, err, len(out), len(data))
		}
	}

	out, err := command(t, ns, dir, "ss", "-a", "--json").Output()
	if err != nil {
		t.Fatal(err)
	}
	var hosts []host
	if err := json.Unmarshal([]byte(out), &hosts); err != nil {
		t.Fatal(err)
	}
	if len(hosts) != 1 || hosts[0].Name != "bt0" || hosts[0].PID != m.cmd.Process.Pid || len(hosts[0].Sockets) == 0 {
		t.Errorf("ss says %s", out)
	}

	m.interrupt()
	if left, _ := filepath.Glob(filepath.Join(dir, "berth", "*")); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
	if b, err := os.ReadFile(capture); err != nil || len(b) < 500_000 {
		t.Errorf("the capture has %d bytes, %v", len(b), err)
	}
}

// The host on the TUN is the one that asks.
func TestPingFromATUN(t *testing.T) {
	ns := testnet.New(t)
	testnet.NeedTUN(t)
	out, err := command(t, ns, t.TempDir(), "ping", "--tun", "bt0", "--host-addr", "10.77.0.1/24", "--addr", "10.77.0.2/24",
		"--gateway", "10.77.0.1", "-c", "2", "-i", "0.01", "10.77.0.1").Output()
	if err != nil || !strings.Contains(out, "2 packets transmitted, 2 received") {
		t.Errorf("%v\n%s", err, out)
	}
}

// answerNames is a name server in a namespace that gives every name one address.
func answerNames(t *testing.T, ns *testnet.NS, addr [4]byte) {
	t.Helper()
	var c net.PacketConn
	var err error
	ns.Do(func() { c, err = net.ListenPacket("udp", ":53") })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	go func() {
		buf := make([]byte, 1500)
		for {
			n, from, err := c.ReadFrom(buf)
			if err != nil {
				return
			}
			var m dnsmessage.Message
			if m.Unpack(buf[:n]) != nil || len(m.Questions) != 1 {
				continue
			}
			m.Response, m.Additionals = true, nil
			if q := m.Questions[0]; q.Type == dnsmessage.TypeA {
				h := dnsmessage.ResourceHeader{Name: q.Name, Class: q.Class}
				m.Answers = []dnsmessage.Resource{{Header: h, Body: &dnsmessage.AResource{A: addr}}}
			}
			if b, err := m.Pack(); err == nil {
				c.WriteTo(b, from)
			}
		}
	}()
}

func TestNamesOverATUN(t *testing.T) {
	ns := testnet.New(t)
	testnet.NeedTUN(t)
	answerNames(t, ns, [4]byte{10, 77, 0, 1})
	out, err := command(t, ns, t.TempDir(), "ping", "--tun", "bt0", "--host-addr", "10.77.0.1/24", "--addr", "10.77.0.2/24",
		"--dns", "10.77.0.1", "-c", "1", "gate.example").Output()
	if err != nil || !strings.Contains(out, "64 bytes from gate.example (10.77.0.1): icmp_seq=1") {
		t.Errorf("%v\n%s", err, out)
	}
}

// The host ends with the command, but not before the peer has everything, also
// one that has ended its half at once and reads the rest later.
func TestConnectFromATUNLosesNothing(t *testing.T) {
	ns := testnet.New(t)
	testnet.NeedTUN(t)
	var l net.Listener
	var err error
	ns.Do(func() { l, err = net.Listen("tcp", ":7000") })
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	const size, rest = 1 << 20, 48 << 10
	input := &atEnd{r: io.LimitReader(zeros{}, size), ended: make(chan struct{})}
	got := make(chan int64, 1)
	go func() {
		c, err := l.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		c.(*net.TCPConn).SetReadBuffer(4096)
		c.(*net.TCPConn).CloseWrite()
		n, _ := io.CopyN(io.Discard, c, size-rest)
		<-input.ended
		m, _ := io.Copy(io.Discard, c)
		got <- n + m
	}()
	cmd := command(t, ns, t.TempDir(), "connect", "--tun", "bt0", "--host-addr", "10.77.0.1/24", "--addr", "10.77.0.2/24", "10.77.0.1:7000")
	cmd.Stdin = input
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
	if n := <-got; n != size {
		t.Errorf("the peer has %d bytes of %d", n, size)
	}
}

// atEnd tells when a reader has ended.
type atEnd struct {
	r     io.Reader
	ended chan struct{}
}

func (a *atEnd) Read(b []byte) (int, error) {
	n, err := a.r.Read(b)
	if err != nil {
		close(a.ended)
	}
	return n, err
}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) { return len(b), nil }

func TestATUNThatCannotBe(t *testing.T) {
	ns := testnet.New(t)
	testnet.NeedTUN(t)
	for _, tt := range []struct {
		name string
		args []string
		want string
	}{
		{"a name that is too long", []string{"--tun", "a-name-that-is-too-long", "--addr", "10.77.0.2/24"}, "name"},
		{"an address twice", []string{"--tun", "bt1", "--addr", "10.77.0.2/24", "--addr", "10.77.0.2/24"}, "10.77.0.2/24"},
		{"a gateway that is not there", []string{"--tun", "bt1", "--addr", "10.77.0.2/24", "--gateway", "10.78.0.1"}, "network is unreachable"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := command(t, ns, t.TempDir(), append(append([]string{"echo"}, tt.args...), ":7")...).Output()
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%v, want %q in it", err, tt.want)
			}
		})
	}
}

// A reader that goes away ends a command that writes without a word, and with
// its control socket removed.
func TestBrokenPipeOfAProcess(t *testing.T) {
	ns := testnet.New(t)
	testnet.NeedTUN(t)
	dir := t.TempDir()
	cmd := command(t, ns, dir, "ping", "--tun", "bt0", "--host-addr", "10.77.0.1/24", "--addr", "10.77.0.2/24", "-i", "0.01", "10.77.0.1")
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	var errs strings.Builder
	cmd.Stdout, cmd.Stderr = w, &errs
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	w.Close()
	io.ReadFull(r, make([]byte, 10))
	r.Close()
	cmd.Wait()
	if errs.String() != "" {
		t.Errorf("said %q", errs.String())
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "berth", "*")); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}
