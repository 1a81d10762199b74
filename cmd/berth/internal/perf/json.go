package perf

import (
	"encoding/json"
	"io"
	"slices"
	"strconv"
)

// JSON is a Printer that writes one object at the end, with the fields of
// iperf3's.
type JSON struct {
	Out io.Writer

	start     jsonStart
	udp       bool
	client    bool
	intervals []jsonInterval
}

type jsonStart struct {
	Version   string          `json:"version"`
	Connected []jsonConnected `json:"connected"`
	TestStart jsonTest        `json:"test_start"`
}

type jsonConnected struct {
	Socket     int    `json:"socket"`
	LocalHost  string `json:"local_host"`
	LocalPort  int    `json:"local_port"`
	RemoteHost string `json:"remote_host"`
	RemotePort int    `json:"remote_port"`
}

type jsonTest struct {
	Protocol string  `json:"protocol"`
	Streams  int     `json:"num_streams"`
	Length   int     `json:"blksize"`
	Duration float64 `json:"duration"`
	Bytes    int64   `json:"bytes"`
	Reverse  int     `json:"reverse"`
	Both     int     `json:"bidir"`
	Rate     int64   `json:"target_bitrate"`
}

// jsonRow is a stream or a sum over a time.
type jsonRow struct {
	Socket        int      `json:"socket,omitempty"`
	Start         float64  `json:"start"`
	End           float64  `json:"end"`
	Seconds       float64  `json:"seconds"`
	Bytes         int64    `json:"bytes"`
	BitsPerSecond float64  `json:"bits_per_second"`
	Retransmits   *int64   `json:"retransmits,omitempty"`
	Window        int64    `json:"snd_cwnd,omitempty"`
	RTT           int64    `json:"rtt,omitempty"` // microseconds
	Packets       *int64   `json:"packets,omitempty"`
	Jitter        *float64 `json:"jitter_ms,omitempty"`
	Lost          *int64   `json:"lost_packets,omitempty"`
	LostPercent   *float64 `json:"lost_percent,omitempty"`
	OutOfOrder    *int64   `json:"out_of_order,omitempty"`
	Sender        bool     `json:"sender"`
}

type jsonInterval struct {
	Streams []jsonRow `json:"streams"`
	Sum     *jsonRow  `json:"sum"`
	SumBack *jsonRow  `json:"sum_bidir_reverse,omitempty"` // what the client receives
}

type jsonEnd struct {
	Streams []jsonEnds `json:"streams"`
	// The sums of what the client sent, and of what it received.
	Sent         *jsonRow `json:"sum_sent,omitempty"`
	Received     *jsonRow `json:"sum_received,omitempty"`
	SentBack     *jsonRow `json:"sum_sent_bidir_reverse,omitempty"`
	ReceivedBack *jsonRow `json:"sum_received_bidir_reverse,omitempty"`
}

type jsonEnds struct {
	Sender   jsonRow `json:"sender"`
	Receiver jsonRow `json:"receiver"`
}

// Begin keeps what is known.
func (j *JSON) Begin(s *Start) error {
	p := &s.Params
	j.udp, j.client = p.UDP, s.Client
	j.start = jsonStart{
		Version: "berth-perf/" + strconv.Itoa(Version),
		TestStart: jsonTest{
			Protocol: "TCP", Streams: p.Streams, Length: p.Length, Bytes: p.Bytes, Rate: p.Rate,
			Reverse: one(p.Direction == Reverse), Both: one(p.Direction == Both),
		},
	}
	if p.Bytes == 0 {
		j.start.TestStart.Duration = p.Time.Seconds()
	}
	if p.UDP {
		j.start.TestStart.Protocol = "UDP"
	}
	for _, e := range s.Streams {
		c := jsonConnected{Socket: e.Stream}
		var port string
		c.LocalHost, port = hostPort(e.Local)
		c.LocalPort, _ = strconv.Atoi(port)
		c.RemoteHost, port = hostPort(e.Remote)
		c.RemotePort, _ = strconv.Atoi(port)
		j.start.Connected = append(j.start.Connected, c)
	}
	return nil
}

func one(b bool) int {
	if b {
		return 1
	}
	return 0
}

// Interval keeps the rows.
func (j *JSON) Interval(rows []Row) error {
	var i jsonInterval
	streams := slices.DeleteFunc(slices.Clone(rows), func(r Row) bool { return r.Stream == 0 })
	for _, r := range streams {
		i.Streams = append(i.Streams, *j.row(r))
	}
	for _, r := range sums(streams) {
		if i.Sum == nil || r.Sends == j.client {
			i.Sum, i.SumBack = j.row(r), i.Sum
		} else {
			i.SumBack = j.row(r)
		}
	}
	j.intervals = append(j.intervals, i)
	return nil
}

func (j *JSON) row(r Row) *jsonRow {
	x := &jsonRow{
		Socket: r.Stream, Start: r.From.Seconds(), End: r.To.Seconds(), Seconds: (r.To - r.From).Seconds(),
		Bytes: r.Bytes, BitsPerSecond: r.BitsPerSecond(), Sender: r.Sends,
	}
	if r.TCP.Known {
		x.Retransmits, x.Window, x.RTT = &r.TCP.Retransmits, r.TCP.Window, r.TCP.RTT.Microseconds()
	}
	if j.udp {
		x.datagrams(r.Datagrams, r.Lost, r.OutOfOrder, r.Jitter, !r.Sends)
	}
	return x
}

// datagrams adds what there is to say of datagrams.
func (x *jsonRow) datagrams(n, lost, outOfOrder int64, jitter float64, received bool) {
	x.Packets = &n
	if received {
		milliseconds, percent := 1000*jitter, lostPercent(lost, n)
		x.Jitter, x.Lost, x.LostPercent, x.OutOfOrder = &milliseconds, &lost, &percent, &outOfOrder
	}
}

// End writes it all.
func (j *JSON) End(e *End) error {
	end := jsonEnd{}
	for _, s := range e.Streams {
		end.Streams = append(end.Streams, jsonEnds{*j.total(&s.Sent, s.Stream, true), *j.total(&s.Received, s.Stream, false)})
	}
	forward, back := e.Forward, e.Back
	if forward == nil {
		forward, back = back, nil
	}
	end.Sent, end.Received = j.total(&forward.Sent, 0, true), j.total(&forward.Received, 0, false)
	if back != nil {
		end.SentBack, end.ReceivedBack = j.total(&back.Sent, 0, true), j.total(&back.Received, 0, false)
	}
	enc := json.NewEncoder(j.Out)
	enc.SetIndent("", "  ")
	return enc.Encode(struct {
		Start     jsonStart      `json:"start"`
		Intervals []jsonInterval `json:"intervals"`
		End       jsonEnd        `json:"end"`
	}{j.start, append([]jsonInterval{}, j.intervals...), end})
}

func (j *JSON) total(t *Total, stream int, sender bool) *jsonRow {
	x := &jsonRow{
		Socket: stream, End: t.Seconds, Seconds: t.Seconds, Bytes: t.Bytes,
		BitsPerSecond: t.BitsPerSecond(), Sender: sender,
	}
	if sender && !j.udp && t.Retransmits >= 0 {
		x.Retransmits = &t.Retransmits
	}
	if j.udp {
		x.datagrams(t.Datagrams, t.Lost, t.OutOfOrder, t.Jitter, !sender)
	}
	return x
}
