package demo

import (
	"time"

	"example.com/berth/internal/ladder"
)

// Report is a Result for a program to read.
type Report struct {
	OK        bool          `json:"ok"`
	Seed      uint64        `json:"seed"`
	Loss      float64       `json:"loss"`
	DelayMS   float64       `json:"delay_ms"`
	ElapsedMS float64       `json:"elapsed_ms"`
	Scenes    []SceneReport `json:"scenes"`
	Hosts     [2]Host       `json:"hosts"`
	Wire      [2]Direction  `json:"wire"`
}

// SceneReport is a Scene for a program to read.
type SceneReport struct {
	Name  string `json:"name"`
	Title string `json:"title"`
	OK    bool   `json:"ok"`
	Note  string `json:"note,omitempty"`
	Error string `json:"error,omitempty"`
	// Events are those of the diagram: of the download an excerpt.
	Events []EventReport `json:"events"`
}

// EventReport is a call, a packet, or a run of packets that is left out.
type EventReport struct {
	MS      float64       `json:"ms"`
	Host    string        `json:"host,omitempty"`
	Call    string        `json:"call,omitempty"`
	Socket  string        `json:"socket,omitempty"` // five-tuple and state after the call
	Packet  *PacketReport `json:"packet,omitempty"`
	LeftOut string        `json:"left_out,omitempty"`
}

// PacketReport is a packet; sequence numbers are relative.
type PacketReport struct {
	Label    string `json:"label"`
	Src      string `json:"src"`
	Dst      string `json:"dst"`
	Protocol uint8  `json:"protocol"`
	Flags    string `json:"flags,omitempty"`
	Seq      uint32 `json:"seq,omitempty"`
	Ack      uint32 `json:"ack,omitempty"`
	Len      int    `json:"len"`
	Lost     bool   `json:"lost,omitempty"`
	Resent   bool   `json:"resent,omitempty"`
}

// JSON makes the report of a result.
func JSON(r *Result) *Report {
	report := &Report{
		OK: r.OK(), Seed: r.Config.Seed, Loss: r.Config.Loss,
		DelayMS: millis(r.Config.Delay), ElapsedMS: millis(r.Elapsed), Hosts: r.Hosts, Wire: r.Wire,
	}
	for _, s := range r.Scenes {
		sr := SceneReport{Name: s.Name, Title: s.Title, OK: s.Err == nil, Note: s.Note}
		if s.Err != nil {
			sr.Error = s.Err.Error()
		}
		for _, e := range s.shown() {
			sr.Events = append(sr.Events, eventReport(e, s.Start))
		}
		report.Scenes = append(report.Scenes, sr)
	}
	return report
}

func eventReport(e ladder.Event, start time.Duration) EventReport {
	r := EventReport{MS: millis(e.At - start), LeftOut: e.LeftOut}
	switch {
	case e.Call != nil:
		r.Host, r.Call, r.Socket = names[e.Call.Side], e.Call.Text, e.Call.Detail
	case e.Packet != nil:
		p := e.Packet
		r.Host = names[p.From]
		r.Packet = &PacketReport{
			Label: p.Label(), Src: p.Src.String(), Dst: p.Dst.String(), Protocol: p.Protocol,
			Seq: p.Seq, Ack: p.Ack, Len: p.Len, Lost: p.Lost != "", Resent: p.Resent,
		}
		if p.TCP.Flags != 0 {
			r.Packet.Flags = p.TCP.Flags.String()
		}
	}
	return r
}

func millis(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
