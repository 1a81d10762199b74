package examples

import (
	"fmt"
	"io"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"example.com/berth/lab"
	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/raft"
)

// Five servers of hashicorp/raft elect a leader, go on without it when it is cut
// off, and agree with it again when it is back.
func TestRaft(t *testing.T) { lab.Test(t, raftThroughPartition) }

func raftThroughPartition(t *testing.T, n *lab.Network) {
	_, hosts := n.LAN(5, lab.Delay(2*time.Millisecond), lab.Loss(0.01))
	cluster := newRaftCluster(t, hosts)
	first := cluster.leader(t, hosts)
	for i := range 10 {
		check(t, first.Apply(fmt.Append(nil, "before ", i), time.Minute).Error())
	}

	heal := n.Partition(first.host)
	lost := first.Apply([]byte("never"), time.Second)
	rest := slices.DeleteFunc(slices.Clone(hosts), func(h *lab.Host) bool { return h == first.host })
	second := cluster.leader(t, rest)
	if err := lost.Error(); err == nil {
		t.Error("a leader without followers has committed something")
	}
	if first.State() == raft.Leader {
		t.Error("it still takes itself for the leader")
	}
	for i := range 10 {
		check(t, second.Apply(fmt.Append(nil, "meanwhile ", i), time.Minute).Error())
	}
	if got := len(first.fsm.entries()); got != 10 {
		t.Errorf("what is cut off has %d entries, want the first 10", got)
	}

	heal()
	time.Sleep(10 * time.Second)
	third := cluster.leader(t, hosts)
	check(t, third.Apply([]byte("after"), time.Minute).Error())
	time.Sleep(10 * time.Second)
	var want []string
	for i := range 20 {
		want = append(want, fmt.Sprint([]string{"before ", "meanwhile "}[i/10], i%10))
	}
	want = append(want, "after")
	for _, s := range cluster {
		if got := s.fsm.entries(); !slices.Equal(got, want) {
			t.Errorf("%s has applied %q, want %q", s.host.Name(), got, want)
		}
	}
}

// A raftServer is a server and its state machine, which is a list.
type raftServer struct {
	*raft.Raft
	host *lab.Host
	fsm  *list
}

type raftCluster []*raftServer

func newRaftCluster(t *testing.T, hosts []*lab.Host) (c raftCluster) {
	var members raft.Configuration
	for _, h := range hosts {
		address := net.JoinHostPort(h.Addr().String(), "7000")
		members.Servers = append(members.Servers, raft.Server{ID: raft.ServerID(h.Name()), Address: raft.ServerAddress(address)})
	}
	logger := hclog.New(&hclog.LoggerOptions{Output: io.Discard})
	for i, h := range hosts {
		ln, err := h.Listen("tcp", string(members.Servers[i].Address))
		check(t, err)
		transport := raft.NewNetworkTransportWithConfig(&raft.NetworkTransportConfig{
			Stream: stream{ln, h}, MaxPool: 3, Timeout: 2 * time.Second, Logger: logger,
		})
		config := raft.DefaultConfig()
		config.LocalID, config.Logger = members.Servers[i].ID, logger
		logs, snapshots, fsm := raft.NewInmemStore(), raft.NewInmemSnapshotStore(), &list{}
		check(t, raft.BootstrapCluster(config, logs, logs, snapshots, transport, members))
		r, err := raft.NewRaft(config, fsm, logs, logs, snapshots, transport)
		check(t, err)
		t.Cleanup(func() { check(t, r.Shutdown().Error()) })
		c = append(c, &raftServer{r, h, fsm})
	}
	return c
}

// leader waits until one of some hosts leads, and all of these know.
func (c raftCluster) leader(t *testing.T, among []*lab.Host) (leader *raftServer) {
	t.Helper()
	for start := time.Now(); time.Since(start) < time.Minute; time.Sleep(10 * time.Millisecond) {
		known := map[raft.ServerID]int{}
		for _, s := range c {
			if _, id := s.LeaderWithID(); slices.Contains(among, s.host) {
				known[id]++
			}
		}
		for _, s := range c {
			if id := raft.ServerID(s.host.Name()); slices.Contains(among, s.host) && known[id] == len(among) {
				return s
			}
		}
	}
	t.Fatal("a minute has passed without a leader")
	return nil
}

// stream is a raft.StreamLayer.
type stream struct {
	net.Listener
	host *lab.Host
}

func (s stream) Dial(address raft.ServerAddress, timeout time.Duration) (net.Conn, error) {
	d := s.host.Dialer()
	d.Timeout = timeout
	return d.Dial("tcp", string(address))
}

// list is a raft.FSM.
type list struct {
	mu      sync.Mutex
	applied []string
}

func (l *list) Apply(e *raft.Log) any {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.applied = append(l.applied, string(e.Data))
	return nil
}

func (l *list) entries() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.applied)
}

func (l *list) Snapshot() (raft.FSMSnapshot, error) { panic("a short log needs no snapshot") }
func (l *list) Restore(io.ReadCloser) error         { panic("and none is restored") }
