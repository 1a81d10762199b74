package bridge

import (
	"os"
	"strconv"

	"example.com/berth/link"
	"example.com/berth/link/impair"
)

// The line of BERTH_LINE=lossy: one packet of a hundred is lost, and as many are
// overtaken by up to three others.
const (
	loss    = 0.01
	reorder = 0.01
	overGap = 3
)

// line is the impaired loopback; nil if there is none.
var line *impair.Device

func lossy(lo link.Device) link.Device {
	seed, _ := strconv.ParseUint(os.Getenv("BERTH_SEED"), 10, 64)
	lo = narrow{lo}
	line = impair.New(lo, impair.Config{Seed: seed, Loss: loss, Reorder: reorder, ReorderGap: overGap})
	return &selective{Device: line, past: lo}
}

// narrow is a device with the MTU of an Ethernet: over the loopback's own a
// transfer is too few packets to lose any.
type narrow struct{ link.Device }

func (n narrow) Info() link.Info {
	info := n.Device.Info()
	info.MTU = 1500
	return info
}

// selective brings what is not TCP past the impaired line. Nobody sends a
// datagram again: a suite that waits for one would wait for ever.
type selective struct {
	link.Device
	past link.Device // beneath it; a loopback, which takes frames from anybody
}

// Output implements link.Device.
func (s *selective) Output(frames []link.Frame) (int, error) {
	for i := range frames {
		dev := s.past
		if isTCP(&frames[i]) {
			dev = s.Device
		}
		if n, err := dev.Output(frames[i : i+1]); n == 0 {
			return i, err
		}
	}
	return len(frames), nil
}

// isTCP looks at the IP header, without extension headers: TCP has none here.
func isTCP(f *link.Frame) bool {
	b := f.Head
	if len(b) == 0 {
		b = f.Payload
	}
	const tcp = 6
	switch {
	case len(b) >= 20 && b[0]>>4 == 4:
		return b[9] == tcp
	case len(b) >= 40 && b[0]>>4 == 6:
		return b[6] == tcp
	}
	return false
}
