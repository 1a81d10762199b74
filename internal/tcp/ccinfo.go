package tcp

import "example.com/berth/socket"

// A teller is a congestion control that has something to tell of itself.
type teller interface{ Info() socket.TCPCCInfo }

// CongestionInfo returns TCP_CC_INFO.
func (c *Conn) CongestionInfo() socket.TCPCCInfo {
	if t, ok := c.cc.(teller); ok {
		return t.Info()
	}
	return socket.TCPCCInfo{}
}

// Info tells of the model of the path.
func (b *BBR) Info() socket.TCPCCInfo {
	return socket.TCPCCInfo{Bandwidth: uint64(b.bw), MinRTT: b.minRTT, PacingGain: b.pacingGain, CwndGain: b.cwndGain}
}

// Info tells of the estimate of marks.
func (d *DCTCP) Info() socket.TCPCCInfo {
	return socket.TCPCCInfo{Alpha: d.alpha, Delivered: uint32(d.delivered), Marked: uint32(d.marked)}
}
