package berth

import (
	"cmp"
	"syscall"
	"time"

	"example.com/berth/internal/tcp"
	"example.com/berth/socket"
)

// Bounds of options (Linux: TCP_MIN_MSS, MAX_TCP_WINDOW; MAX_TCP_KEEPIDLE,
// MAX_TCP_KEEPINTVL; MAX_TCP_KEEPCNT, MAX_TCP_SYNCNT).
const (
	minMaxSeg, maxMaxSeg = 88, 32767
	maxKeepTime          = 32767 // seconds
	maxTries             = 127
)

// tcpNumber reads an option with a number or a switch as value that a stream socket
// alone has, or has in a way of its own, and tells whether there is one. The lock
// is held.
func (s *stream) tcpNumber(id socket.OptionID) (v int, ok bool) {
	o := s.conn.Options()
	switch id {
	case socket.SO_KEEPALIVE.ID:
		return bit(o.KeepAlive), true
	case socket.SO_OOBINLINE.ID:
		return bit(o.OOBInline), true
	case socket.SO_RCVBUF.ID:
		return s.conn.RcvBuf(), true
	case socket.SO_SNDBUF.ID:
		return s.conn.SndBuf(), true
	case socket.SO_RCVLOWAT.ID:
		return max(o.RcvLowat, 1), true
	case socket.SO_MAX_PACING_RATE.ID:
		if o.MaxPacingRate == 0 {
			return -1, true
		}
		return int(o.MaxPacingRate), true
	case socket.SO_ACCEPTCONN.ID:
		return bit(s.lis != nil), true
	case socket.SO_ZEROCOPY.ID:
		return bit(s.ip.zeroCopy), true
	case socket.TCP_NODELAY.ID:
		return bit(o.NoDelay), true
	case socket.TCP_CORK.ID:
		return bit(o.Cork), true
	case socket.TCP_QUICKACK.ID:
		return bit(s.conn.QuickAck()), true
	case TCP_REPORTS.ID:
		return bit(s.reports != nil && s.reports.asked), true
	case socket.TCP_MAXSEG.ID:
		return s.conn.MaxSeg(), true
	case socket.TCP_KEEPIDLE.ID:
		return int(o.KeepIdle / time.Second), true
	case socket.TCP_KEEPINTVL.ID:
		return int(o.KeepInterval / time.Second), true
	case socket.TCP_KEEPCNT.ID:
		return o.KeepCount, true
	case socket.TCP_SYNCNT.ID:
		return cmp.Or(o.SynCount, s.host.tcp.SynRetries), true
	case socket.TCP_LINGER2.ID:
		if o.Linger2 <= 0 {
			return -1, true
		}
		return int(o.Linger2 / time.Second), true
	case socket.TCP_DEFER_ACCEPT.ID:
		return int(o.DeferAccept / time.Second), true
	case socket.TCP_WINDOW_CLAMP.ID:
		return o.WindowClamp, true
	case socket.TCP_USER_TIMEOUT.ID:
		return int(o.UserTimeout / time.Millisecond), true
	case socket.TCP_NOTSENT_LOWAT.ID:
		return o.NotSentLowat, true
	case socket.TCP_INQ.ID:
		return bit(s.ip.inq), true
	case socket.TCP_FASTOPEN.ID:
		return s.fasts().backlog, true
	case socket.TCP_FASTOPEN_CONNECT.ID:
		return bit(s.fasts().connect), true
	case socket.TCP_FASTOPEN_NO_COOKIE.ID:
		return bit(s.fasts().noCookie), true
	}
	return 0, false
}

