package pcapng_test

import (
	"bytes"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"example.com/berth/internal/header"
	"example.com/berth/link"
	"example.com/berth/link/pcapng"
)

// TestTshark lets the program that most people will read a capture with do it.
func TestTshark(t *testing.T) {
	tshark, err := exec.LookPath("tshark")
	if err != nil {
		t.Skip("tshark is not installed")
	}
	file := filepath.Join(t.TempDir(), "test.pcapng")
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	w := pcapng.NewWriter(f, pcapng.Options{Comment: "a test"})
	w.Name(netip.MustParseAddr("192.0.2.1"), "web")
	w.Name(netip.MustParseAddr("192.0.2.2"), "client")
	w.KeyLog().Write([]byte("CLIENT_RANDOM " + strings.Repeat("00", 32) + " " + strings.Repeat("11", 48) + "\n"))
	ip, ethernet := w.Interface("tun0", link.IP, 0), w.Interface("eth0", link.Ethernet, 0)

	large := tcp(2500, 1000)
	ip.Record(time.Unix(1, 23), pcapng.Out, &large, "large")
	framed := tcp(100, 1000)
	framed.Head = append((&header.Ethernet{Dst: header.MAC{2, 2}, Src: header.MAC{2, 1}, Type: header.EtherTypeIPv4}).Append(nil), framed.Head...)
	framed.GSO, framed.SegSize, framed.CsumStart = link.GSONone, 0, 34
	framed.Comment = "of the frame"
	ethernet.Record(time.Unix(2, 0), pcapng.In, &framed, "lost")
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}

	args := []string{
		"-r", file, "-N", "n", "-o", "ip.check_checksum:TRUE", "-o", "tcp.check_checksum:TRUE", "-o", "nameres.hosts_file_handling:TRUE",
		"-T", "fields", "-E", "separator=|",
	}
	for _, field := range []string{
		"frame.time_epoch", "frame.interface_name", "frame.packet_flags_direction", "frame.comment", "frame.len",
		"ip.src_host", "ip.dst_host", "tcp.seq_raw", "ip.checksum.status", "tcp.checksum.status", "_ws.malformed",
	} {
		args = append(args, "-e", field)
	}
	var stderr bytes.Buffer
	cmd := exec.Command(tshark, args...)
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("tshark: %v\n%s", err, &stderr)
	}
	// Some versions write the direction in hexadecimal.
	got := strings.Split(strings.TrimSpace(strings.ReplaceAll(string(out), "0x0000000", "")), "\n")
	want := []string{ // direction 2 is outbound; status 1 is a good checksum
		"1.000000023|tun0|2|large|1040|web|client|1|1|1|",
		"1.000000023|tun0|2|large|1040|web|client|1001|1|1|",
		"1.000000023|tun0|2|large|540|web|client|2001|1|1|",
		"2.000000000|eth0|1|of the frame,lost|154|web|client|1|1|1|",
	}
	if !slices.Equal(got, want) {
		t.Errorf("tshark reads\n%s\nwant\n%s\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"), &stderr)
	}
}
