package sockets

import (
	"fmt"
	"strings"
	"time"

	"example.com/berth/socket"
)

// TCPInfo is what is known of a TCP connection, by the names that ss uses.
// Times are microseconds, unless the name says milliseconds.
type TCPInfo struct {
	Timestamps  bool   `json:"ts,omitempty"`
	SACK        bool   `json:"sack,omitempty"`
	ECN         bool   `json:"ecn,omitempty"`
	WindowScale bool   `json:"wscale,omitempty"`
	SndWScale   uint8  `json:"snd_wscale,omitempty"`
	RcvWScale   uint8  `json:"rcv_wscale,omitempty"`
	RTO         int64  `json:"rto_us"`
	ATO         int64  `json:"ato_us,omitempty"`
	RTT         int64  `json:"rtt_us"`
	RTTVar      int64  `json:"rttvar_us"`
	MinRTT      int64  `json:"minrtt_us,omitempty"`
	MSS         uint32 `json:"mss"`
	PMTU        uint32 `json:"pmtu,omitempty"`
	RcvMSS      uint32 `json:"rcvmss,omitempty"`
	AdvMSS      uint32 `json:"advmss,omitempty"`
	Cwnd        uint32 `json:"cwnd"`
	SSThresh    uint32 `json:"ssthresh,omitempty"`
	Backoff     uint8  `json:"backoff,omitempty"`
	Retransmits uint8  `json:"retransmits,omitempty"`

	BytesSent     uint64 `json:"bytes_sent"`
	BytesRetrans  uint64 `json:"bytes_retrans,omitempty"`
	BytesAcked    uint64 `json:"bytes_acked"`
	BytesReceived uint64 `json:"bytes_received"`
	SegsOut       uint32 `json:"segs_out"`
	SegsIn        uint32 `json:"segs_in"`
	DataSegsOut   uint32 `json:"data_segs_out,omitempty"`
	DataSegsIn    uint32 `json:"data_segs_in,omitempty"`

	Unacked      uint32 `json:"unacked,omitempty"`
	Sacked       uint32 `json:"sacked,omitempty"`
	Lost         uint32 `json:"lost,omitempty"`
	Retrans      uint32 `json:"retrans,omitempty"`
	TotalRetrans uint32 `json:"retrans_total,omitempty"`
	DSACKDups    uint32 `json:"dsack_dups,omitempty"`
	Reordering   uint32 `json:"reordering,omitempty"`
	ReordSeen    uint32 `json:"reord_seen,omitempty"`
	NotSent      uint32 `json:"notsent,omitempty"`

	LastSnd int64 `json:"lastsnd_ms,omitempty"`
	LastRcv int64 `json:"lastrcv_ms,omitempty"`
	LastAck int64 `json:"lastack_ms,omitempty"`

	PacingRate   uint64 `json:"pacing_rate,omitempty"`   // bytes a second
	DeliveryRate uint64 `json:"delivery_rate,omitempty"` // bytes a second
	RcvRTT       int64  `json:"rcv_rtt_us,omitempty"`
	RcvSpace     uint32 `json:"rcv_space,omitempty"`
	RcvSSThresh  uint32 `json:"rcv_ssthresh,omitempty"`
	SndWnd       uint32 `json:"snd_wnd,omitempty"`
	RcvWnd       uint32 `json:"rcv_wnd,omitempty"`
}

func fromInfo(i *socket.TCPInfo) *TCPInfo {
	return &TCPInfo{
		Timestamps: i.Timestamps, SACK: i.SACK, ECN: i.ECN,
		WindowScale: i.WindowScale, SndWScale: i.SndWScale, RcvWScale: i.RcvWScale,
		RTO: i.RTO.Microseconds(), ATO: i.ATO.Microseconds(),
		RTT: i.RTT.Microseconds(), RTTVar: i.RTTVar.Microseconds(), MinRTT: i.MinRTT.Microseconds(),
		MSS: i.SndMSS, PMTU: i.PMTU, RcvMSS: i.RcvMSS, AdvMSS: i.AdvMSS,
		Cwnd: i.SndCwnd, SSThresh: i.SndSSThresh, Backoff: i.Backoff, Retransmits: i.Retransmits,
		BytesSent: i.BytesSent, BytesRetrans: i.BytesRetrans, BytesAcked: i.BytesAcked, BytesReceived: i.BytesReceived,
		SegsOut: i.SegsOut, SegsIn: i.SegsIn, DataSegsOut: i.DataSegsOut, DataSegsIn: i.DataSegsIn,
		Unacked: i.Unacked, Sacked: i.Sacked, Lost: i.Lost, Retrans: i.Retrans, TotalRetrans: i.TotalRetrans,
		DSACKDups: i.DSACKDups, Reordering: i.Reordering, ReordSeen: i.ReordSeen, NotSent: i.NotSentBytes,
		LastSnd: i.LastDataSent.Milliseconds(), LastRcv: i.LastDataRecv.Milliseconds(), LastAck: i.LastAckRecv.Milliseconds(),
		PacingRate: i.PacingRate, DeliveryRate: i.DeliveryRate,
		RcvRTT: i.RcvRTT.Microseconds(), RcvSpace: i.RcvSpace, RcvSSThresh: i.RcvSSThresh,
		SndWnd: i.SndWnd, RcvWnd: i.RcvWnd,
	}
}

