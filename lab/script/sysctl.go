package script

import (
	"encoding/binary"
	"strconv"
	"strings"
	"time"

	"example.com/berth"
	"example.com/berth/socket"
)

// A preset is an option that every new socket of the host gets: what stands for
// a setting of the whole system that berth has only for sockets.
type preset struct {
	id    socket.OptionID
	value any
}

var socketCongestion = socket.TCP_CONGESTION.ID

// key is the name of a setting as the tables below have it: that of Linux without
// its path, that of FreeBSD without net.inet.tcp.
func key(name string) string {
	if rest, ok := strings.CutPrefix(name, "net.inet.tcp."); ok {
		return rest
	}
	if strings.HasPrefix(name, "net.inet") || strings.HasPrefix(name, "kern.") {
		return name
	}
	return name[strings.LastIndexByte(name, '.')+1:]
}

// ofSockets are the settings that are options of sockets.
var ofSockets = map[string]func(n int) preset{
	"tcp_keepalive_time":   func(n int) preset { return preset{socket.TCP_KEEPIDLE.ID, n} },
	"tcp_keepalive_intvl":  func(n int) preset { return preset{socket.TCP_KEEPINTVL.ID, n} },
	"tcp_keepalive_probes": func(n int) preset { return preset{socket.TCP_KEEPCNT.ID, n} },
	"tcp_fin_timeout":      func(n int) preset { return preset{socket.TCP_LINGER2.ID, n} },
	"tcp_syn_retries":      func(n int) preset { return preset{socket.TCP_SYNCNT.ID, n} },
	"tcp_notsent_lowat":    func(n int) preset { return preset{socket.TCP_NOTSENT_LOWAT.ID, max(int(int32(n)), 0)} },
	// FreeBSD, in milliseconds.
	"keepidle":         func(n int) preset { return preset{socket.TCP_KEEPIDLE.ID, n / 1000} },
	"keepintvl":        func(n int) preset { return preset{socket.TCP_KEEPINTVL.ID, n / 1000} },
	"keepcnt":          func(n int) preset { return preset{socket.TCP_KEEPCNT.ID, n} },
	"always_keepalive": func(n int) preset { return preset{socket.SO_KEEPALIVE.ID, n} },
	"finwait2_timeout": func(n int) preset { return preset{socket.TCP_LINGER2.ID, n / 1000} },
}

// A hostSetting is one of berth.Config. It reports false for what it cannot be.
type hostSetting func(c *berth.Config, n []int) bool

