package impair_test

import (
	"bytes"
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"time"

	"example.com/berth/internal/header"
	"example.com/berth/link"
	"example.com/berth/link/impair"
)

func TestDuplicate(t *testing.T) {
	run(t, impair.Config{Duplicate: 1}, func(t *testing.T, d *impair.Device, in *collector) {
		send(t, d, "a", "b")
		if !slices.Equal(in.comments, []string{"", "duplicated", "", "duplicated"}) {
			t.Errorf("comments %q", in.comments)
		}
		in.want(t, "0s a", "0s a", "0s b", "0s b")
		if st := d.OutputStats(); st.Packets != 2 || st.Duplicated != 2 || st.Passed != 4 {
			t.Errorf("counted %+v", st)
		}
	})
}

func TestCorruptFlipsOneBitOfACopy(t *testing.T) {
	run(t, impair.Config{Corrupt: 1}, func(t *testing.T, d *impair.Device, in *collector) {
		b := link.NewBuffer(100)
		defer b.Release()
		payload := b.Bytes()[:100]
		clear(payload)
		for range 50 {
			f := link.Frame{Head: make([]byte, 40), Payload: payload, Buffer: b, Checksum: link.ChecksumVerified}
			if n, err := d.Output([]link.Frame{f}); n != 1 || err != nil {
				t.Fatalf("Output = %d, %v", n, err)
			}
		}
		inHead := 0
		for i, f := range in.frames {
			bits := 0
			for at, x := range f.Payload {
				if x == 0 {
					continue
				}
				bits++
				if x&(x-1) != 0 {
					t.Errorf("more than one bit of byte %d: %#x", at, x)
				}
				if want := fmt.Sprintf("corrupted: bit %d", at*8+7-log2(x)); in.comments[i] != want {
					t.Errorf("comment %q, want %q", in.comments[i], want)
				}
				if at < 40 {
					inHead++
				}
			}
			if bits != 1 || f.Checksum != link.ChecksumFull {
				t.Errorf("%d bytes damaged, checksum %v", bits, f.Checksum)
			}
		}
		if inHead == 0 || inHead == 50 {
			t.Errorf("%d of 50 bits were in the head", inHead)
		}
		if !bytes.Equal(payload, make([]byte, 100)) {
			t.Error("the lent payload was changed")
		}
	})
}

func log2(x byte) (n int) {
	for x > 1 {
		x >>= 1
		n++
	}
	return n
}

func TestRule(t *testing.T) {
	var at []time.Duration
	rule := func(now time.Duration, f *link.Frame) impair.Verdict {
		at = append(at, now)
		switch string(f.AppendTo(nil)) {
		case "drop":
			return impair.Verdict{Drop: true, Reason: "told to"}
		case "delay":
			return impair.Verdict{Delay: 7 * ms, Reason: "a while"}
		case "replace":
			return impair.Verdict{Replace: []byte("other")}
		case "both":
			return impair.Verdict{Replace: []byte("other, late"), Delay: 3 * ms}
		}
		return impair.Verdict{}
	}
	var events []string
	cfg := impair.Config{Rule: rule, Delay: ms, Observe: func(e impair.Event) {
		events = append(events, fmt.Sprintf("%v %s (%s)", e.Now, e.Comment(), e.Frame.AppendTo(nil)))
	}}
	run(t, cfg, func(t *testing.T, d *impair.Device, in *collector) {
		sleep(ms)
		send(t, d, "delay", "drop", "pass", "replace", "both")
		sleep(time.Second)
		if want := []string{"", "changed by a rule", "changed by a rule; delayed by a rule", "delayed by a rule: a while"}; !slices.Equal(in.comments, want) {
			t.Errorf("comments %q", in.comments)
		}
		in.want(t, "2ms pass", "2ms other", "5ms other, late", "9ms delay")
		want := []string{
			"1ms delayed by a rule: a while (delay)", "1ms dropped by a rule: told to (drop)",
			"1ms changed by a rule (replace)", "1ms changed by a rule (both)", "1ms delayed by a rule (both)",
		}
		if !slices.Equal(events, want) {
			t.Errorf("events %q, want %q", events, want)
		}
		if st := d.OutputStats(); st.ByRule != 1 || st.Held != 2 || st.Changed != 2 || st.Passed != 4 {
			t.Errorf("counted %+v", st)
		}
		if len(at) != 5 || at[0] != ms {
			t.Errorf("the rule was called at %v", at)
		}
	})
}

// large is a frame of 10 segments.
func large() link.Frame {
	src, dst := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2")
	h := (&header.IPv4{PayloadLen: 20 + 10000, TTL: 64, Protocol: header.ProtocolTCP, Src: src, Dst: dst}).Append(nil)
	h = (&header.TCP{SrcPort: 1, DstPort: 2, Flags: header.ACK}).Append(h)
	return link.Frame{
		Head: h, Payload: make([]byte, 10000), GSO: link.GSOTCP4, SegSize: 1000,
		Checksum: link.ChecksumPartial, CsumStart: 20, CsumOffset: 16,
	}
}

func TestLargeFramesAreCutWherePacketsDiffer(t *testing.T) {
	pass := func(time.Duration, *link.Frame) impair.Verdict { return impair.Verdict{} }
	for _, tt := range []struct {
		name   string
		cfg    impair.Config
		frames int
	}{
		{"delay alone", impair.Config{Delay: ms}, 1},
		{"rate", impair.Config{Rate: 1e9}, 10},
		{"rule", impair.Config{Rule: pass}, 10},
		{"duplicate", impair.Config{Duplicate: 1}, 20},
		{"corrupt", impair.Config{Corrupt: 1}, 10},
	} {
		t.Run(tt.name, func(t *testing.T) {
			run(t, tt.cfg, func(t *testing.T, d *impair.Device, in *collector) {
				bad := large()
				bad.Head = bad.Head[:30]
				n, err := d.Output([]link.Frame{large(), bad})
				if n != 2 || err != nil {
					t.Errorf("Output = %d, %v", n, err)
				}
				sleep(time.Second)
				whole := tt.frames == 1
				if st := d.OutputStats(); (st.Malformed == 0) != whole {
					t.Errorf("counted %+v", st)
				}
				if whole {
					tt.frames++ // the bad one, too
				}
				if len(in.frames) != tt.frames {
					t.Errorf("%d frames came in, want %d", len(in.frames), tt.frames)
				}
			})
		})
	}
}