// setTCPNumber sets an option that tcpNumber reads; ENOPROTOOPT if that is all that
// can be done with it. The lock is held.
func (s *stream) setTCPNumber(id socket.OptionID, v int) error {
	switch id {
	case socket.SO_KEEPALIVE.ID:
		s.conn.SetKeepAlive(s.host.now(), v != 0)
	case socket.SO_OOBINLINE.ID:
		s.conn.SetOOBInline(v != 0)
	case socket.SO_RCVBUF.ID:
		s.conn.SetRcvBuf(bufferSize(v, minRcvBuf))
	case socket.SO_SNDBUF.ID:
		s.conn.SetSndBuf(bufferSize(v, minSndBuf))
	case socket.SO_MAX_PACING_RATE.ID:
		s.conn.SetMaxPacingRate(uint64(max(v, 0)))
	case socket.SO_ZEROCOPY.ID:
		return s.setZeroCopy(v)
	case socket.TCP_NODELAY.ID:
		s.conn.SetNoDelay(v != 0)
	case socket.TCP_CORK.ID:
		s.conn.SetCork(v != 0)
	case socket.TCP_QUICKACK.ID:
		s.conn.SetQuickAck(v != 0)
	case TCP_REPORTS.ID:
		s.setReports(v != 0)
	case socket.TCP_MAXSEG.ID:
		if v != 0 && (v < minMaxSeg || v > maxMaxSeg) {
			return syscall.EINVAL
		}
		s.conn.SetMaxSeg(v)
	case socket.TCP_KEEPIDLE.ID, socket.TCP_KEEPINTVL.ID, socket.TCP_KEEPCNT.ID:
		return s.setKeepTiming(id, v)
	case socket.TCP_USER_TIMEOUT.ID:
		if v < 0 {
			return syscall.EINVAL
		}
		s.conn.SetUserTimeout(s.host.now(), time.Duration(v)*time.Millisecond)
	case socket.TCP_INQ.ID:
		return s.setInq(v)
	case socket.TCP_FASTOPEN.ID:
		return s.setFastOpen(v)
	case socket.TCP_FASTOPEN_CONNECT.ID:
		return s.setFastOpenConnect(v)
	case socket.TCP_FASTOPEN_NO_COOKIE.ID:
		return s.setFastOpenNoCookie(v)
	default:
		return s.setMachineOption(id, v)
	}
	return nil
}

// setKeepTiming sets one of the three numbers that say when an idle connection is
// probed.
func (s *stream) setKeepTiming(id socket.OptionID, v int) error {
	o := s.conn.Options()
	idle, interval, count := o.KeepIdle, o.KeepInterval, o.KeepCount
	most := maxKeepTime
	switch id {
	case socket.TCP_KEEPIDLE.ID:
		idle = time.Duration(v) * time.Second
	case socket.TCP_KEEPINTVL.ID:
		interval = time.Duration(v) * time.Second
	default:
		count, most = v, maxTries
	}
	if v < 1 || v > most {
		return syscall.EINVAL
	}
	s.conn.SetKeepTimings(s.host.now(), idle, interval, count)
	return nil
}

// setMachineOption sets an option that changes nothing at once.
func (s *stream) setMachineOption(id socket.OptionID, v int) error {
	o := *s.conn.Options()
	switch id {
	case socket.SO_RCVLOWAT.ID:
		if v < 0 {
			v = 1<<31 - 1
		}
		o.RcvLowat = v
	case socket.TCP_SYNCNT.ID:
		if v < 1 || v > maxTries {
			return syscall.EINVAL
		}
		o.SynCount = v
	case socket.TCP_LINGER2.ID:
		switch most := s.host.tcp.Options.Linger2; {
		case v < 0:
			o.Linger2 = -1
		case v == 0:
			o.Linger2 = most
		default:
			o.Linger2 = min(time.Duration(v)*time.Second, 2*most)
		}
	case socket.TCP_DEFER_ACCEPT.ID:
		o.DeferAccept = deferAccept(v)
	case socket.TCP_WINDOW_CLAMP.ID:
		if v < 0 {
			return syscall.EINVAL
		}
		if v > 0 {
			v = max(v, minRcvBuf/2)
		}
		o.WindowClamp = v
	case socket.TCP_NOTSENT_LOWAT.ID:
		o.NotSentLowat = v
	default:
		return syscall.ENOPROTOOPT
	}
	s.conn.SetOptions(o)
	return nil
}

