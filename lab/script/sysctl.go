package script

import (
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

// ofSockets are the settings that are options of sockets, with Linux's names and
// FreeBSD's where its unit is the same.
var ofSockets = map[string]func(n int) preset{
	"tcp_keepalive_time":   func(n int) preset { return preset{socket.TCP_KEEPIDLE.ID, n} },
	"tcp_keepalive_intvl":  func(n int) preset { return preset{socket.TCP_KEEPINTVL.ID, n} },
	"tcp_keepalive_probes": func(n int) preset { return preset{socket.TCP_KEEPCNT.ID, n} },
	"tcp_fin_timeout":      func(n int) preset { return preset{socket.TCP_LINGER2.ID, n} },
	"tcp_syn_retries":      func(n int) preset { return preset{socket.TCP_SYNCNT.ID, n} },
	"tcp_notsent_lowat":    func(n int) preset { return preset{socket.TCP_NOTSENT_LOWAT.ID, max(n, 0)} },
	"keepidle":             func(n int) preset { return preset{socket.TCP_KEEPIDLE.ID, n / 1000} },
	"keepintvl":            func(n int) preset { return preset{socket.TCP_KEEPINTVL.ID, n / 1000} },
	"keepcnt":              func(n int) preset { return preset{socket.TCP_KEEPCNT.ID, n} },
}

// ofHosts are the settings of berth.Config.
var ofHosts = map[string]func(c *berth.Config, n []int) bool{
	"tcp_rmem": func(c *berth.Config, n []int) bool { return sizes(&c.TCP.ReceiveBuffer, n) },
	"tcp_wmem": func(c *berth.Config, n []int) bool { return sizes(&c.TCP.SendBuffer, n) },
	"ip_local_port_range": func(c *berth.Config, n []int) bool {
		if len(n) != 2 || n[0] < 1 || n[1] < n[0] || n[1] > 65535 {
			return false
		}
		c.EphemeralPorts.First, c.EphemeralPorts.Last = uint16(n[0]), uint16(n[1])
		return true
	},
	"tcp_mtu_probing": func(c *berth.Config, n []int) bool {
		if len(n) != 1 || n[0] < 0 || n[0] > 2 {
			return false
		}
		c.TCP.MTUProbing.Mode = []berth.MTUProbeMode{berth.MTUProbeNever, berth.MTUProbeBlackHole, berth.MTUProbeAlways}[n[0]]
		return true
	},
	"tcp_base_mss":        func(c *berth.Config, n []int) bool { return positive(&c.TCP.MTUProbing.BaseMSS, n) },
	"tcp_probe_threshold": func(c *berth.Config, n []int) bool { return positive(&c.TCP.MTUProbing.Threshold, n) },
	"tcp_mtu_probe_floor": func(c *berth.Config, n []int) bool { return positive(&c.TCP.MTUProbing.Floor, n) },
	"tcp_probe_interval": func(c *berth.Config, n []int) bool {
		var secs int
		ok := positive(&secs, n)
		c.TCP.MTUProbing.Interval = time.Duration(secs) * time.Second
		return ok
	},
	"msl": func(c *berth.Config, n []int) bool { // FreeBSD: milliseconds
		if len(n) != 1 || n[0] < 1 {
			return false
		}
		c.TCP.TimeWait = 2 * time.Duration(n[0]) * time.Millisecond
		return true
	},
}

// positive takes a number above zero.
func positive(to *int, n []int) bool {
	if len(n) != 1 || n[0] < 1 {
		return false
	}
	*to = n[0]
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

// fixed are the settings that berth has no choice about, with the values that
// say what it does.
var fixed = map[string]string{
	"tcp_timestamps": "1", "tcp_sack": "1", "tcp_dsack": "1", "tcp_window_scaling": "1", "tcp_ecn": "2",
	"tcp_retries2": "15", "tcp_synack_retries": "5", "tcp_orphan_retries": "0|8", "tcp_moderate_rcvbuf": "1",
	"tcp_frto": "1|2", "tcp_recovery": "1", "tcp_early_retrans": "3|4", "tcp_thin_linear_timeouts": "0",
	"tcp_slow_start_after_idle": "1", "tcp_adv_win_scale": "1", "tcp_abort_on_overflow": "0", "tcp_rfc1337": "1|0",
	"tcp_fastopen": "0|1", "ip_no_pmtu_disc": "0", "tcp_stdurg": "0", "tcp_reordering": "3",
	"tcp_tw_reuse": "0|2",
}

// meaningless are the settings of mechanisms that berth does not have and that
// no packet of a script depends on, or that are about a host's resources.
var meaningless = map[string]bool{
	"tcp_no_metrics_save": true, "tcp_min_tso_segs": true, "tcp_tso_win_divisor": true, "tcp_tso_rtt_log": true,
	"tcp_pacing_ss_ratio": true, "tcp_pacing_ca_ratio": true, "tcp_limit_output_bytes": true, "tcp_autocorking": true,
	"tcp_max_syn_backlog": true, "somaxconn": true, "rp_filter": true, "tcp_invalid_ratelimit": true, "tcp_mem": true,
	"rmem_max": true, "wmem_max": true, "rmem_default": true, "wmem_default": true, "tcp_early_demux": true,
	"tcp_comp_sack_nr": true, "tcp_comp_sack_delay_ns": true, "tcp_backlog_ack_defer": true,
}