// line is the information in one line, as ss -i has it.
func (i *TCPInfo) line() string {
	var b builder
	b.flag("ts", i.Timestamps)
	b.flag("sack", i.SACK)
	b.flag("ecn", i.ECN)
	if i.WindowScale {
		b.add("wscale:%d,%d", i.SndWScale, i.RcvWScale)
	}
	b.add("rto:%s", millis(i.RTO))
	if i.Backoff > 0 {
		b.add("backoff:%d", i.Backoff)
	}
	if i.RTT > 0 {
		b.add("rtt:%s/%s", millis(i.RTT), millis(i.RTTVar))
	}
	if i.ATO > 0 {
		b.add("ato:%s", millis(i.ATO))
	}
	b.number("mss", uint64(i.MSS))
	b.number("pmtu", uint64(i.PMTU))
	b.number("rcvmss", uint64(i.RcvMSS))
	b.number("advmss", uint64(i.AdvMSS))
	b.number("cwnd", uint64(i.Cwnd))
	if i.SSThresh < 0x7fffffff { // more is none
		b.number("ssthresh", uint64(i.SSThresh))
	}
	i.traffic(&b)
	i.rates(&b)
	return b.String()
}

// traffic adds what has been sent and received.
func (i *TCPInfo) traffic(b *builder) {
	b.number("bytes_sent", i.BytesSent)
	b.number("bytes_retrans", i.BytesRetrans)
	b.number("bytes_acked", i.BytesAcked)
	b.number("bytes_received", i.BytesReceived)
	b.number("segs_out", uint64(i.SegsOut))
	b.number("segs_in", uint64(i.SegsIn))
	b.number("data_segs_out", uint64(i.DataSegsOut))
	b.number("data_segs_in", uint64(i.DataSegsIn))
	b.number("lastsnd", uint64(i.LastSnd))
	b.number("lastrcv", uint64(i.LastRcv))
	b.number("lastack", uint64(i.LastAck))
	b.number("unacked", uint64(i.Unacked))
	if i.Retrans > 0 || i.TotalRetrans > 0 {
		b.add("retrans:%d/%d", i.Retrans, i.TotalRetrans)
	}
	b.number("lost", uint64(i.Lost))
	b.number("sacked", uint64(i.Sacked))
	b.number("dsack_dups", uint64(i.DSACKDups))
	b.number("reord_seen", uint64(i.ReordSeen))
	b.number("notsent", uint64(i.NotSent))
}

// rates adds what follows from the traffic.
func (i *TCPInfo) rates(b *builder) {
	if i.RTT > 0 && i.MSS > 0 && i.Cwnd > 0 {
		b.add("send %s", bps(float64(i.Cwnd)*float64(i.MSS)*8e6/float64(i.RTT)))
	}
	if i.PacingRate > 0 && i.PacingRate != ^uint64(0) {
		b.add("pacing_rate %s", bps(8*float64(i.PacingRate)))
	}
	if i.DeliveryRate > 0 {
		b.add("delivery_rate %s", bps(8*float64(i.DeliveryRate)))
	}
	if i.RcvRTT > 0 {
		b.add("rcv_rtt:%s", millis(i.RcvRTT))
	}
	b.number("rcv_space", uint64(i.RcvSpace))
	b.number("rcv_ssthresh", uint64(i.RcvSSThresh))
	if i.MinRTT > 0 && i.MinRTT != 0xffffffff { // nothing was measured yet
		b.add("minrtt:%s", millis(i.MinRTT))
	}
	b.number("snd_wnd", uint64(i.SndWnd))
	b.number("rcv_wnd", uint64(i.RcvWnd))
}

// builder puts words into a line.
type builder struct{ words []string }

func (b *builder) add(format string, args ...any) {
	b.words = append(b.words, fmt.Sprintf(format, args...))
}

func (b *builder) flag(name string, on bool) {
	if on {
		b.add("%s", name)
	}
}

// number adds a value that is not 0.
func (b *builder) number(name string, n uint64) {
	if n != 0 {
		b.add("%s:%d", name, n)
	}
}

func (b *builder) String() string { return strings.Join(b.words, " ") }

// millis shows microseconds as ss does: in milliseconds, as exact as they are.
func millis(us int64) string {
	s := fmt.Sprintf("%.3f", float64(us)/float64(time.Millisecond/time.Microsecond))
	return strings.TrimSuffix(strings.TrimRight(s, "0"), ".")
}

// bps shows a rate in bits a second.
func bps(rate float64) string {
	for _, u := range []struct {
		unit float64
		name string
	}{
		{1e9, "Gbps"},
		{1e6, "Mbps"},
		{1e3, "Kbps"},
	} {
		if rate >= u.unit {
			return fmt.Sprintf("%.3g%s", rate/u.unit, u.name)
		}
	}
	return fmt.Sprintf("%.0fbps", rate)
}