// SetOption is setsockopt(2) of a stream socket.
func (s *stream) SetOption(id socket.OptionID, value any) error {
	return s.withLock(func() error {
		switch id {
		case socket.TCP_CONGESTION.ID:
			return s.setCongestion(value)
		case socket.IP_OPTIONS.ID:
			return s.setSent(value)
		case socket.TCP_FASTOPEN_KEY.ID:
			return s.setFastOpenKey(value)
		case socket.TCP_MD5SIG.ID, socket.TCP_MD5SIG_EXT.ID,
			socket.TCP_AO_ADD_KEY.ID, socket.TCP_AO_DEL_KEY.ID, socket.TCP_AO_INFO.ID:
			return s.setKeys(id, value)
		}
		if _, ok := s.tcpNumber(id); !ok {
			return s.setOption(id, value)
		}
		v, isInt := value.(int)
		if !isInt {
			return syscall.EINVAL
		}
		if err := s.setTCPNumber(id, v); err != nil {
			return err
		}
		s.pump() // what an option held back may go
		return nil
	})
}

// deferAccept is the time that TCP_DEFER_ACCEPT becomes: as on Linux that of a
// whole number of SYN,ACK retransmissions, 1 s, 3 s, 7 s and so on.
func deferAccept(seconds int) time.Duration {
	total := time.Duration(0)
	for step := time.Second; total < time.Duration(seconds)*time.Second; step = min(2*step, 120*time.Second) {
		total += step
	}
	return total
}

// setCongestion is TCP_CONGESTION.
func (s *stream) setCongestion(value any) error {
	name, ok := value.(string)
	if !ok {
		return syscall.EINVAL
	}
	return s.conn.SetCongestion(s.host.now(), name)
}

// Option is getsockopt(2) of a stream socket.
func (s *stream) Option(id socket.OptionID) (v any, err error) {
	err = s.withLock(func() error {
		switch id {
		case socket.TCP_INFO.ID:
			info := s.info()
			if info.State == socket.TCP_TIME_WAIT {
				info.State = socket.TCP_CLOSE // as on Linux, for the socket it is over
			}
			v = info
			return nil
		case socket.TCP_CONGESTION.ID:
			v = s.conn.Congestion()
			return nil
		case socket.TCP_CC_INFO.ID:
			v = s.conn.CongestionInfo()
			return nil
		case socket.TCP_FASTOPEN_KEY.ID:
			v = s.fastOpenKey()
			return nil
		case socket.SO_ERROR.ID:
			v = s.takeErrno()
			return nil
		case socket.TCP_AO_INFO.ID:
			v, err = s.conn.AOInfo()
			return err
		case socket.TCP_AO_GET_KEYS.ID:
			v, err = s.keys()
			return err
		}
		if n, ok := s.tcpNumber(id); ok {
			v = n
			return nil
		}
		v, err = s.option(id)
		return err
	})
	return v, err
}

// takeErrno is SO_ERROR.
func (s *stream) takeErrno() int {
	if err, _ := s.conn.TakeError().(syscall.Errno); err != 0 {
		return int(err)
	}
	return int(s.conn.TakeSoftError())
}

// info is TCP_INFO. Of a listener it tells the queue and its limit.
func (s *stream) info() socket.TCPInfo {
	if s.lis != nil {
		return socket.TCPInfo{
			State:   socket.TCP_LISTEN,
			Unacked: uint32(s.lis.queued), Sacked: uint32(s.lis.backlog),
		}
	}
	i := s.conn.Info(s.host.now())
	i.PMTU = uint32(s.path.mtu)
	return i
}

// params are the TCP machine's settings.
func (cfg TCPConfig) params(h *Host) *tcp.Params {
	p := tcp.DefaultParams()
	p.Budget = h.budget
	p.Counters = &h.count.TCP.Machine
	limits := func(l *tcp.BufferLimits, b BufferSize) {
		if b.Min > 0 {
			l.Min = b.Min
		}
		if b.Default > 0 {
			l.Default = b.Default
		}
		if b.Max > 0 {
			l.Max = b.Max
		}
	}
	limits(&p.RcvBuf, cfg.ReceiveBuffer)
	limits(&p.SndBuf, cfg.SendBuffer)
	if cfg.TimeWait > 0 {
		p.TimeWait = cfg.TimeWait
	}
	if cfg.SYNRetries > 0 {
		p.SynRetries = cfg.SYNRetries
	}
	cfg.setCongestion(p)
	cfg.Tuning.apply(p)
	cfg.MTUProbing.apply(&p.MTUProbing)
	return p
}
