package sockets

import (
	"example.com/berth"
	"example.com/berth/socket"
)

// OfHost makes the table of a berth host.
func OfHost(infos []berth.SocketInfo) []Row {
	rows := make([]Row, 0, len(infos))
	for i := range infos {
		rows = append(rows, ofHost(&infos[i]))
	}
	return rows
}

func ofHost(s *berth.SocketInfo) Row {
	r := Row{
		Netid: netid(s.Type, s.Protocol), Family: 4, State: stateName(s.State),
		RecvQ: s.RecvQueue, SendQ: s.SendQueue,
		Local: s.Local, Peer: s.Remote, Protocol: int(s.Protocol),
		Interface: s.Interface, Orphan: s.Orphan, Memory: s.Memory,
	}
	if s.Domain == socket.INET6 {
		r.Family = 6
	}
	if s.Timer > 0 {
		r.Timer = &Timer{Kind: "on", Milliseconds: s.Timer.Milliseconds()}
		if s.State == socket.TCP_TIME_WAIT {
			r.Timer.Kind = "timewait"
		}
	}
	if s.TCP != nil {
		r.TCP = fromInfo(s.TCP)
		if r.Timer != nil {
			r.Timer.Retries = int(s.TCP.Retransmits)
		}
	}
	return r
}

func netid(typ socket.Type, protocol socket.Protocol) string {
	switch {
	case typ == socket.STREAM:
		return "tcp"
	case typ == socket.RAW:
		return "raw"
	case protocol == socket.IPPROTO_ICMP:
		return "icmp"
	case protocol == socket.IPPROTO_ICMPV6:
		return "icmp6"
	}
	return "udp"
}
