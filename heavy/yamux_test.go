package heavy

import (
	"io"
	"sync"
	"testing"

	"github.com/hashicorp/yamux"
)

// Many streams, one of them long, share a connection.
//
// Not on fake time: yamux holds the mutex of a stream while it reads its data from
// the connection, and others wait for it, so that the bubble's clock stands; and
// its timers are in a pool that bubbles would share.
func TestYamux(t *testing.T) {
	onEveryLine(t, func(t *testing.T, n *network) {
		l := n.listen(t)
		served := make(chan error, 1)
		go func() {
			c, err := l.Accept()
			if err != nil {
				served <- err
				return
			}
			session, err := yamux.Server(c, quiet())
			if err != nil {
				served <- err
				return
			}
			served <- echoStreams(session)
		}()
		session, err := yamux.Client(n.connect(t, l), quiet())
		check(t, err)
		var all sync.WaitGroup
		for i := range 100 {
			size := 10_000
			if i == 0 {
				size = n.bulk
			}
			all.Go(func() {
				s, err := session.OpenStream()
				if err != nil {
					t.Error(err)
					return
				}
				if err := echo(s, size, s.Close); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		rtt, err := session.Ping()
		if err != nil {
			t.Errorf("ping: %v", err)
		}
		t.Logf("ping: %v", rtt)
		check(t, session.Close())
		check(t, <-served)
	})
}

// quiet is yamux's configuration, with its log thrown away.
func quiet() *yamux.Config {
	c := yamux.DefaultConfig()
	c.LogOutput = io.Discard
	return c
}

// echoStreams sends back what comes on each stream until the session ends.
func echoStreams(session *yamux.Session) error {
	for {
		s, err := session.AcceptStream()
		if err == io.EOF {
			return session.Close()
		}
		if err != nil {
			return err
		}
		go func() {
			_, _ = io.Copy(s, s)
			s.Close()
		}()
	}
}
