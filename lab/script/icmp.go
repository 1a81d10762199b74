package script

import (
	"strconv"

	"example.com/berth/internal/header"
	"example.com/berth/internal/seqnum"
)

// icmpName is the type and the code of a message in the words of a script.
type icmpName struct{ kind, code string }

var icmp4 = map[icmpName][2]uint8{
	{"echo_reply", ""}:                          {header.ICMPv4EchoReply, 0},
	{"echo_request", ""}:                        {header.ICMPv4EchoRequest, 0},
	{"source_quench", ""}:                       {header.ICMPv4SourceQuench, 0},
	{"time_exceeded", "exceed_hop_limit"}:       {header.ICMPv4TimeExceeded, 0},
	{"time_exceeded", "exceed_frag_time"}:       {header.ICMPv4TimeExceeded, 1},
	{"time_exceeded", "exceeded_ttl"}:           {header.ICMPv4TimeExceeded, 0},
	{"time_exceeded", ""}:                       {header.ICMPv4TimeExceeded, 0},
	{"parameter_problem", ""}:                   {header.ICMPv4ParameterProblem, 0},
	{"unreachable", ""}:                         {header.ICMPv4Unreachable, 0},
	{"unreachable", "net_unreachable"}:          {header.ICMPv4Unreachable, 0},
	{"unreachable", "host_unreachable"}:         {header.ICMPv4Unreachable, 1},
	{"unreachable", "protocol_unreachable"}:     {header.ICMPv4Unreachable, 2},
	{"unreachable", "port_unreachable"}:         {header.ICMPv4Unreachable, 3},
	{"unreachable", "frag_needed"}:              {header.ICMPv4Unreachable, 4},
	{"unreachable", "source_route_failed"}:      {header.ICMPv4Unreachable, 5},
	{"unreachable", "net_unknown"}:              {header.ICMPv4Unreachable, 6},
	{"unreachable", "host_unknown"}:             {header.ICMPv4Unreachable, 7},
	{"unreachable", "source_host_isolated"}:     {header.ICMPv4Unreachable, 8},
	{"unreachable", "net_prohibited"}:           {header.ICMPv4Unreachable, 9},
	{"unreachable", "host_prohibited"}:          {header.ICMPv4Unreachable, 10},
	{"redirect", ""}:                            {header.ICMPv4Redirect, 1},
	{"timestamp_request", ""}:                   {13, 0},
	{"timestamp_reply", ""}:                     {14, 0},
	{"information_request", ""}:                 {15, 0},
	{"information_reply", ""}:                   {16, 0},
	{"address_mask_request", ""}:                {17, 0},
	{"address_mask_reply", ""}:                  {18, 0},
	{"unreachable", "net_unreachable_for_tos"}:  {header.ICMPv4Unreachable, 11},
	{"unreachable", "host_unreachable_for_tos"}: {header.ICMPv4Unreachable, 12},
	{"unreachable", "net_tos"}:                  {header.ICMPv4Unreachable, 11},
	{"unreachable", "host_tos"}:                 {header.ICMPv4Unreachable, 12},
	{"unreachable", "packet_filtered"}:          {header.ICMPv4Unreachable, 13},
	{"unreachable", "precedence_violation"}:     {header.ICMPv4Unreachable, 14},
	{"unreachable", "precedence_cutoff"}:        {header.ICMPv4Unreachable, 15},
}

// icmp6 has, beside its own, those of ICMP for IPv4 that mean the same, so that a
// script runs with both.
var icmp6 = map[icmpName][2]uint8{
	{"echo_request", ""}:                    {header.ICMPv6EchoRequest, 0},
	{"echo_reply", ""}:                      {header.ICMPv6EchoReply, 0},
	{"packet_too_big", ""}:                  {header.ICMPv6PacketTooBig, 0},
	{"unreachable", "frag_needed"}:          {header.ICMPv6PacketTooBig, 0},
	{"time_exceeded", "exceed_hop_limit"}:   {header.ICMPv6TimeExceeded, 0},
	{"time_exceeded", "exceed_frag_time"}:   {header.ICMPv6TimeExceeded, 1},
	{"time_exceeded", ""}:                   {header.ICMPv6TimeExceeded, 0},
	{"parameter_problem", ""}:               {header.ICMPv6ParameterProblem, 0},
	{"parameter_problem", "next_header"}:    {header.ICMPv6ParameterProblem, header.ProblemNextHeader},
	{"unreachable", "protocol_unreachable"}: {header.ICMPv6ParameterProblem, header.ProblemNextHeader},
	{"unreachable", ""}:                     {header.ICMPv6Unreachable, 0},
	{"unreachable", "no_route"}:             {header.ICMPv6Unreachable, 0},
	{"unreachable", "net_unreachable"}:      {header.ICMPv6Unreachable, 0},
	{"unreachable", "admin_prohibited"}:     {header.ICMPv6Unreachable, 1},
	{"unreachable", "host_prohibited"}:      {header.ICMPv6Unreachable, 1},
	{"unreachable", "packet_filtered"}:      {header.ICMPv6Unreachable, 1},
	{"unreachable", "not_neighbour"}:        {header.ICMPv6Unreachable, 2},
	{"unreachable", "address_unreachable"}:  {header.ICMPv6Unreachable, 3},
	{"unreachable", "host_unreachable"}:     {header.ICMPv6Unreachable, 3},
	{"unreachable", "port_unreachable"}:     {header.ICMPv6Unreachable, 4},
}