// ofHosts are the settings of hosts: first Linux's, then those of FreeBSD, whose
// times are milliseconds.
var ofHosts = map[string]hostSetting{
	"tcp_rmem":                  func(c *berth.Config, n []int) bool { return sizes(&c.TCP.ReceiveBuffer, n) },
	"tcp_wmem":                  func(c *berth.Config, n []int) bool { return sizes(&c.TCP.SendBuffer, n) },
	"tcp_timestamps":            switchOff(func(c *berth.Config) *bool { return &c.TCP.Tuning.NoTimestamps }, 1, 2),
	"tcp_sack":                  switchOff(func(c *berth.Config) *bool { return &c.TCP.Tuning.NoSACK }, 1),
	"tcp_window_scaling":        switchOff(func(c *berth.Config) *bool { return &c.TCP.Tuning.NoWindowScaling }, 1),
	"tcp_early_retrans":         switchOff(func(c *berth.Config) *bool { return &c.TCP.Tuning.NoTailLossProbe }, 3, 4),
	"tcp_recovery":              switchOff(func(c *berth.Config) *bool { return &c.TCP.Tuning.NoRACK }, 1),
	"tcp_slow_start_after_idle": switchOff(func(c *berth.Config) *bool { return &c.TCP.Tuning.NoIdleRestart }, 1),
	"tcp_ecn": func(c *berth.Config, n []int) bool {
		c.TCP.ECNControl = true // as Linux, with accurate ECN
		return ecn(c, n)
	},
	"tcp_ecn_option":        accECNOption,
	"tcp_ecn_option_beacon": accECNBeacon,
	"tcp_synack_retries":    count(func(c *berth.Config) *int { return &c.TCP.Tuning.SYNACKRetries }),
	"tcp_retries2":          count(func(c *berth.Config) *int { return &c.TCP.Tuning.Retries }),
	"tcp_orphan_retries":    orphanRetries,
	"tcp_rto_min_us":        period(time.Microsecond, func(c *berth.Config) *time.Duration { return &c.TCP.Tuning.MinRTO }),
	"tcp_rto_max_ms":        period(time.Millisecond, func(c *berth.Config) *time.Duration { return &c.TCP.Tuning.MaxRTO }),
	"tcp_syncookies": func(c *berth.Config, n []int) bool {
		if len(n) != 1 || n[0] < 0 || n[0] > 2 {
			return false
		}
		c.TCP.SYNCookies = []berth.SYNCookies{berth.SYNCookiesOff, berth.SYNCookiesUnderPressure, berth.SYNCookiesAlways}[n[0]]
		return true
	},
	"tcp_fastopen": fastOpen,
	"tcp_fastopen_blackhole_timeout_sec": func(c *berth.Config, n []int) bool {
		c.TCP.FastOpenPause = 0
		return len(n) == 1 && (n[0] == 0 || period(time.Second, func(c *berth.Config) *time.Duration { return &c.TCP.FastOpenPause })(c, n))
	},
	"tcp_max_syn_backlog":    count(func(c *berth.Config) *int { return &c.TCP.SYNBacklog }),
	"somaxconn":              count(func(c *berth.Config) *int { return &c.TCP.MaxBacklog }),
	"kern.ipc.soacceptqueue": count(func(c *berth.Config) *int { return &c.TCP.MaxBacklog }),
	"tcp_abort_on_overflow": func(c *berth.Config, n []int) bool {
		c.TCP.AbortOnOverflow = len(n) == 1 && n[0] == 1
		return len(n) == 1 && n[0]>>1 == 0
	},
	"tcp_mtu_probing": func(c *berth.Config, n []int) bool {
		if len(n) != 1 || n[0] < 0 || n[0] > 2 {
			return false
		}
		c.TCP.MTUProbing.Mode = []berth.MTUProbeMode{berth.MTUProbeNever, berth.MTUProbeBlackHole, berth.MTUProbeAlways}[n[0]]
		return true
	},
	"tcp_base_mss":        count(func(c *berth.Config) *int { return &c.TCP.MTUProbing.BaseMSS }),
	"tcp_probe_threshold": count(func(c *berth.Config) *int { return &c.TCP.MTUProbing.Threshold }),
	"tcp_mtu_probe_floor": count(func(c *berth.Config) *int { return &c.TCP.MTUProbing.Floor }),
	"tcp_probe_interval":  period(time.Second, func(c *berth.Config) *time.Duration { return &c.TCP.MTUProbing.Interval }),
	"ip_local_port_range": func(c *berth.Config, n []int) bool {
		if len(n) != 2 || n[0] < 1 || n[1] < n[0] || n[1] > 65535 {
			return false
		}
		c.EphemeralPorts.First, c.EphemeralPorts.Last = uint16(n[0]), uint16(n[1])
		return true
	},

	"rfc1323": func(c *berth.Config, n []int) bool {
		t := &c.TCP.Tuning
		if len(n) != 1 || n[0] < 0 || n[0] > 3 {
			return false
		}
		// 1 is both, 2 window scaling, 3 timestamps.
		t.NoTimestamps, t.NoWindowScaling = n[0] == 0 || n[0] == 2, n[0] == 0 || n[0] == 3
		return true
	},
	"sack.enable": switchOff(func(c *berth.Config) *bool { return &c.TCP.Tuning.NoSACK }, 1),
	"ecn.enable":  func(c *berth.Config, n []int) bool { return len(n) == 1 && n[0] <= 3 && ecn(c, n) },
	"rexmit_min":  period(time.Millisecond, func(c *berth.Config) *time.Duration { return &c.TCP.Tuning.MinRTO }),
	"rexmit_max":  period(time.Millisecond, func(c *berth.Config) *time.Duration { return &c.TCP.Tuning.MaxRTO }),
	"rexmit_initial": period(time.Millisecond, func(c *berth.Config) *time.Duration {
		return &c.TCP.Tuning.InitialRTO
	}),
	"delacktime":                  delayedACK,
	"initcwnd_segments":           count(func(c *berth.Config) *int { return &c.TCP.Tuning.InitialWindow }),
	"recvspace":                   count(func(c *berth.Config) *int { return &c.TCP.ReceiveBuffer.Default }),
	"sendspace":                   count(func(c *berth.Config) *int { return &c.TCP.SendBuffer.Default }),
	"recvbuf_max":                 count(func(c *berth.Config) *int { return &c.TCP.ReceiveBuffer.Max }),
	"sendbuf_max":                 count(func(c *berth.Config) *int { return &c.TCP.SendBuffer.Max }),
	"kern.ipc.maxsockbuf":         maxSocketBuffer,
	"net.inet.tcp.msl":            msl,
	"msl":                         msl,
	"net.inet.icmp.icmplim":       func(c *berth.Config, n []int) bool { c.ICMPErrors = -1; return len(n) == 1 && n[0] == 0 },
	"net.inet.ip.portrange.first": func(c *berth.Config, n []int) bool { return port(&c.EphemeralPorts.First, n) },
	"net.inet.ip.portrange.last":  func(c *berth.Config, n []int) bool { return port(&c.EphemeralPorts.Last, n) },
}

// fastOpen takes the bits of Linux, of which there are more than mean something.
func fastOpen(c *berth.Config, n []int) bool {
	const all = berth.FastOpenClient | berth.FastOpenServer | berth.FastOpenClientNoCookie |
		berth.FastOpenServerNoCookie | berth.FastOpenEveryListener
	if len(n) != 1 || n[0] < 0 {
		return false
	}
	if c.TCP.FastOpen = berth.FastOpen(n[0]) & all; c.TCP.FastOpen == 0 {
		c.TCP.FastOpen = berth.FastOpenOff
	}
	return true
}

