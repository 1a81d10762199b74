package linktest

import (
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"example.com/berth/link"
	"example.com/berth/link/wire"
)

// broken are devices that break one promise each, with the case that must find
// it.
var broken = []struct {
	name, finds string
	device      func(link.Device) link.Device
}{
	{"wrong address", "Info", func(d link.Device) link.Device { return addressed{d} }},
	{"takes every handler", "AttachTwice", func(d link.Device) link.Device { return &attachable{Device: d} }},
	{"swaps frames", "Order", func(d link.Device) link.Device { return swapping{d} }},
	{"loses frames", "Order", func(d link.Device) link.Device { return &losing{Device: d} }},
	{"keeps what it was lent", "LentMemory", func(d link.Device) link.Device { return &keeping{Device: d} }},
	{"takes anything", "MTU", func(d link.Device) link.Device { return swallowing{d} }},
	{"leaves checksums as they are", "PartialChecksum", func(d link.Device) link.Device { return lying{d} }},
	{"is never closed", "Close", func(d link.Device) link.Device { return open{d} }},
}

// TestTheSuiteFindsBrokenDevices runs the suite in another process for each
// broken device, since it must fail there.
func TestTheSuiteFindsBrokenDevices(t *testing.T) {
	const env = "LINKTEST_BROKEN"
	if name := os.Getenv(env); name != "" {
		patience = 100 * time.Millisecond
		for _, b := range broken {
			if b.name == name {
				Run(t, func(*testing.T) (link.Device, link.Device) {
					x, y := wire.Pair()
					return b.device(x), b.device(y)
				})
			}
		}
		return
	}
	for _, b := range broken {
		t.Run(b.name, func(t *testing.T) {
			t.Parallel()
			cmd := exec.Command(os.Args[0], "-test.run=^TestTheSuiteFindsBrokenDevices$/^"+b.finds+"$")
			cmd.Env = append(os.Environ(), env+"="+b.name)
			out, err := cmd.CombinedOutput()
			if err == nil || !strings.Contains(string(out), "--- FAIL: TestTheSuiteFindsBrokenDevices/"+b.finds) {
				t.Errorf("%s was not found: %v\n%s", b.name, err, out)
			}
		})
	}
}

func TestASoundDevice(t *testing.T) {
	Run(t, func(*testing.T) (link.Device, link.Device) { return wire.Pair() })
}

type addressed struct{ link.Device }

func (d addressed) Info() link.Info {
	i := d.Device.Info()
	i.Addr = [6]byte{1}
	return i
}

type attachable struct {
	link.Device
	attached bool
}

func (d *attachable) Attach(h link.Handler) error {
	if d.attached {
		return nil
	}
	d.attached = true
	return d.Device.Attach(h)
}

type swapping struct{ link.Device }

func (d swapping) Output(frames []link.Frame) (int, error) {
	var swapped []link.Frame
	for i := range frames {
		swapped = append(swapped, frames[len(frames)-1-i])
	}
	return d.Device.Output(swapped)
}

type losing struct {
	link.Device
	n int
}

func (d *losing) Output(frames []link.Frame) (int, error) {
	if d.n++; d.n%5 == 0 {
		return len(frames), nil
	}
	return d.Device.Output(frames)
}

// keeping sends with the next call what it was lent by the last one.
type keeping struct {
	link.Device
	kept []link.Frame
}

func (d *keeping) Output(frames []link.Frame) (int, error) {
	d.Device.Output(d.kept)
	d.kept = frames
	return len(frames), nil
}

type swallowing struct{ link.Device }

func (d swallowing) Output(frames []link.Frame) (int, error) {
	d.Device.Output(frames)
	return len(frames), nil
}

// lying says that checksums are whole that are not.
type lying struct{ link.Device }

func (d lying) Output(frames []link.Frame) (int, error) {
	for i := range frames {
		frames[i].Checksum = link.ChecksumFull
	}
	return d.Device.Output(frames)
}

type open struct{ link.Device }

func (d open) Close() error { return nil }
