package labrun

import (
	"context"
	"fmt"
	"slices"

	"example.com/berth/lab"
)

// A server runs on a host until the run ends. When its host crashes it ends with
// it, and begins anew when the host has started again.
type server struct {
	host *lab.Host
	what string
	// open begins to listen, and returns what serves until ctx ends or the host
	// does.
	open  func() (serve func(context.Context), err error)
	again chan struct{} // the host has started again
}

// start opens a server, and lets it run.
func (r *run) start(ctx context.Context, s *server) error {
	serve, err := s.open()
	if err != nil {
		return fmt.Errorf("%s on %s: %w", s.what, s.host.Name(), plain(err))
	}
	s.again = make(chan struct{}, 1)
	r.mu.Lock()
	r.servers = append(r.servers, s)
	r.mu.Unlock()
	r.serving.Go(func() {
		for {
			serve(ctx)
			select {
			case <-ctx.Done():
				return
			case <-s.again:
			}
			if serve, err = s.open(); err != nil {
				return // it has crashed once more, or its port is taken
			}
		}
	})
	return nil
}

// restarted starts the servers of a host again.
func (r *run) restarted(h *lab.Host) {
	r.mu.Lock()
	all := slices.Clone(r.servers)
	r.mu.Unlock()
	for _, s := range all {
		if s.host != h {
			continue
		}
		select {
		case s.again <- struct{}{}:
		default: // it knows
		}
	}
}
