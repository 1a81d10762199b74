package peers

import (
	"bufio"
	"bytes"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"example.com/berth/internal/testnet"
	"example.com/berth/link"
	"example.com/berth/link/impair"
	"example.com/berth/link/pcapng"
	"example.com/berth/link/tuntap"
)

// TestCapture has tshark read what berth captured on a bad line.
func TestCapture(t *testing.T) {
	file := filepath.Join(t.ArtifactDir(), "berth.pcapng")
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	w := pcapng.NewWriter(f, pcapng.Options{})
	for _, f := range families {
		w.Name(f.kernel, "kernel.test")
		w.Name(f.berth, "berth.test")
	}
	fate := w.Interface("fate", link.IP, 0)
	mixed(tun(t, func(dev link.Device) link.Device {
		bad := impair.Config{Seed: 1, Loss: 0.01, Observe: func(e impair.Event) {
			fate.Record(time.Time{}, pcapng.Out, e.Frame, e.Comment())
		}}
		line := impair.New(dev, bad)
		return pcapng.Wrap(line, w, "")
	}, tuntap.NoOffload())) // else the kernel quotes checksums that are still to be completed
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	flawless(t, file)
	if lost := tshark(t, file, "-Y", `frame.comment == "lost"`, "-T", "fields", "-e", "frame.interface_name"); !slices.Contains(lost, "fate") {
		t.Errorf("nothing was lost: %q", lost)
	}
	for _, field := range []string{"ip.src_host", "ipv6.src_host"} {
		names := tshark(t, file, "-Nn", "-Y", field, "-T", "fields", "-E", "occurrence=f", "-e", field)
		slices.Sort(names)
		if names = slices.Compact(names); !slices.Contains(names, "kernel.test") || !slices.Contains(names, "berth.test") {
			t.Errorf("hosts: %q", names)
		}
	}
}

// TestTcpdump has tshark read what tcpdump captured on the kernel's side.
func TestTcpdump(t *testing.T) {
	testnet.NeedTool(t, "tcpdump")
	w := tun(t, nil, tuntap.NoOffload()) // else the kernel shows what is still to be cut
	file := filepath.Join(t.ArtifactDir(), "kernel.pcap")
	cmd := w.kernel.Command(w.ctx, "tcpdump", "-i", "bt0", "-B32768", "-s1600", "-U", "--immediate-mode", "-w", file, "-Z", "root")
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	said := bufio.NewReader(stderr)
	for line := ""; !strings.Contains(line, "listening on"); {
		if line, err = said.ReadString('\n'); err != nil {
			t.Fatalf("tcpdump says %q, %v", line, err)
		}
	}
	mixed(w)
	// What tcpdump has not read when it is told to end, it does not read.
	const last = "this was all"
	if _, err := w.socket(t, families[0], "udp").SendTo([]byte(last), 0, netip.AddrPortFrom(families[0].kernel, closedPort)); err != nil {
		t.Fatal(err)
	}
	await(t, "the last packet", func() bool {
		b, err := os.ReadFile(file)
		return err == nil && bytes.Contains(b, []byte(last))
	})
	if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	var summary bytes.Buffer
	if _, err := said.WriteTo(&summary); err != nil {
		t.Error(err)
	}
	if err := cmd.Wait(); err != nil || !strings.Contains(summary.String(), "\n0 packets dropped by kernel") {
		t.Errorf("%v: %s", err, &summary)
	}
	flawless(t, file)
}

// mixed talks about everything: TCP both ways, UDP and ICMP in fragments, errors,
// resets.
func mixed(w *world) {
	for _, tool := range []string{"tshark", "curl", "ping", "traceroute"} {
		testnet.NeedTool(w, tool)
	}
	w.each(func(w *world, f family) {
		w.http(f, 1<<20)
		w.traceroute(w.T, w.kernel, f.berth, "default")
		// Some may be lost: one of these fails when all are.
		ping := w.kernel.Command(w.ctx, "ping", "-q", "-c20", "-i0.002", "-s8000", f.berth.String())
		if out, err := ping.CombinedOutput(); err != nil {
			w.Errorf("%v: %s", err, out)
		}
		s := w.socket(w.T, f, "udp")
		if err := s.Bind(netip.AddrPortFrom(f.berth, pythonPort)); err != nil {
			w.Fatal(err)
		}
		for _, size := range datagramSizes {
			if _, err := s.SendTo(contentBytes(int64(size)), 0, netip.AddrPortFrom(f.kernel, closedPort)); err != nil {
				w.Errorf("%d bytes: %v", size, err)
			}
		}
		kernel, berth := w.connect(w.T, f)
		if err := berth.SetLinger(0); err != nil {
			w.Fatal(err)
		}
		berth.Close()
		kernel.Close()
	})
}

// flawless looks for packets that tshark finds fault with. It calls a checksum of
// all ones an error, which Linux writes for one of 0 in TCP, too, when it completes
// what a device would have (skb_checksum_help): one packet in 65,536 from there.
func flawless(t *testing.T, file string) {
	t.Helper()
	const excused = "(ip.src == 10.77.0.1 || ipv6.src == fd77::1) && tcp.checksum == 0xffff"
	faults := []string{
		"_ws.malformed", "_ws.expert.severity == error",
		"ip.checksum.status == 0", "tcp.checksum.status == 0", "udp.checksum.status == 0",
		"icmp.checksum.status == 0", "icmpv6.checksum.status == 0",
	}
	bad := "(" + strings.Join(faults, " || ") + ") && !(" + excused + ")"
	found := tshark(t, file, "-Y", bad)
	if len(found) > 0 {
		t.Errorf("%d bad packets, as %q", len(found), found[0])
	}
	all := strings.Join(tshark(t, file, "-T", "fields", "-e", "frame.protocols", "-e", "tcp.flags.reset"), "\n")
	for _, part := range []string{":tcp", ":udp", ":icmp", ":icmpv6", ":ip:data", ":ipv6.fraghdr:data", ":tcp\t1"} {
		if !strings.Contains(all, part) {
			t.Errorf("%q is not in the capture", part)
		}
	}
}

// tshark reads a capture, with all checksums verified, and returns the lines.
func tshark(t *testing.T, file string, args ...string) []string {
	t.Helper()
	args = append([]string{
		"-n", "-r", file,
		"-o", "ip.check_checksum:TRUE", "-o", "tcp.check_checksum:TRUE", "-o", "udp.check_checksum:TRUE",
		// The content is random: no dissector is to guess at it.
		"-d", "tcp.port==80,data", "-d", "udp.port==1-65535,data",
	}, args...)
	out, err := testnet.New(t).Command(t.Context(), "tshark", args...).Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.FieldsFunc(out, func(r rune) bool { return r == '\n' })
}
