package script

import (
	"math"
	"net/netip"

	"example.com/berth/socket"
	"example.com/berth/tcpauth"
)

// structValue is the value of an option that is a struct of Linux's: tcp_md5sig,
// tcp_ao_add, tcp_ao_del, tcp_ao_info_opt. Lengths of keys are those of the keys.
func (r *run) structValue(id socket.OptionID, e *expr) (v any, err *Error) {
	s := structReader{r: r, e: e}
	switch id {
	case socket.TCP_MD5SIG.ID, socket.TCP_MD5SIG_EXT.ID:
		v = socket.TCPMD5Sig{Peer: s.peer("tcpm_addr", "tcpm_prefixlen"), Key: s.bytes("tcpm_key"), Algorithm: tcpauth.MD5}
	case socket.TCP_AO_ADD_KEY.ID:
		v = socket.TCPAOKey{
			Peer: s.peer("addr", "prefix"), SendID: s.octet("sndid"), RecvID: s.octet("rcvid"), Secret: s.bytes("key"),
			Algorithm: s.algorithm("alg_name"), MACLen: int(s.octet("maclen")), ExcludeOptions: s.octet("keyflags")&2 != 0,
			Current: s.octet("set_current") != 0, RNext: s.octet("set_rnext") != 0,
		}
	case socket.TCP_AO_DEL_KEY.ID:
		v = socket.TCPAODelKey{
			Peer: s.peer("addr", "prefix"), SendID: s.octet("sndid"), RecvID: s.octet("rcvid"),
			SetCurrent: s.octet("set_current") != 0, SetRNext: s.octet("set_rnext") != 0,
			CurrentID: s.octet("current_key"), RNextID: s.octet("rnext"),
		}
	case socket.TCP_AO_INFO.ID:
		v = socket.TCPAOInfo{
			SetCurrent: s.octet("set_current") != 0, SetRNext: s.octet("set_rnext") != 0,
			CurrentID: s.octet("current_key"), RNextID: s.octet("rnext"),
			Required: s.octet("ao_required") != 0, AcceptICMP: s.octet("accept_icmps") != 0,
		}
	default:
		return nil, unsupported(e.pos, "the option's value %v", e)
	}
	return v, s.err
}

// A structReader reads the fields of a struct; one that is not there is zero. The
// first mistake is kept.
type structReader struct {
	r   *run
	e   *expr
	err *Error
}

func (s *structReader) octet(name string) uint8 {
	f := s.e.field(name)
	if f == nil || s.err != nil {
		return 0
	}
	n, err := s.r.int(f)
	if err == nil && (n < 0 || n > math.MaxUint8) {
		err = errorf(f.pos, "%s is from 0 to 255, not %d", name, n)
	}
	s.err = err
	return uint8(n)
}

func (s *structReader) bytes(name string) []byte {
	f := s.e.field(name)
	switch {
	case f == nil || s.err != nil:
		return nil
	case f.kind != exprText:
		s.err = errorf(f.pos, "%s is a text, not %v", name, f)
	}
	return []byte(f.text)
}

// peer is the address that a key is for, ... for that of the script's peer, and the
// length of its prefix.
func (s *structReader) peer(addr, prefix string) (p netip.Prefix) {
	ip := s.r.setup.remote
	if s.r.setup.domain == socket.INET6 && ip.Is4() {
		ip = netip.AddrFrom16(ip.As16())
	}
	if f := s.e.field(addr); f != nil && s.err == nil {
		var a netip.AddrPort
		a, s.err = s.r.sockaddr(f, netip.AddrPortFrom(ip, 0))
		ip = a.Addr()
	}
	bits := ip.BitLen()
	if s.e.field(prefix) != nil {
		bits = int(s.octet(prefix))
	}
	return netip.PrefixFrom(ip, bits)
}

func (s *structReader) algorithm(name string) socket.TCPAlgorithm {
	f := s.e.field(name)
	if f == nil || s.err != nil {
		return tcpauth.HMACSHA1
	}
	for _, a := range algorithms {
		if a.Name() == f.text {
			return a
		}
	}
	s.err = unsupported(f.pos, "the algorithm %v", f)
	return nil
}

// structFields are the fields of a value with the names and the units of Linux's
// structs; nil if it is none.
func structFields(v any) map[string]int64 {
	flag := func(b bool) int64 {
		if b {
			return 1
		}
		return 0
	}
	switch v := v.(type) {
	case socket.TCPCCInfo:
		return congestionFields(&v)
	case socket.TCPAOInfo:
		return map[string]int64{
			"set_current": flag(v.HasCurrent), "set_rnext": flag(v.HasRNext),
			"current_key": int64(v.CurrentID), "rnext": int64(v.RNextID),
			"ao_required": flag(v.Required), "accept_icmps": flag(v.AcceptICMP),
			"pkt_good": int64(v.Good), "pkt_bad": int64(v.Bad), "pkt_key_not_found": int64(v.KeyNotFound),
			"pkt_ao_required": int64(v.Missing), "pkt_dropped_icmp": int64(v.DroppedICMP),
		}
	}
	return nil
}

// congestionFields are the fields of union tcp_cc_info: gains in 256ths, DCTCP's
// alpha in 1024ths, times in microseconds.
func congestionFields(v *socket.TCPCCInfo) map[string]int64 {
	return map[string]int64{
		"bbr_bw_lo": int64(uint32(v.Bandwidth)), "bbr_bw_hi": int64(v.Bandwidth >> 32), "bbr_min_rtt": v.MinRTT.Microseconds(),
		"bbr_pacing_gain": int64(v.PacingGain * 256), "bbr_cwnd_gain": int64(v.CwndGain * 256),
		"dctcp_alpha": int64(v.Alpha * 1024), "dctcp_ab_tot": int64(v.Delivered), "dctcp_ab_ecn": int64(v.Marked),
	}
}
