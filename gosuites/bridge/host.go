package bridge

import (
	"os"
	"sync"

	"example.com/berth"
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

// Interfaces are those of the host.
func Interfaces() []*berth.Interface { return host().Interfaces() }
