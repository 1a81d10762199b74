package berth

import (
	"context"
	"net/netip"
	"syscall"
	"time"

	"example.com/berth/internal/header"
	"example.com/berth/internal/ipoptions"
	"example.com/berth/internal/tcp"
	"example.com/berth/socket"
)

// FastOpen says who may send data with a SYN (RFC 7413), in the bits of Linux's
// net.ipv4.tcp_fastopen. Zero is what Linux has by default: clients may.
//
// Data in a SYN may come twice: use it for requests that bear that.
type FastOpen uint16

// The bits.
const (
	FastOpenClient         FastOpen = 1 << iota // MSG_FASTOPEN and TCP_FASTOPEN_CONNECT
	FastOpenServer                              // listeners with TCP_FASTOPEN take it
	FastOpenClientNoCookie                      // and clients send it without a cookie

	FastOpenServerNoCookie FastOpen = 0x200   // servers take it without a cookie
	FastOpenEveryListener  FastOpen = 0x400   // as if each had set TCP_FASTOPEN to its backlog
	FastOpenOff            FastOpen = 1 << 15 // nobody
)

// fastOpen tells whether all these bits are set.
func (h *Host) fastOpen(bits FastOpen) bool {
	mode := h.config.TCP.FastOpen
	if mode == 0 {
		mode = FastOpenClient
	}
	return mode&FastOpenOff == 0 && mode&bits == bits
}

// fastOpenKeys are the keys of the configuration, or such as nobody else has.
func (h *Host) fastOpenKeys(cfg []byte) tcp.FastOpenKeys {
	if len(cfg) == 0 {
		return tcp.FastOpenKeys{h.random.derive("Fast Open")}
	}
	keys, ok := tcp.ParseFastOpenKeys(cfg)
	if !ok {
		panic("berth: TCPConfig.FastOpenKey has neither 16 nor 32 bytes")
	}
	return keys
}

// fastOpenSocket is what a stream socket has that has to do with Fast Open.
type fastOpenSocket struct {
	connect  bool             // TCP_FASTOPEN_CONNECT
	noCookie bool             // TCP_FASTOPEN_NO_COOKIE
	backlog  int              // TCP_FASTOPEN
	keys     tcp.FastOpenKeys // TCP_FASTOPEN_KEY; nil: the host's
	held     bool             // a connect waits for the first data

	// pending are the handshakes under way that brought data to this listener, and
	// those that were reset in the last minute: who sends SYNs in another's name
	// has them reset, and would be free to send more (RFC 7413 5.1). When those
	// stop to count is in resets.
	pending int
	resets  []time.Duration
}

// fastResetCounts is how long a handshake counts that was reset.
const fastResetCounts = time.Minute

// fastOpening returns what the socket has, to change it. What a listener has is
// also its children's, who cannot change it.
func (s *stream) fastOpening() *fastOpenSocket {
	if s.ip.fast == nil {
		s.ownIP().fast = new(fastOpenSocket)
	}
	return s.ip.fast
}

// fasts returns it to read.
func (s *stream) fasts() *fastOpenSocket {
	if s.ip.fast == nil {
		return &noFastOpen
	}
	return s.ip.fast
}

// letGo says that no connect waits for data any more.
func (s *stream) letGo() {
	if s.fasts().held {
		s.ip.fast.held = false
	}
}

var noFastOpen fastOpenSocket

// sendFast is a Send with MSG_FASTOPEN, or the first on a socket whose connect
// waits for it: it connects, with data in the SYN if there is a cookie, and sends
// the rest when it is connected. The lock is held.
func (s *stream) sendFast(bufs [][]byte, flags socket.Flags, addr netip.AddrPort) (int, error) {
	n, err := s.connectFast(bufs, flags, addr)
	if err != nil {
		return 0, err
	}
	s.pump()
	if s.nonblock || flags&socket.MSG_DONTWAIT != 0 {
		if n == 0 {
			return 0, syscall.EINPROGRESS
		}
		return n, nil
	}
	started := true
	if err := s.block(context.Background(), &s.writers, flags, func() error { return s.connectResult(&started) }); err != nil {
		return 0, err
	}
	return s.sendFrom(bufs, n, flags&^socket.MSG_FASTOPEN)
}

// connectFast begins a connection whose SYN takes of bufs as much as it may.
func (s *stream) connectFast(bufs [][]byte, flags socket.Flags, addr netip.AddrPort) (n int, err error) {
	if s.fasts().held {
		s.letGo()
		s.reported = false
		n = s.addSYNData(bufs)
		s.conn.SendSYN()
		return n, nil
	}
	switch {
	case flags&socket.MSG_FASTOPEN != 0 && !s.host.fastOpen(FastOpenClient):
		return 0, syscall.EOPNOTSUPP
	case s.closed:
		return 0, syscall.EBADF
	case s.lis != nil:
		return 0, syscall.EISCONN
	case s.opened && (s.conn.State() == socket.TCP_SYN_SENT || s.conn.State() == socket.TCP_SYN_RECV):
		return 0, syscall.EALREADY
	case s.opened:
		return 0, syscall.EISCONN
	case !addr.IsValid():
		return 0, syscall.EINVAL
	}
	err = s.inTurn(s.local, addr, func() error {
		if err := s.startConnect(addr); err != nil {
			return err
		}
		n = s.addSYNData(bufs)
		return nil
	})
	return n, err
}

// addSYNData makes the SYN that of a Fast Open.
func (s *stream) addSYNData(bufs [][]byte) int {
	o, mss, data, paused := s.fastOffer()
	switch {
	case paused:
		return 0
	case !data:
		bufs = nil
	}
	return s.conn.FastOpen(o, mss, bufs...)
}

