package perf

import (
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"example.com/berth/netconn"
	"example.com/berth/socket"
)

// stream is one side of a stream of data.
type stream struct {
	id    int
	sends bool

	tcp *netconn.TCPConn
	// Of UDP: how a sender sends, and whose datagrams a receiver takes; the
	// zero address takes those of a connected socket.
	send func([]byte) (int, error)
	peer netip.AddrPort

	bytes     atomic.Int64
	datagrams atomic.Int64 // sent
	// ended is when the last byte came or went, since the start.
	ended atomic.Int64

	mu       sync.Mutex // guards arrivals
	arrivals arrivals
}

// took counts bytes.
func (s *stream) took(n int, since time.Time) {
	s.bytes.Add(int64(n))
	s.ended.Store(int64(time.Since(since)))
}

// sample is what a stream has done up to a time.
type sample struct {
	bytes      int64
	datagrams  int64 // sent, or received and lost
	lost       int64
	jitter     float64 // seconds
	outOfOrder int64
	tcp        TCPState
}

// TCPState is what TCP tells of itself, as far as it does.
type TCPState struct {
	Known       bool
	Retransmits int64
	Window      int64 // of congestion, bytes
	RTT         time.Duration
}

// sample reads the counters.
func (s *stream) sample() (x sample) {
	x.bytes = s.bytes.Load()
	if s.tcp != nil {
		x.tcp = tcpState(s.tcp)
		return x
	}
	if s.sends {
		x.datagrams = s.datagrams.Load()
		return x
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	a := &s.arrivals
	x.datagrams, x.lost, x.outOfOrder = a.received+a.lost, a.lost, a.outOfOrder
	x.jitter = a.jitter / float64(time.Second)
	return x
}

func tcpState(c *netconn.TCPConn) TCPState {
	info, err := socket.Get(c.Socket(), socket.TCP_INFO)
	if err != nil {
		return TCPState{}
	}
	return TCPState{
		Known:       true,
		Retransmits: int64(info.TotalRetrans),
		Window:      int64(info.SndCwnd) * int64(info.SndMSS),
		RTT:         info.RTT,
	}
}

// total is what there is to say when the stream is over.
func (s *stream) total() Total {
	x := s.sample()
	t := Total{
		Stream: s.id, Bytes: x.bytes, Seconds: time.Duration(s.ended.Load()).Seconds(), Retransmits: -1,
		Datagrams: x.datagrams, Lost: x.lost, OutOfOrder: x.outOfOrder, Jitter: x.jitter,
	}
	if x.tcp.Known {
		t.Retransmits = x.tcp.Retransmits
	}
	return t
}

// pace says when the next write is due at a rate.
type pace struct {
	rate  int64 // bits a second
	start time.Time
	sent  int64 // bytes
}

// wait returns how long until so many bytes may be sent.
func (p *pace) wait(now time.Time) time.Duration {
	if p.rate == 0 {
		return 0
	}
	due := time.Duration(float64(p.sent) * 8 / float64(p.rate) * float64(time.Second))
	return due - now.Sub(p.start)
}

// budget is what all senders of a side may send together; nil has no bound.
type budget struct{ left atomic.Int64 }

func newBudget(n int64) *budget {
	if n == 0 {
		return nil
	}
	b := new(budget)
	b.left.Store(n)
	return b
}

// take returns how many of n bytes may be sent.
func (b *budget) take(n int) int {
	if b == nil {
		return n
	}
	return int(max(0, min(int64(n), b.left.Add(int64(-n))+int64(n))))
}
