package script

import (
	"maps"
	"strings"
	"time"

	"example.com/berth/socket"
)

// eval computes an expression.
func (n node) eval(vars map[string]int64) (value, *Error) {
	switch n.op {
	case "value":
		return n.value, nil
	case "name":
		if v, ok := vars[n.value.text]; ok {
			return value{num: v}, nil
		}
		if v, ok := constant(n.value.text); ok {
			return value{num: v}, nil
		}
		return value{}, unsupported(n.pos, "the variable %s", n.value.text)
	case "list":
		return n.list(vars)
	case "compare":
		return n.compare(vars)
	}
	left, err := n.of[0].eval(vars)
	if err != nil {
		return value{}, err
	}
	switch {
	case n.op == "not":
		return truth(!left.truth()), nil
	case n.op == "and" && !left.truth() || n.op == "or" && left.truth():
		return left, nil
	}
	right, err := n.of[1].eval(vars)
	if err != nil || n.op == "and" || n.op == "or" {
		return right, err
	}
	return n.arithmetic(left.num, right.num)
}

func truth(b bool) value {
	if b {
		return value{num: 1}
	}
	return value{}
}

func (n node) arithmetic(a, b int64) (v value, err *Error) {
	switch n.op {
	case "+":
		v.num = a + b
	case "-":
		v.num = a - b
	case "*":
		v.num = a * b
	case "&":
		v.num = a & b
	case "|":
		v.num = a | b
	case "^":
		v.num = a ^ b
	case "<<":
		v.num = a << min(uint64(b), 64)
	case ">>":
		v.num = a >> min(uint64(b), 63)
	case "/", "%":
		switch {
		case b == 0:
			err = errorf(n.pos, "a division by zero")
		case n.op == "/":
			v.num = a / b
		default:
			v.num = a % b
		}
	}
	return v, err
}

// compare computes a chain of comparisons, each of two neighbours.
func (n node) compare(vars map[string]int64) (value, *Error) {
	left, err := n.of[0].eval(vars)
	for i, op := range n.ops {
		if err != nil {
			return value{}, err
		}
		var right value
		if right, err = n.of[i+1].eval(vars); err != nil {
			return value{}, err
		}
		a, b := left.num, right.num
		ok := false
		switch op {
		case "==":
			ok = left == right
		case "!=":
			ok = left != right
		case "<":
			ok = a < b
		case ">":
			ok = a > b
		case "<=":
			ok = a <= b
		case ">=":
			ok = a >= b
		}
		if !ok {
			return value{}, nil
		}
		left = right
	}
	return truth(true), nil
}

// list gives the first of several: what follows an assertion is its message.
func (n node) list(vars map[string]int64) (value, *Error) { return n.of[0].eval(vars) }

// printed is what a statement prints of its list.
func (n node) printed(vars map[string]int64) (string, *Error) {
	var texts []string
	for _, of := range n.of {
		v, err := of.eval(vars)
		if err != nil {
			return "", err
		}
		texts = append(texts, v.String())
	}
	return strings.Join(texts, " "), nil
}

// Bits of tcpi_options on Linux.
const (
	infoTimestamps = 1
	infoSACK       = 2
	infoWScale     = 4
	infoECN        = 8
	infoSYNData    = 32
)