func (s *stream) fastOffer() (o header.FastOpen, mss uint16, data, paused bool) {
	h := s.host
	return h.fastPeers.offer(h.now(), s.remote.Addr(), s.fasts().noCookie || h.fastOpen(FastOpenClientNoCookie))
}

// holdConnect is what TCP_FASTOPEN_CONNECT makes of a Connect that has just begun:
// it waits for the first data if the SYN may carry some, else the SYN asks for a
// cookie.
func (s *stream) holdConnect() {
	if !s.fasts().connect || !s.host.fastOpen(FastOpenClient) {
		return
	}
	o, mss, data, paused := s.fastOffer()
	switch {
	case data:
		s.ip.fast.held = true
		s.conn.HoldSYN()
	case !paused:
		s.conn.FastOpen(o, mss)
	}
}

// learnFastOpen keeps what a handshake told about Fast Open. The lock is held.
func (s *stream) learnFastOpen() {
	if !s.conn.HasFastOpenOutcome() {
		return
	}
	if o, ok := s.conn.TakeFastOpenOutcome(); ok {
		s.host.fastPeers.learn(s.host.now(), s.remote.Addr(), &o, s.host.config.TCP.FastOpenPause)
	}
}

// fastRoom tells whether a listener takes another connection that comes with data
// (Linux: tcp_fastopen_queue_check). The lock is held.
func (s *stream) fastRoom() bool {
	f, h := s.fasts(), s.host
	if f.backlog == 0 || !h.fastOpen(FastOpenServer) {
		return false
	}
	if f.pending < f.backlog {
		return true
	}
	if len(f.resets) > 0 && f.resets[0] <= h.now() {
		f.resets = f.resets[1:]
		f.pending--
		return true
	}
	h.count.TCP.FastOpenOverflows.Add(1)
	return false
}

// judgeFastOpen decides whether a SYN opens a connection at once, and what its
// SYN,ACK says about cookies (Linux: tcp_try_fastopen). The lock is held.
func (s *stream) judgeFastOpen(seg *tcp.Segment, local, remote netip.AddrPort) (answer header.FastOpen, good bool) {
	got, h := seg.Options.FastOpen, s.host
	if !got.Present && len(seg.Payload) == 0 || !s.fastRoom() {
		return header.FastOpen{}, false
	}
	if s.ip.fast.noCookie || h.fastOpen(FastOpenServerNoCookie) {
		return header.FastOpen{}, true
	}
	keys := s.ip.fast.keys
	if keys == nil {
		keys = h.fastKeys
	}
	if answer, good = keys.Judge(local.Addr(), remote.Addr(), got); got.Len > 0 && !good {
		h.count.TCP.FastOpenBadCookies.Add(1)
	}
	return answer, good
}

// openFast makes the connection of a SYN that opens one at once, and puts it into
// the accept queue. The listener's lock is held, and let go if that succeeds.
func (s *stream) openFast(seg *tcp.Segment, local, remote netip.AddrPort, o tcp.Opening, answer header.FastOpen, options *ipoptions.Options) bool {
	h, l := s.host, s.lis
	c, err := s.child(local, remote, options, func(c *tcp.Conn, _ tcp.Opening) {
		*c = *tcp.PassiveFast(h.tcp, h.now(), o, seg, s.conn.Options(), answer)
	})
	if err != nil {
		return false
	}
	s.ip.fast.pending++
	l.queued++
	l.queue = append(l.queue, c)
	s.wake(socket.POLLIN)
	s.mu.Unlock()
	c.mu.Lock()
	c.pump()
	c.mu.Unlock()
	return true
}

// fastEnded says that the handshake of a connection that brought data is over. The
// caller holds no lock.
func (l *listener) fastEnded(reset bool) {
	s := l.sock
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case l.closed:
	case reset:
		s.ip.fast.resets = append(s.ip.fast.resets, s.host.now()+fastResetCounts)
	default:
		s.ip.fast.pending--
	}
}

// idle tells whether the socket is no connection and none was tried: it may listen.
func (s *stream) idle() bool { return !s.opened }

// setFastOpenKey is TCP_FASTOPEN_KEY.
func (s *stream) setFastOpenKey(value any) error {
	b, _ := value.([]byte)
	keys, ok := tcp.ParseFastOpenKeys(b)
	if !ok || !s.idle() {
		return syscall.EINVAL
	}
	s.fastOpening().keys = keys
	return nil
}

// fastOpenKey is none unless the socket has its own, as on Linux.
func (s *stream) fastOpenKey() []byte { return s.fasts().keys.Bytes() }

// setFastOpen is TCP_FASTOPEN: how many connections may wait of which the handshake
// has not ended.
func (s *stream) setFastOpen(v int) error {
	if v < 0 || !s.idle() {
		return syscall.EINVAL
	}
	s.fastOpening().backlog = min(v, s.host.maxBacklog())
	return nil
}

// setFastOpenConnect is TCP_FASTOPEN_CONNECT.
func (s *stream) setFastOpenConnect(v int) error {
	switch {
	case v < 0 || v > 1:
		return syscall.EINVAL
	case !s.host.fastOpen(FastOpenClient):
		return syscall.EOPNOTSUPP
	case !s.idle() || s.lis != nil:
		return syscall.EINVAL
	}
	s.fastOpening().connect = v == 1
	return nil
}

// setFastOpenNoCookie is TCP_FASTOPEN_NO_COOKIE.
func (s *stream) setFastOpenNoCookie(v int) error {
	if v < 0 || v > 1 || !s.idle() {
		return syscall.EINVAL
	}
	s.fastOpening().noCookie = v == 1
	return nil
}
