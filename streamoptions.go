package berth

import (
	"syscall"
	"time"

	"example.com/berth/internal/tcp"
	"example.com/berth/socket"
)

// tcpOption is an option that a stream socket alone has, or has in a way of its
// own. The lock is held by whoever calls its functions.
type tcpOption struct {
	min, max int // EINVAL outside; both 0: any
	get      func(*stream) int
	set      func(*stream, int) error
}

// tcpSwitch makes an option of a switch of the TCP machine.
func tcpSwitch(get func(*stream) bool, set func(*stream, bool)) tcpOption {
	return tcpOption{
		get: func(s *stream) int {
			if get(s) {
				return 1
			}
			return 0
		},
		set: func(s *stream, v int) error {
			set(s, v != 0)
			return nil
		},
	}
}

// Bounds of TCP_MAXSEG (Linux: TCP_MIN_MSS, MAX_TCP_WINDOW).
const minMaxSeg, maxMaxSeg = 88, 32767

var tcpOptions = map[socket.OptionID]tcpOption{
	socket.SO_KEEPALIVE.ID: tcpSwitch(
		func(s *stream) bool { return s.conn.Options().KeepAlive },
		func(s *stream, on bool) { s.conn.SetKeepAlive(s.host.now(), on) },
	),
	socket.SO_OOBINLINE.ID: tcpSwitch(
		func(s *stream) bool { return s.conn.Options().OOBInline },
		func(s *stream, on bool) { s.conn.SetOOBInline(on) },
	),
	socket.SO_RCVBUF.ID: {
		get: func(s *stream) int { return s.conn.RcvBuf() },
		set: func(s *stream, v int) error { s.conn.SetRcvBuf(bufferSize(v, minRcvBuf)); return nil },
	},
	socket.SO_SNDBUF.ID: {
		get: func(s *stream) int { return s.conn.SndBuf() },
		set: func(s *stream, v int) error { s.conn.SetSndBuf(bufferSize(v, minSndBuf)); return nil },
	},
	socket.SO_RCVLOWAT.ID: {
		get: func(s *stream) int { return max(s.conn.Options().RcvLowat, 1) },
		set: func(s *stream, v int) error {
			if v < 0 {
				v = 1<<31 - 1
			}
			o := *s.conn.Options()
			o.RcvLowat = v
			s.conn.SetOptions(o)
			return nil
		},
	},
	socket.SO_MAX_PACING_RATE.ID: {
		get: func(s *stream) int {
			if r := s.conn.Options().MaxPacingRate; r != 0 {
				return int(r)
			}
			return -1
		},
		set: func(s *stream, v int) error { s.conn.SetMaxPacingRate(uint64(max(v, 0))); return nil },
	},
	socket.SO_ERROR.ID: {get: func(s *stream) int {
		if err, _ := s.conn.TakeError().(syscall.Errno); err != 0 {
			return int(err)
		}
		return int(s.conn.TakeSoftError())
	}},
	socket.SO_ACCEPTCONN.ID: {get: func(s *stream) int {
		if s.lis != nil {
			return 1
		}
		return 0
	}},
	socket.TCP_NODELAY.ID: tcpSwitch(
		func(s *stream) bool { return s.conn.Options().NoDelay },
		func(s *stream, on bool) { s.conn.SetNoDelay(on) },
	),
	socket.TCP_CORK.ID: tcpSwitch(
		func(s *stream) bool { return s.conn.Options().Cork },
		func(s *stream, on bool) { s.conn.SetCork(on) },
	),
	socket.TCP_QUICKACK.ID: tcpSwitch(
		func(s *stream) bool { return s.conn.QuickAck() },
		func(s *stream, on bool) { s.conn.SetQuickAck(on) },
	),
	TCP_REPORTS.ID: tcpSwitch(
		func(s *stream) bool { return s.reports != nil && s.reports.asked },
		(*stream).setReports,
	),
	socket.TCP_MAXSEG.ID: {
		get: func(s *stream) int { return s.conn.MaxSeg() },
		set: func(s *stream, v int) error {
			if v != 0 && (v < minMaxSeg || v > maxMaxSeg) {
				return syscall.EINVAL
			}
			s.conn.SetMaxSeg(v)
			return nil
		},
	},
	socket.TCP_KEEPIDLE.ID: {
		min: 1, max: 32767,
		get: func(s *stream) int { return int(s.conn.Options().KeepIdle / time.Second) },
		set: func(s *stream, v int) error {
			o := s.conn.Options()
			s.conn.SetKeepTimings(s.host.now(), time.Duration(v)*time.Second, o.KeepInterval, o.KeepCount)
			return nil
		},
	},
	socket.TCP_KEEPINTVL.ID: {
		min: 1, max: 32767,
		get: func(s *stream) int { return int(s.conn.Options().KeepInterval / time.Second) },
		set: func(s *stream, v int) error {
			o := s.conn.Options()
			s.conn.SetKeepTimings(s.host.now(), o.KeepIdle, time.Duration(v)*time.Second, o.KeepCount)
			return nil
		},
	},
	socket.TCP_KEEPCNT.ID: {
		min: 1, max: 127,
		get: func(s *stream) int { return s.conn.Options().KeepCount },
		set: func(s *stream, v int) error {
			o := s.conn.Options()
			s.conn.SetKeepTimings(s.host.now(), o.KeepIdle, o.KeepInterval, v)
			return nil
		},
	},
	socket.TCP_SYNCNT.ID: {
		min: 1, max: 127,
		get: func(s *stream) int {
			if n := s.conn.Options().SynCount; n != 0 {
				return n
			}
			return s.host.tcp.SynRetries
		},
		set: func(s *stream, v int) error {
			o := *s.conn.Options()
			o.SynCount = v
			s.conn.SetOptions(o)
			return nil
		},
	},
	socket.TCP_LINGER2.ID: {
		get: func(s *stream) int {
			if d := s.conn.Options().Linger2; d > 0 {
				return int(d / time.Second)
			}
			return -1
		},
		set: func(s *stream, v int) error {
			o, most := *s.conn.Options(), s.host.tcp.Options.Linger2
			switch {
			case v < 0:
				o.Linger2 = -1
			case v == 0:
				o.Linger2 = most
			default:
				o.Linger2 = min(time.Duration(v)*time.Second, 2*most)
			}
			s.conn.SetOptions(o)
			return nil
		},
	},
	socket.TCP_DEFER_ACCEPT.ID: {
		get: func(s *stream) int { return int(s.conn.Options().DeferAccept / time.Second) },
		set: func(s *stream, v int) error {
			o := *s.conn.Options()
			o.DeferAccept = deferAccept(v)
			s.conn.SetOptions(o)
			return nil
		},
	},
	socket.TCP_WINDOW_CLAMP.ID: {
		get: func(s *stream) int { return s.conn.Options().WindowClamp },
		set: func(s *stream, v int) error {
			if v < 0 {
				return syscall.EINVAL
			}
			if v > 0 {
				v = max(v, minRcvBuf/2)
			}
			o := *s.conn.Options()
			o.WindowClamp = v
			s.conn.SetOptions(o)
			return nil
		},
	},
	socket.TCP_USER_TIMEOUT.ID: {
		get: func(s *stream) int { return int(s.conn.Options().UserTimeout / time.Millisecond) },
		set: func(s *stream, v int) error {
			if v < 0 {
				return syscall.EINVAL
			}
			s.conn.SetUserTimeout(s.host.now(), time.Duration(v)*time.Millisecond)
			return nil
		},
	},
	socket.SO_ZEROCOPY.ID:            zeroCopyOption,
	socket.TCP_INQ.ID:                inqOption,
	socket.TCP_FASTOPEN.ID:           fastOpenOption,
	socket.TCP_FASTOPEN_CONNECT.ID:   fastOpenConnectOption,
	socket.TCP_FASTOPEN_NO_COOKIE.ID: fastOpenNoCookieOption,
	socket.TCP_NOTSENT_LOWAT.ID: {
		get: func(s *stream) int { return s.conn.Options().NotSentLowat },
		set: func(s *stream, v int) error {
			o := *s.conn.Options()
			o.NotSentLowat = v
			s.conn.SetOptions(o)
			return nil
		},
	},
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
		o, ok := tcpOptions[id]
		if !ok {
			return s.setOption(id, value)
		}
		v, isInt := value.(int)
		switch {
		case !isInt:
			return syscall.EINVAL
		case o.set == nil:
			return syscall.ENOPROTOOPT
		case (o.min != 0 || o.max != 0) && (v < o.min || v > o.max):
			return syscall.EINVAL
		}
		if err := o.set(s, v); err != nil {
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
		case socket.TCP_AO_INFO.ID:
			v, err = s.conn.AOInfo()
			return err
		case socket.TCP_AO_GET_KEYS.ID:
			v, err = s.keys()
			return err
		}
		if o, ok := tcpOptions[id]; ok {
			v = o.get(s)
			return nil
		}
		v, err = s.option(id)
		return err
	})
	return v, err
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