// variables are the fields of TCP_INFO and TCP_CC_INFO of the socket that the script
// is about, and the sizes of its buffers, with Linux's names and units.
func (r *run) variables() map[string]int64 {
	s := r.socketOf()
	if s == nil {
		return nil
	}
	i, err := socket.Get(s, socket.TCP_INFO)
	if err != nil {
		return nil
	}
	options := int64(0)
	for bit, on := range map[int64]bool{infoTimestamps: i.Timestamps, infoSACK: i.SACK, infoWScale: i.WindowScale, infoECN: i.ECN, infoSYNData: i.SYNData} {
		if on {
			options |= bit
		}
	}
	us := func(d time.Duration) int64 { return d.Microseconds() }
	ms := func(d time.Duration) int64 { return d.Milliseconds() }
	vars := map[string]int64{
		"tcpi_state": int64(i.State), "tcpi_ca_state": int64(i.CAState), "tcpi_retransmits": int64(i.Retransmits),
		"tcpi_probes": int64(i.Probes), "tcpi_backoff": int64(i.Backoff), "tcpi_options": options,
		"tcpi_snd_wscale": int64(i.SndWScale), "tcpi_rcv_wscale": int64(i.RcvWScale),
		"tcpi_rto": us(i.RTO), "tcpi_ato": us(i.ATO), "tcpi_rtt": us(i.RTT), "tcpi_rttvar": us(i.RTTVar),
		"tcpi_min_rtt": us(i.MinRTT), "tcpi_rcv_rtt": us(i.RcvRTT),
		"tcpi_snd_mss": int64(i.SndMSS), "tcpi_rcv_mss": int64(i.RcvMSS), "tcpi_advmss": int64(i.AdvMSS), "tcpi_pmtu": int64(i.PMTU),
		"tcpi_snd_ssthresh": int64(i.SndSSThresh), "tcpi_snd_cwnd": int64(i.SndCwnd), "tcpi_rcv_ssthresh": int64(i.RcvSSThresh),
		"tcpi_rcv_space": int64(i.RcvSpace), "tcpi_snd_wnd": int64(i.SndWnd), "tcpi_rcv_wnd": int64(i.RcvWnd),
		"tcpi_unacked": int64(i.Unacked), "tcpi_sacked": int64(i.Sacked), "tcpi_lost": int64(i.Lost), "tcpi_retrans": int64(i.Retrans),
		"tcpi_reordering": int64(i.Reordering), "tcpi_total_retrans": int64(i.TotalRetrans),
		"tcpi_bytes_sent": int64(i.BytesSent), "tcpi_bytes_retrans": int64(i.BytesRetrans),
		"tcpi_bytes_acked": int64(i.BytesAcked), "tcpi_bytes_received": int64(i.BytesReceived),
		"tcpi_segs_out": int64(i.SegsOut), "tcpi_segs_in": int64(i.SegsIn),
		"tcpi_data_segs_out": int64(i.DataSegsOut), "tcpi_data_segs_in": int64(i.DataSegsIn),
		"tcpi_dsack_dups": int64(i.DSACKDups), "tcpi_reord_seen": int64(i.ReordSeen), "tcpi_notsent_bytes": int64(i.NotSentBytes),
		"tcpi_max_pacing_rate": int64(i.MaxPacingRate), "tcpi_rcv_ooopack": int64(i.RcvOOOPack),
		"tcpi_busy_time": us(i.BusyTime), "tcpi_rwnd_limited": us(i.RwndLimited), "tcpi_sndbuf_limited": us(i.SndbufLimited),
		"tcpi_total_rto": int64(i.TotalRTO), "tcpi_total_rto_recoveries": int64(i.TotalRTORecoveries), "tcpi_total_rto_time": ms(i.TotalRTOTime),
		"tcpi_delivered_ce": int64(i.DeliveredCE), "tcpi_received_ce": int64(i.ReceivedCE),
		"tcpi_delivered_e0_bytes": int64(i.DeliveredE0Bytes), "tcpi_delivered_e1_bytes": int64(i.DeliveredE1Bytes),
		"tcpi_delivered_ce_bytes": int64(i.DeliveredCEBytes), "tcpi_received_e0_bytes": int64(i.ReceivedE0Bytes),
		"tcpi_received_e1_bytes": int64(i.ReceivedE1Bytes), "tcpi_received_ce_bytes": int64(i.ReceivedCEBytes),
		"tcpi_delivery_rate": int64(i.DeliveryRate), "tcpi_pacing_rate": int64(i.PacingRate),
		"tcpi_last_data_sent": ms(i.LastDataSent), "tcpi_last_data_recv": ms(i.LastDataRecv), "tcpi_last_ack_recv": ms(i.LastAckRecv),
	}
	for name, o := range map[string]socket.Option[int]{"SK_MEMINFO_RCVBUF": socket.SO_RCVBUF, "SK_MEMINFO_SNDBUF": socket.SO_SNDBUF} {
		if n, err := socket.Get(s, o); err == nil {
			vars[name] = int64(n)
		}
	}
	if cc, err := socket.Get(s, socket.TCP_CC_INFO); err == nil {
		maps.Copy(vars, congestionFields(&cc))
	}
	return vars
}