// icmpCode finds the type and the code of a message.
func (r *run) icmpCode(k *packet) (code [2]uint8, err *Error) {
	table := icmp4
	if r.setup.remote.Is6() {
		table = icmp6
	}
	code, ok := table[icmpName{k.icmp.kind, k.icmp.code}]
	if ok {
		return code, nil
	}
	typ, err1 := strconv.ParseUint(trimType(k.icmp.kind), 10, 8)
	num, err2 := strconv.ParseUint(trimType(k.icmp.code), 10, 8)
	for _, code := range []string{"", "net_unreachable"} { // a type by its name, a code by its number
		if numbers, ok := table[icmpName{k.icmp.kind, code}]; err1 != nil && ok {
			typ, err1 = uint64(numbers[0]), nil
		}
	}
	if err1 == nil && err2 == nil {
		return [2]uint8{uint8(typ), uint8(num)}, nil
	}
	return code, unsupported(k.pos, "the ICMP message %q %q with %v", k.icmp.kind, k.icmp.code, r.setup.variant)
}

// trimType takes type_3 and code_1 for 3 and 1.
func trimType(s string) string {
	for _, p := range []string{"type_", "code_"} {
		if len(s) > len(p) && s[:len(p)] == p {
			return s[len(p):]
		}
	}
	return s
}

// icmpIn encodes an ICMP message to the host.
func (r *run) icmpIn(k *packet) ([]byte, *Error) {
	code, err := r.icmpCode(k)
	if err != nil {
		return nil, err
	}
	h := header.ICMP{Type: code[0], Code: code[1]}
	var body []byte
	src, dst := r.setup.remote, r.setup.local
	switch {
	case k.icmp.kind == "echo_request" || k.icmp.kind == "echo_reply":
		h.SetID(uint16(k.icmp.id))
	case len(r.flows) == 0:
		return nil, errorf(k.pos, "there is no connection that an ICMP error could be about")
	default:
		f := r.flows[len(r.flows)-1]
		src, dst = f.remote.Addr(), f.local.Addr()
		body = r.quote(k, f)
		if k.icmp.mtu >= 0 && dst.Is4() {
			h.SetMTU4(uint16(k.icmp.mtu))
		} else if k.icmp.mtu >= 0 {
			h.SetMTU(uint32(k.icmp.mtu))
		}
	}
	b := append(h.Append(nil), body...)
	ttl := max(k.ip.ttl, 1)
	if k.ip.ttl == 0 {
		ttl = 64
	}
	if dst.Is4() {
		header.PutICMPv4Checksum(b)
		return packIP(src, dst, header.ProtocolICMP, k.ip.tos, ttl, 0, b), nil
	}
	header.PutICMPv6Checksum(b, src, dst)
	return packIP(src, dst, header.ProtocolICMPv6, k.ip.tos, ttl, k.ip.label, b), nil
}

// quote makes the beginning of the packet that an ICMP error is about: one that
// the host has sent, or could have.
func (r *run) quote(k *packet, f *flow) []byte {
	const quotedLen = 8 // RFC 792: the header and 64 bits
	e := k.echoed
	var b []byte
	protocol := e.protocol
	switch {
	case protocol == header.ProtocolUDP:
		b = r.datagram(e.payload, f.local, f.remote)
	case !k.hasEchoed || protocol == header.ProtocolTCP:
		protocol = header.ProtocolTCP
		h := header.TCP{
			SrcPort: f.local.Port(), DstPort: f.remote.Port(), Flags: header.ACK,
			Seq: seqnum.Value(f.hostNumber(e.seq, false)),
		}
		b = append(h.Append(nil), make([]byte, e.payload)...)
	default:
		protocol, b = 255, make([]byte, e.payload)
	}
	p := packIP(f.local.Addr(), f.remote.Addr(), protocol, 0, 63, 0, b)
	return p[:len(p)-len(b)+min(len(b), quotedLen)]
}
