package bridge

import (
	"os"
	"strconv"
	"sync"

	"example.com/berth"
	"example.com/berth/link"
	"example.com/berth/link/impair"
)

// host is the process's berth host.
var host = sync.OnceValue(func() *berth.Host {
	made.Store(true)
	cfg := berth.Config{Name: "bridge"}
	if os.Getenv("BERTH_LINE") == "lossy" {
		cfg.Loopback = lossy
	}
	return berth.NewHost(cfg)
})

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
	line = impair.New(narrow{lo}, impair.Config{Seed: seed, Loss: loss, Reorder: reorder, ReorderGap: overGap})
	return line
}

// narrow is a device with the MTU of an Ethernet: over the loopback's own a
// transfer is too few packets to lose any.
type narrow struct{ link.Device }

func (n narrow) Info() link.Info {
	info := n.Device.Info()
	info.MTU = 1500
	return info
}

// Interfaces are those of the host.
func Interfaces() []*berth.Interface { return host().Interfaces() }
