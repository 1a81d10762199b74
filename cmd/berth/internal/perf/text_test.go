package perf

import (
	"bytes"
	"net"
	"strings"
	"testing"
	"time"
)

func tcpAddr(s string) net.Addr {
	a, err := net.ResolveTCPAddr("tcp", s)
	if err != nil {
		panic(err)
	}
	return a
}

func TestText(t *testing.T) {
	start := &Start{
		Params: Params{Direction: Both, Streams: 1}, Client: true, Peer: tcpAddr("10.0.0.1:50201"),
		Streams: []Ends{
			{1, true, tcpAddr("10.0.0.2:4000"), tcpAddr("10.0.0.1:50201")},
			{2, false, tcpAddr("10.0.0.2:4001"), tcpAddr("10.0.0.1:50201")},
		},
	}
	rows := []Row{
		{Stream: 1, Sends: true, To: time.Second, Bytes: 2 << 30, TCP: TCPState{Known: true, Retransmits: 3, Window: 639 << 10}},
		{Stream: 2, To: time.Second, Bytes: 1000},
	}
	end := &End{Streams: []EndOf{
		{1, true, Total{Bytes: 2 << 30, Seconds: 1, Retransmits: 3}, Total{Bytes: 2 << 30, Seconds: 1.01}},
		{2, false, Total{Bytes: 1000, Seconds: 1, Retransmits: -1}, Total{Bytes: 1000, Seconds: 1}},
	}}
	want := `
Connected to 10.0.0.1:50201
[  1][TX-C] local 10.0.0.2 port 4000 connected to 10.0.0.1 port 50201
[  2][RX-C] local 10.0.0.2 port 4001 connected to 10.0.0.1 port 50201
[ ID][Role] Interval           Transfer     Bitrate         Retr  Cwnd
[  1][TX-C]   0.00-1.00   sec  2.00 GBytes  17.2 Gbits/sec    3    639 KBytes
[  2][RX-C]   0.00-1.00   sec  1000 Bytes   8.00 Kbits/sec
- - - - - - - - - - - - - - - - - - - - - - - - -
[ ID][Role] Interval           Transfer     Bitrate         Retr
[  1][TX-C]   0.00-1.00   sec  2.00 GBytes  17.2 Gbits/sec    3  sender
[  1][TX-C]   0.00-1.01   sec  2.00 GBytes  17.0 Gbits/sec       receiver
[  2][RX-C]   0.00-1.00   sec  1000 Bytes   8.00 Kbits/sec       sender
[  2][RX-C]   0.00-1.00   sec  1000 Bytes   8.00 Kbits/sec       receiver
`
	compare(t, want, start, rows, end)
}

func TestTextOfDatagrams(t *testing.T) {
	start := &Start{
		Params: Params{UDP: true, Direction: Reverse, Streams: 1}, Client: true, Peer: tcpAddr("10.0.0.1:50201"),
		Streams: []Ends{{1, false, tcpAddr("10.0.0.2:4000"), tcpAddr("10.0.0.1:50201")}},
	}
	rows := []Row{{Stream: 1, To: time.Second, Bytes: 125_000, Datagrams: 200, Lost: 3, Jitter: 0.0000123}}
	end := &End{Streams: []EndOf{{
		1, false,
		Total{Bytes: 127_000, Seconds: 1, Datagrams: 200},
		Total{Bytes: 125_000, Seconds: 1, Datagrams: 200, Lost: 3, Jitter: 0.0000123},
	}}}
	want := `
Connected to 10.0.0.1:50201
Reverse: the server sends
[  1] local 10.0.0.2 port 4000 connected to 10.0.0.1 port 50201
[ ID] Interval           Transfer     Bitrate         Jitter    Lost/Total Datagrams
[  1]   0.00-1.00   sec   122 KBytes  1.00 Mbits/sec  0.012 ms  3/200 (1.5%)
- - - - - - - - - - - - - - - - - - - - - - - - -
[ ID] Interval           Transfer     Bitrate         Jitter    Lost/Total Datagrams
[  1]   0.00-1.00   sec   124 KBytes  1.02 Mbits/sec  0.000 ms  0/200 (0%)  sender
[  1]   0.00-1.00   sec   122 KBytes  1.00 Mbits/sec  0.012 ms  3/200 (1.5%)  receiver
`
	compare(t, want, start, rows, end)
}

func compare(t *testing.T, want string, start *Start, rows []Row, end *End) {
	t.Helper()
	var out bytes.Buffer
	p := &Text{Out: &out}
	for _, err := range []error{p.Begin(start), p.Interval(rows), p.End(end)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if got := "\n" + out.String(); got != want {
		t.Errorf("it is%s\nwant%s", got, want)
	}
	if strings.Contains(out.String(), " \n") {
		t.Error("a line ends in a space")
	}
}
