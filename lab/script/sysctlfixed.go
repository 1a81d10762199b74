package script

// fixed are the settings that berth has no choice about, with the values that
// say what it does.
var fixed = map[string]string{
	"tcp_dsack": "1", "tcp_moderate_rcvbuf": "1", "tcp_frto": "1|2", "tcp_fack": "0|1",
	"tcp_thin_linear_timeouts": "0", "tcp_adv_win_scale": "1", "tcp_rfc1337": "1|0",
	"ip_no_pmtu_disc": "0", "tcp_stdurg": "0", "tcp_reordering": "3",
	"tcp_tw_reuse": "0|2", "tcp_syn_linear_timeouts": "0", "tcp_workaround_signed_windows": "0", "tcp_app_win": "31",
	"tcp_ecn_fallback": "1", "tcp_retries1": "3", "tcp_min_snd_mss": "48", "tcp_shrink_window": "0",

	// FreeBSD
	"rfc3042": "1", "rfc3390": "1", "rfc3465": "1", "rfc6675_pipe": "1", "do_prr": "1", "do_lrd": "0|1", "newcwv": "0|1",
	"drop_synfin": "0|1", "insecure_syn": "0", "insecure_rst": "0", "insecure_ack": "0", "blackhole": "0", "delayed_ack": "1",
	"path_mtu_discovery": "1", "pmtud_blackhole_detection": "0", "recvbuf_auto": "1", "sendbuf_auto": "1", "nolocaltimewait": "0",
	"fast_finwait2_recycle": "0", "tolerate_missing_ts": "0", "fastopen.client_enable": "0|1", "fastopen.server_enable": "0",
	"ecn.maxretries": "1", "ecn.generalized": "0", "sack.revised": "1", "sack.lrd": "0|1", "ack_war_cnt": "5",
}

// Reasons why a setting has no meaning for berth.
const (
	noOffload   = "it is about how segments are put together for a device, which the packets on the line do not show"
	noMetrics   = "a host keeps no metrics of earlier connections"
	resources   = "it bounds a system's resources, which one script does not exhaust"
	sizesOfCall = "it bounds what SO_RCVBUF and SO_SNDBUF may ask for; scripts may ask for everything"
	rateLimit   = "it limits a rate that berth limits by connection"
	diagnostics = "it is about logs and counters"
	noCookies   = "it is about SYN cookies, which a script sees only when a queue is full"
	pacingRatio = "it is about the rate of a queueing discipline that paces, and there is none"
	compressed  = "it is about acknowledgments that are put together, of which berth sends one by one"
	ofStack     = "it chooses among implementations of TCP, and there is one"
	processing  = "it is about the way of a packet through a system, not about what is answered"
)

// meaningless are the settings of mechanisms that berth does not have and that no
// packet of a script depends on, or that are about a host's resources; with the
// reason, for the reader of the notes.
var meaningless = map[string]string{
	"tcp_no_metrics_save": noMetrics, "tcp_no_ssthresh_metrics_save": noMetrics, "hostcache.purgenow": noMetrics,
	"hostcache.purge": noMetrics, "hostcache.expire": noMetrics, "hostcache.enable": noMetrics, "hostcache.prune": noMetrics,
	"hostcache.cachelimit": noMetrics, "fastopen.ccache_list": noMetrics,
	"tcp_min_tso_segs": noOffload, "tcp_tso_win_divisor": noOffload, "tcp_tso_rtt_log": noOffload,
	"tcp_limit_output_bytes": noOffload, "tcp_autocorking": noOffload, "tso": noOffload, "gro_normal_batch": noOffload,
	"tcp_pacing_ss_ratio": pacingRatio, "tcp_pacing_ca_ratio": pacingRatio, "default_qdisc": pacingRatio,
	"tcp_mem": resources, "tcp_max_orphans": resources,
	"tcp_max_tw_buckets": resources, "maxtcptw": resources, "netdev_max_backlog": resources, "reass.maxqueuelen": resources, "reass.maxsegments": resources,
	"sack.maxholes": resources, "sack.globalmaxholes": resources, "optmem_max": resources,
	"rmem_max": sizesOfCall, "wmem_max": sizesOfCall, "rmem_default": sizesOfCall, "wmem_default": sizesOfCall,
	"tcp_invalid_ratelimit": rateLimit, "tcp_challenge_ack_limit": rateLimit, "icmp_ratelimit": rateLimit,
	"icmp_msgs_per_sec": rateLimit, "challenge_ack_limit": rateLimit, "net.inet.icmp.icmplim_output": rateLimit,
	"tcp_comp_sack_nr": compressed, "tcp_comp_sack_delay_ns": compressed, "tcp_comp_sack_slack_ns": compressed,
	"tcp_comp_sack_rtt_percent": compressed, "tcp_backlog_ack_defer": compressed,
	"syncookies": noCookies, "syncookies_only": noCookies,
	"rp_filter": processing, "tcp_early_demux": processing, "ip_early_demux": processing, "tcp_low_latency": processing,
	"log_debug": diagnostics, "log_in_vain": diagnostics, "printk": diagnostics, "netdev_tstamp_prequeue": diagnostics,
	"kern.timecounter.alloweddeviation": diagnostics, "vm.old_mlock": diagnostics, "old_mlock": diagnostics,
	"functions_default": ofStack, "functions_inherit_listen_socket_stack": ofStack, "tcp_available_ulp": ofStack,
}
