package examples

import (
	"errors"
	"io"
	"log"
	"net"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"example.com/berth/lab"
	"go.etcd.io/raft/v3"
	pb "go.etcd.io/raft/v3/raftpb"
	"google.golang.org/protobuf/proto"
)

// Five servers with etcd's Raft, which is a machine without goroutines and clock,
// each in one loop on one UDP socket. The leader crashes and comes back, the next
// one is cut off and comes back, and in the end all have the same log.
func TestEtcdRaft(t *testing.T) { lab.Test(t, etcdRaftThroughTrouble) }

func etcdRaftThroughTrouble(t *testing.T, n *lab.Network) {
	_, hosts := n.LAN(5, lab.Delay(2*time.Millisecond), lab.Jitter(time.Millisecond), lab.Loss(0.01))
	cluster := etcdCluster{client: n.Host("client")}
	n.Link(cluster.client, n.Node("switch"), lab.Delay(2*time.Millisecond), lab.Jitter(time.Millisecond))
	for i, h := range hosts {
		cluster.servers = append(cluster.servers, newEtcdServer(t, uint64(i+1), h, hosts))
	}

	first := cluster.leader(t, nil)
	cluster.commit(t, first, "one")
	first.host.Crash()
	second := cluster.leader(t, first)
	cluster.commit(t, second, "two")
	first.host.Restart()
	first.boot(t, hosts)

	heal := n.Partition(second.host)
	third := cluster.leader(t, second)
	cluster.commit(t, third, "three")
	cluster.propose(t, second, "never")
	time.Sleep(10 * time.Second)
	if got := second.entries(); !slices.Equal(got, []string{"one", "two"}) {
		t.Errorf("a leader that is cut off has %q", got)
	}
	heal()
	cluster.commit(t, cluster.leader(t, nil), "four")
	time.Sleep(10 * time.Second)
	for _, s := range cluster.servers {
		if got := s.entries(); !slices.Equal(got, []string{"one", "two", "three", "four"}) {
			t.Errorf("%s has %q", s.host.Name(), got)
		}
	}
}

// An etcdServer is a server with what it has on its disk.
type etcdServer struct {
	id    uint64
	host  *lab.Host
	disk  *raft.MemoryStorage
	node  *raft.RawNode
	conn  net.PacketConn
	peers []net.Addr

	mu      sync.Mutex
	leader  uint64 // as far as it knows
	applied []string
}

func newEtcdServer(t *testing.T, id uint64, h *lab.Host, all []*lab.Host) *etcdServer {
	t.Helper()
	s := &etcdServer{id: id, host: h, disk: raft.NewMemoryStorage()}
	members := &pb.ConfState{}
	for i := range all {
		members.Voters = append(members.Voters, uint64(i+1))
	}
	check(t, s.disk.ApplySnapshot(&pb.Snapshot{Metadata: &pb.SnapshotMetadata{
		ConfState: members, Index: new(uint64(1)), Term: new(uint64(1)),
	}}))
	s.boot(t, all)
	return s
}

// boot starts the server with what is on its disk.
func (s *etcdServer) boot(t *testing.T, all []*lab.Host) {
	t.Helper()
	var err error
	s.node, err = raft.NewRawNode(&raft.Config{
		ID: s.id, Storage: s.disk, ElectionTick: 10, HeartbeatTick: 1, PreVote: true, CheckQuorum: true,
		MaxSizePerMsg: 1 << 20, MaxInflightMsgs: 256,
		Logger: &raft.DefaultLogger{Logger: log.New(io.Discard, "", 0)},
	})
	check(t, err)
	s.conn, err = s.host.ListenPacket("udp4", ":2380")
	check(t, err)
	s.peers, s.applied = nil, nil
	for _, h := range all {
		s.peers = append(s.peers, &net.UDPAddr{IP: h.Addr().AsSlice(), Port: 2380})
	}
	go s.run(time.Now().Add(time.Duration(s.id) * time.Millisecond))
}

// run does what is to do: with each message, and ten times a second.
func (s *etcdServer) run(tick time.Time) {
	b := make([]byte, 65536)
	for {
		s.conn.SetReadDeadline(tick)
		k, _, err := s.conn.ReadFrom(b)
		m := &pb.Message{}
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
			s.node.Tick()
			tick = tick.Add(100 * time.Millisecond)
		case err != nil:
			return // the host is down
		case proto.Unmarshal(b[:k], m) == nil:
			_ = s.node.Step(m) // what is refused, such as a proposal without a leader, comes again
		}
		for s.node.HasReady() {
			s.handle(s.node.Ready())
		}
	}
}

func (s *etcdServer) handle(r raft.Ready) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.SoftState != nil {
		s.leader = r.Lead
	}
	_ = s.disk.Append(r.Entries)
	if r.HardState != nil {
		_ = s.disk.SetHardState(r.HardState)
	}
	for _, m := range r.Messages {
		if b, err := proto.Marshal(m); err == nil {
			s.conn.WriteTo(b, s.peers[m.GetTo()-1])
		}
	}
	for _, e := range r.CommittedEntries {
		command := string(e.Data)
		if command != "" && !slices.Contains(s.applied, command) { // it may be proposed twice
			s.applied = append(s.applied, command)
		}
	}
	s.node.Advance(r)
}

func (s *etcdServer) entries() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.applied)
}

type etcdCluster struct {
	servers []*etcdServer
	client  *lab.Host
}

// leader waits until all servers but one agree on a leader that is not that one.
func (c *etcdCluster) leader(t *testing.T, but *etcdServer) *etcdServer {
	t.Helper()
	others := slices.DeleteFunc(slices.Clone(c.servers), func(s *etcdServer) bool { return s == but })
	for range 600 {
		votes := map[uint64]int{}
		for _, s := range others {
			s.mu.Lock()
			votes[s.leader]++
			s.mu.Unlock()
		}
		for _, s := range others {
			if votes[s.id] == len(others) {
				return s
			}
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Fatal("a minute has passed without a leader")
	return nil
}

// commit has a server commit a command, and proposes it again until it has.
func (c *etcdCluster) commit(t *testing.T, s *etcdServer, command string) {
	t.Helper()
	for range 60 {
		c.propose(t, s, command)
		time.Sleep(time.Second)
		if slices.Contains(s.entries(), command) {
			return
		}
	}
	t.Fatalf("a minute has passed, and %q is not committed", command)
}

// propose sends a command to a server.
func (c *etcdCluster) propose(t *testing.T, s *etcdServer, command string) {
	t.Helper()
	b, err := proto.Marshal(&pb.Message{
		Type: pb.MsgProp.Enum(), To: new(s.id), From: new(s.id), Entries: []*pb.Entry{{Data: []byte(command)}},
	})
	check(t, err)
	conn, err := c.client.Dial("udp", s.host.Name()+":2380")
	check(t, err)
	defer conn.Close()
	_, err = conn.Write(b)
	check(t, err)
}
