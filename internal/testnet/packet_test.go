package testnet

import (
	"bytes"
	"testing"

	"example.com/berth/link"
	"example.com/berth/link/wire"
)

func TestPacketsAreWhatTheyAreTakenFor(t *testing.T) {
	flows := []struct {
		name  string
		frame link.Frame
		seg   int
	}{
		{"UDP4", Datagram("10.0.0.1", "10.0.0.2", 1001, 0), 0},
		{"UDP6", Datagram("fd00::1", "fd00::2", 1001, 0), 0},
		{"TCP4", Segment("10.0.0.1", "10.0.0.2", 1001, 0), 0},
		{"large TCP4", Segment("10.0.0.1", "10.0.0.2", 30001, 1000), 1000},
		{"large TCP6", Segment("fd00::1", "fd00::2", 30001, 1000), 1000},
		{"large UDP6", Datagram("fd00::1", "fd00::2", 30001, 1000), 1000},
	}
	a, b := wire.Pair()
	defer a.Close()
	defer b.Close()
	in := Receive(t, b)
	if err := a.Attach(NewEcho(t, a)); err != nil {
		t.Fatal(err)
	}
	for _, tt := range flows {
		if n, err := a.Output([]link.Frame{tt.frame}); n != 1 || err != nil {
			t.Fatalf("%s: Output = %d, %v", tt.name, n, err)
		}
		all, payload := in.NextSegments(len(tt.frame.Payload))
		if len(all) != 1 || all[0].SegSize != tt.seg || all[0].GSO != tt.frame.GSO || all[0].Checksum != link.ChecksumPartial {
			t.Errorf("%s: came as %d frames, GSO %d of %d, checksum %d", tt.name, len(all), all[0].GSO, all[0].SegSize, all[0].Checksum)
		}
		if !bytes.Equal(payload, Pattern(len(payload))) {
			t.Errorf("%s: another payload", tt.name)
		}
	}
}

func TestParsePacketVerifies(t *testing.T) {
	for _, tt := range []struct {
		name   string
		spoil  func(*link.Frame)
		ok     bool
		errors bool
	}{
		{"as made", func(*link.Frame) {}, true, false},
		{"sum of the pseudo-header", func(f *link.Frame) { f.Head[26] ^= 1 }, true, true},
		{"start", func(f *link.Frame) { f.CsumStart++ }, true, true},
		{"whole checksum", func(f *link.Frame) { f.Checksum = link.ChecksumFull }, true, true},
		{"port", func(f *link.Frame) { f.Head[23]++ }, false, false},
		{"IP header", func(f *link.Frame) { f.Head[0]++ }, false, false},
		{"length", func(f *link.Frame) { f.Head = f.Head[:24] }, false, false},
	} {
		f := Datagram("10.0.0.1", "10.0.0.2", 100, 0)
		tt.spoil(&f)
		if _, ok, err := ParsePacket(link.IP, &f); ok != tt.ok || (err != nil) != tt.errors {
			t.Errorf("%s: %v, %v", tt.name, ok, err)
		}
	}
	f := OnEthernet(Segment("fd00::1", "fd00::2", 100, 0), [6]byte{2}, [6]byte{4})
	if p, ok, err := ParsePacket(link.Ethernet, &f); !ok || err != nil || !bytes.Equal(p.Payload, Pattern(100)) {
		t.Errorf("on Ethernet: %v, %v", ok, err)
	}
	short := link.Frame{Payload: f.Head[:13]}
	if _, ok, _ := ParsePacket(link.Ethernet, &short); ok {
		t.Error("a frame shorter than its header is taken")
	}
}
