package sockets

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"

	"example.com/berth/socket"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// Kernel makes the table of the kernel's sockets in the process's network
// namespace. With owners it finds out which processes have them open, as far as
// the caller may know that.
func Kernel(owners bool) ([]Row, error) {
	var rows []Row
	for _, read := range []func() ([]Row, error){rawSockets, udpSockets, tcpSockets} {
		more, err := read()
		if err != nil {
			return nil, err
		}
		rows = append(rows, more...)
	}
	if owners {
		addOwners(rows)
	}
	return rows, nil
}

// families are those that sockets are asked for by.
var families = []struct {
	number uint8
	family int
}{
	{unix.AF_INET, 4},
	{unix.AF_INET6, 6},
}

// dumps is how often a list is asked for that changes while it is read.
const dumps = 5

// dump asks again until a list was not interrupted; then it takes what there is.
func dump[T any](ask func() ([]T, error)) (list []T, err error) {
	for range dumps {
		list, err = ask()
		if !errors.Is(err, netlink.ErrDumpInterrupted) {
			return list, err
		}
	}
	return list, nil
}

func tcpSockets() ([]Row, error) {
	var rows []Row
	for _, f := range families {
		list, err := dump(func() ([]*netlink.InetDiagTCPInfoResp, error) { return netlink.SocketDiagTCPInfo(f.number) })
		if err != nil {
			return nil, fmt.Errorf("ask the kernel for its TCP sockets: %w", err)
		}
		for _, s := range list {
			r := diagRow("tcp", f.family, unix.IPPROTO_TCP, s.InetDiagMsg)
			if s.TCPInfo != nil && r.State != "TIME-WAIT" {
				r.TCP = fromKernel(s.TCPInfo)
			}
			rows = append(rows, r)
		}
	}
	return rows, nil
}

func udpSockets() ([]Row, error) {
	var rows []Row
	for _, f := range families {
		list, err := dump(func() ([]*netlink.InetDiagUDPInfoResp, error) { return netlink.SocketDiagUDPInfo(f.number) })
		if err != nil {
			return nil, fmt.Errorf("ask the kernel for its UDP sockets: %w", err)
		}
		for _, s := range list {
			r := diagRow("udp", f.family, unix.IPPROTO_UDP, s.InetDiagMsg)
			if s.Memory != nil {
				r.Memory = int(s.Memory.RMem + s.Memory.WMem)
			}
			rows = append(rows, r)
		}
	}
	return rows, nil
}

// timers are the names of idiag_timer.
var timers = map[uint8]string{1: "on", 2: "keepalive", 3: "timewait", 4: "persist"}

func diagRow(netid string, family, protocol int, s *netlink.Socket) Row {
	r := Row{
		Netid: netid, Family: family, Protocol: protocol,
		State: stateName(socket.TCPState(s.State)), RecvQ: int(s.RQueue), SendQ: int(s.WQueue),
		UID: int(s.UID), Inode: s.INode,
	}
	zone := ""
	if s.ID.Interface != 0 {
		if ifc, err := net.InterfaceByIndex(int(s.ID.Interface)); err == nil {
			zone = ifc.Name
		}
	}
	r.Local, r.Peer = diagAddr(s.ID.Source, family, s.ID.SourcePort), diagAddr(s.ID.Destination, family, s.ID.DestinationPort)
	if zone != "" {
		r.Interface = zone
	}
	if kind := timers[s.Timer]; kind != "" {
		r.Timer = &Timer{Kind: kind, Milliseconds: int64(s.Expires), Retries: int(s.Retrans)}
	}
	return r
}

func diagAddr(ip net.IP, family int, port uint16) netip.AddrPort {
	a, _ := netip.AddrFromSlice(ip)
	if family == 4 {
		a = a.Unmap()
	}
	return netip.AddrPortFrom(a, port)
}

// Bits of tcpi_options.
const (
	optTimestamps = 1 << iota
	optSACK
	optWindowScale
	optECN
)

func fromKernel(i *netlink.TCPInfo) *TCPInfo {
	return &TCPInfo{
		Timestamps: i.Options&optTimestamps != 0, SACK: i.Options&optSACK != 0, ECN: i.Options&optECN != 0,
		WindowScale: i.Options&optWindowScale != 0, SndWScale: i.Snd_wscale, RcvWScale: i.Rcv_wscale,
		RTO: int64(i.Rto), ATO: int64(i.Ato), RTT: int64(i.Rtt), RTTVar: int64(i.Rttvar), MinRTT: int64(i.Min_rtt),
		MSS: i.Snd_mss, PMTU: i.Pmtu, RcvMSS: i.Rcv_mss, AdvMSS: i.Advmss,
		Cwnd: i.Snd_cwnd, SSThresh: i.Snd_ssthresh, Backoff: i.Backoff, Retransmits: i.Retransmits,
		BytesSent: i.Bytes_sent, BytesRetrans: i.Bytes_retrans, BytesAcked: i.Bytes_acked, BytesReceived: i.Bytes_received,
		SegsOut: i.Segs_out, SegsIn: i.Segs_in, DataSegsOut: i.Data_segs_out, DataSegsIn: i.Data_segs_in,
		Unacked: i.Unacked, Sacked: i.Sacked, Lost: i.Lost, Retrans: i.Retrans, TotalRetrans: i.Total_retrans,
		DSACKDups: i.Dsack_dups, Reordering: i.Reordering, ReordSeen: i.Reord_seen, NotSent: i.Notsent_bytes,
		LastSnd: sinceStart(i.Last_data_sent), LastRcv: sinceStart(i.Last_data_recv), LastAck: sinceStart(i.Last_ack_recv),
		PacingRate: i.Pacing_rate, DeliveryRate: i.Delivery_rate,
		RcvRTT: int64(i.Rcv_rtt), RcvSpace: i.Rcv_space, RcvSSThresh: i.Rcv_ssthresh, SndWnd: i.Snd_wnd,
	}
}

// sinceStart leaves out times that count from before the machine was up: nothing
// has happened yet.
func sinceStart(ms uint32) int64 {
	if ms > uint32(24*24*time.Hour/time.Millisecond) {
		return 0
	}
	return int64(ms)
}