// fastOpenKey takes one key of four groups of digits, or two behind a comma.
func fastOpenKey(c *berth.Config, value string) bool {
	c.TCP.FastOpenKey = nil
	for _, key := range strings.Split(value, ",") {
		groups := strings.Split(key, "-")
		if len(groups) != 4 {
			return false
		}
		for _, g := range groups {
			n, err := strconv.ParseUint(g, 16, 32)
			if err != nil {
				return false
			}
			c.TCP.FastOpenKey = binary.LittleEndian.AppendUint32(c.TCP.FastOpenKey, uint32(n))
		}
	}
	return len(c.TCP.FastOpenKey) <= 32
}

// switchOff is a setting whose 0 sets a flag, and that has no other values than
// those given: what they mean is what berth does.
func switchOff(flag func(*berth.Config) *bool, on ...int) hostSetting {
	return func(c *berth.Config, n []int) bool {
		if len(n) != 1 {
			return false
		}
		*flag(c) = n[0] == 0
		for _, v := range on {
			if n[0] == v {
				return true
			}
		}
		return n[0] == 0
	}
}

// count is a setting that is a positive number.
func count(field func(*berth.Config) *int) hostSetting {
	return func(c *berth.Config, n []int) bool {
		if len(n) != 1 || n[0] < 1 {
			return false
		}
		*field(c) = n[0]
		return true
	}
}

// period is a setting that is a positive time in some unit.
func period(unit time.Duration, field func(*berth.Config) *time.Duration) hostSetting {
	return func(c *berth.Config, n []int) bool {
		if len(n) != 1 || n[0] < 1 || n[0] > int(time.Hour/unit) {
			return false
		}
		*field(c) = time.Duration(n[0]) * unit
		return true
	}
}

// orphanRetries takes Linux's 0 for 8, as Linux does.
func orphanRetries(c *berth.Config, n []int) bool {
	c.TCP.Tuning.OrphanRetries = 0
	return len(n) == 1 && (n[0] == 0 || count(func(c *berth.Config) *int { return &c.TCP.Tuning.OrphanRetries })(c, n))
}

// ecn are Linux's modes; FreeBSD has the first three, and 3 for accurate ECN.
func ecn(c *berth.Config, n []int) bool {
	modes := []berth.ECN{
		berth.ECNOff, berth.ECNOn, berth.ECNPassive, berth.ECNAccurate, berth.ECNAccurateGranted, berth.ECNAccuratePassive,
	}
	if len(n) != 1 || n[0] < 0 || n[0] >= len(modes) {
		return false
	}
	c.TCP.ECN = modes[n[0]]
	return true
}

// accECNOption and accECNBeacon take Linux's numbers.
func accECNOption(c *berth.Config, n []int) bool {
	modes := []berth.AccECNOption{berth.AccECNOptionNever, berth.AccECNOptionNeeded, berth.AccECNOptionAlways}
	if len(n) != 1 || n[0] < 0 || n[0] >= len(modes) {
		return false
	}
	c.TCP.AccECNOption = modes[n[0]]
	return true
}

func accECNBeacon(c *berth.Config, n []int) bool {
	c.TCP.Tuning.AccECNBeacon = -1
	return len(n) == 1 && n[0] == 0 || count(func(c *berth.Config) *int { return &c.TCP.Tuning.AccECNBeacon })(c, n)
}

func delayedACK(c *berth.Config, n []int) bool {
	t := &c.TCP.Tuning
	ok := period(time.Millisecond, func(*berth.Config) *time.Duration { return &t.DelayedACKMin })(c, n)
	t.DelayedACKMax = t.DelayedACKMin
	return ok
}

// msl is FreeBSD's, of which TIME-WAIT lasts two.
func msl(c *berth.Config, n []int) bool {
	if !period(time.Millisecond, func(c *berth.Config) *time.Duration { return &c.TCP.TimeWait })(c, n) {
		return false
	}
	c.TCP.TimeWait *= 2
	return true
}

// maxSocketBuffer bounds both buffers, from which window scales come.
func maxSocketBuffer(c *berth.Config, n []int) bool {
	if len(n) != 1 || n[0] < 1 {
		return false
	}
	c.TCP.ReceiveBuffer.Max, c.TCP.SendBuffer.Max = n[0], n[0]
	return true
}

func port(p *uint16, n []int) bool {
	if len(n) != 1 || n[0] < 1 || n[0] > 65535 {
		return false
	}
	*p = uint16(n[0])
	return true
}

// sizes takes the three of a buffer.
func sizes(b *berth.BufferSize, n []int) bool {
	if len(n) != 3 || n[0] < 1 || n[1] < 1 || n[2] < 1 {
		return false
	}
	b.Min, b.Default, b.Max = n[0], n[1], n[2]
	return true
}
