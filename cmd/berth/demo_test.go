package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"example.com/berth/cmd/berth/internal/demo"
)

func TestDemo(t *testing.T) {
	r := run(t, "", "demo", "--loss", "0", "--delay", "0")
	wantStatus(t, r.status, exitSuccess)
	want(t, "standard error", r.stderr, "")
	for _, part := range []string{
		"Connect(10.0.0.2:50007)", "SYN  seq 0  mss 1460", "ESTABLISHED", "TIME-WAIT",
		"UDP  len 10", "ICMP echo request", "ICMPv6 echo reply", "http.Get(http://[fd00::2]/file.bin)",
		"✓ stream    4,017 bytes came back", "✓ datagram  4 of 4 came back\n", "✓ ping      4 of 4 were answered\n",
		"✓ download  3 MiB in ", "Every byte came back",
	} {
		if !strings.Contains(r.stdout, part) {
			t.Errorf("no %q in the output", part)
		}
	}
	if strings.Contains(r.stdout, "\x1b") {
		t.Error("colours without a terminal")
	}
	for line := range strings.Lines(r.stdout) {
		if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > 90 {
			t.Errorf("a line of %d columns: %s", n, line)
		}
	}
}

func TestDemoOnBadWires(t *testing.T) {
	for _, args := range []string{"--seed 1", "--seed 2 --delay 1ms", "--seed 3 --delay 5ms --loss 1%", "--seed 10733"} {
		t.Run(args, func(t *testing.T) {
			t.Parallel()
			r := run(t, "", append([]string{"demo", "--json"}, strings.Fields(args)...)...)
			wantStatus(t, r.status, exitSuccess)
			var report demo.Report
			if err := json.Unmarshal([]byte(r.stdout), &report); err != nil {
				t.Fatal(err)
			}
			if !report.OK || len(report.Scenes) != 4 {
				t.Errorf("ok %v, %d scenes", report.OK, len(report.Scenes))
			}
			down := report.Wire[1]
			if down.Bytes < demo.FileSize || down.Lost == 0 || down.Resent == 0 {
				t.Errorf("from bob came %+v", down)
			}
		})
	}
}

func TestDemoWritesACapture(t *testing.T) {
	file := filepath.Join(t.TempDir(), "demo.pcapng")
	r := run(t, "", "demo", "--pcap", file, "--delay", "0", "--loss", "2%")
	wantStatus(t, r.status, exitSuccess)
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if len(b) < demo.FileSize || string(b[:4]) != "\x0a\x0d\x0d\x0a" {
		t.Errorf("%d bytes that begin with %q", len(b), b[:min(4, len(b))])
	}
	for _, remark := range []string{"alice", "bob", "lost", "resent"} {
		if !strings.Contains(string(b), remark) {
			t.Errorf("no %q in the capture", remark)
		}
	}
}

func TestDemoThatCannotWriteItsCapture(t *testing.T) {
	r := run(t, "", "demo", "--loss", "0", "--delay", "0", "--pcap", filepath.Join(t.TempDir(), "no", "such"))
	wantStatus(t, r.status, exitNetwork)
	if !strings.Contains(r.stderr, "no such file or directory") {
		t.Errorf("said %q", r.stderr)
	}
}

func TestDemoThatIsInterrupted(t *testing.T) {
	b := start(t, "demo", "--loss", "1") // it would try for a minute
	if line, err := b.out.ReadString('\n'); err != nil || !strings.HasPrefix(line, "berth demo:") {
		t.Fatalf("begins with %q, %v", line, err)
	}
	go func() {
		for {
			if _, err := b.out.ReadString('\n'); err != nil {
				return
			}
		}
	}()
	b.interrupt()
	wantStatus(t, b.end(), exitInterrupted)
}
