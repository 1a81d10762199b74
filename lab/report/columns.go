package report

import (
	"encoding/base64"
	"encoding/json"
	"strconv"
	"time"
)

// Bounds of a page.
const (
	MaxPackets = 100_000
	MaxSamples = 400_000
	MaxNotes   = 20_000
	// MaxBytes is how much of the packets' bytes a page holds, shared evenly,
	// but for at least minBytes of each.
	MaxBytes = 8 << 20
	minBytes = 96
)

// document is what the page's programs are given. Names are short where there
// are many of them; the page says what they are (page/data.js).
type document struct {
	Title     string     `json:"title"`
	Seed      string     `json:"seed"` // a number larger than JavaScript's
	Repeat    string     `json:"repeat"`
	Failed    []string   `json:"failed"`
	Start     string     `json:"start"`
	Length    int64      `json:"length"`
	Truncated []string   `json:"truncated"`
	Nodes     []nodeData `json:"nodes"`
	Links     []linkData `json:"links"`
	Flows     []flowData `json:"flows"`
	Packets   packetData `json:"packets"`
	Samples   sampleData `json:"samples"`
	Notes     []noteData `json:"notes"`
	Tables    []Table    `json:"tables"`
}

type nodeData struct {
	Name     string   `json:"name"`
	Kind     string   `json:"kind"`
	Addrs    []string `json:"addrs"`
	Sent     int      `json:"sent"`
	Received int      `json:"received"`
}

type linkData struct {
	Name   string `json:"name"`
	A      int    `json:"a"`
	B      int    `json:"b"`
	AtoB   string `json:"ab"`
	BtoA   string `json:"ba"`
	Medium string `json:"medium"`
	// Each way: first what A sent.
	Packets [2]int `json:"packets"`
	Bytes   [2]int `json:"bytes"`
	Lost    [2]int `json:"lost"`
	Changed [2]int `json:"changed"`
}

type flowData struct {
	Name     string `json:"name"`
	Protocol string `json:"protocol"`
	Src      string `json:"src"`
	Dst      string `json:"dst"`
	Packets  [2]int `json:"packets"`
	Bytes    [2]int `json:"bytes"`
	Resent   [2]int `json:"resent"`
	Lost     [2]int `json:"lost"`
}

type noteData struct {
	At   int64  `json:"at"`
	Node int    `json:"node"`
	Kind string `json:"kind"`
	Text string `json:"text"`
}

// packetData has a column for each property of a packet. Times are nanoseconds.
type packetData struct {
	Count   int      `json:"count"`
	Gap     int      `json:"gap"`     // where packets were left out; Count if nowhere
	Link    []int    `json:"link"`    //
	Marks   []marks  `json:"marks"`   //
	Flow    []int    `json:"flow"`    //
	Sent    []int64  `json:"sent"`    // differences from the one before
	Took    []int64  `json:"took"`    // -1: did not arrive
	Len     []int    `json:"len"`     // of the frame
	Copies  sparse   `json:"copies"`  //
	Label   []string `json:"label"`   //
	Comment sparse   `json:"comment"` //
	Fields  []string `json:"fields"`  //
	// TCP's numbers, relative; 0 for other packets.
	Seq     []int64 `json:"seq"`
	Payload []int   `json:"payload"` // what a segment takes of sequence numbers
	Ack     []int64 `json:"ack"`
	Window  []int   `json:"window"`
	SACK    sparse  `json:"sack"`
	Dup     sparse  `json:"dup"`
	// Bytes of all packets in a row, and how many are each one's.
	Held  []int  `json:"held"`
	Bytes string `json:"bytes"`
}

// sparse is a column that few packets have something in.
type sparse map[string]any

func (s sparse) set(i int, v any) { s[strconv.Itoa(i)] = v }

// sampleData has a column for each property of a sample.
type sampleData struct {
	At       []int64  `json:"at"` // differences from the one before
	Flow     []int    `json:"flow"`
	Back     []int    `json:"back"` // 1: of the flow's second end
	Node     []int    `json:"node"`
	State    []int    `json:"state"` // an index of States
	States   []string `json:"states"`
	Cwnd     []int    `json:"cwnd"`
	SSThresh []int    `json:"ssthresh"`
	Flight   []int    `json:"flight"`
	SndWnd   []int    `json:"sndwnd"`
	RcvWnd   []int    `json:"rcvwnd"`
	SRTT     []int64  `json:"srtt"`
	RTO      []int64  `json:"rto"`
	Una      []int64  `json:"una"` // relative
	Nxt      []int64  `json:"nxt"`
}

// encode makes the JSON of a recording.
func encode(r *Recording) ([]byte, error) {
	d := document{
		Title: r.Title, Seed: strconv.FormatUint(r.Seed, 10), Repeat: r.Repeat, Failed: r.Failed,
		Length: int64(r.Length), Tables: r.Tables,
	}
	if !r.Start.IsZero() {
		d.Start = r.Start.Format(time.RFC3339Nano)
	}
	if r.Truncated != "" {
		d.Truncated = append(d.Truncated, r.Truncated)
	}
	d.topology(r)
	a := analyse(r)
	d.packets(r, a)
	d.flows(a)
	d.samples(r, a)
	d.notes(r)
	return json.Marshal(&d)
}

func (d *document) topology(r *Recording) {
	for _, n := range r.Nodes {
		d.Nodes = append(d.Nodes, nodeData{Name: n.Name, Kind: n.Kind, Addrs: n.Addrs})
	}
	for _, l := range r.Links {
		d.Links = append(d.Links, linkData{Name: l.Name, A: l.A, B: l.B, AtoB: l.AtoB, BtoA: l.BtoA, Medium: l.Medium.String()})
	}
	for i := range r.Packets {
		p := &r.Packets[i]
		from, to, ok := r.ends(p)
		if !ok {
			continue
		}
		l, way := &d.Links[p.Link], side(!p.FromA)
		l.Packets[way]++
		l.Bytes[way] += p.Len
		d.Nodes[from].Sent++
		switch {
		case p.Dropped:
			l.Lost[way]++
		case p.arrived():
			d.Nodes[to].Received++
		}
		if !p.Dropped && p.Comment != "" {
			l.Changed[way]++
		}
	}
}

func (d *document) flows(a *analysis) {
	for _, f := range a.flows.all {
		d.Flows = append(d.Flows, flowData{
			Name: f.name(), Protocol: f.protocol, Src: endpoint(f.src), Dst: endpoint(f.dst),
			Packets: f.packets, Bytes: f.bytes, Resent: f.resent, Lost: f.lost,
		})
	}
}

func (d *document) packets(r *Recording, a *analysis) {
	c := &d.Packets
	c.Copies, c.Comment, c.SACK, c.Dup = sparse{}, sparse{}, sparse{}, sparse{}
	shown := a.shown
	c.Count, c.Gap = len(shown), len(shown)
	share := max(MaxBytes/max(len(shown), 1), minBytes)
	var bytes []byte
	var last int64
	for i, n := range shown {
		p, at := &r.Packets[n], &a.at[n]
		c.Link = append(c.Link, p.Link)
		c.Marks = append(c.Marks, at.marks)
		c.Flow = append(c.Flow, at.flow)
		c.Sent = append(c.Sent, int64(p.Sent)-last)
		last = int64(p.Sent)
		took := int64(-1)
		if p.arrived() {
			took = int64(p.Arrived - p.Sent)
		}
		c.Took = append(c.Took, took)
		c.Len = append(c.Len, p.Len)
		if p.Copies > 0 {
			c.Copies.set(i, p.Copies)
		}
		if p.Comment != "" {
			c.Comment.set(i, p.Comment)
		}
		c.Label = append(c.Label, a.label[i])
		c.Fields = append(c.Fields, a.fields[i])
		c.tcp(i, at)
		held := p.Data[:min(len(p.Data), share)]
		c.Held = append(c.Held, len(held))
		bytes = append(bytes, held...)
	}
	if left := a.total - len(shown); left > 0 {
		c.Gap = MaxPackets / 2
		d.Truncated = append(d.Truncated, grouped(left)+" of "+grouped(a.total)+
			" packets are not in this page: it takes the first and the last "+grouped(MaxPackets/2))
	}
	c.Bytes = base64.StdEncoding.EncodeToString(bytes)
}

func (c *packetData) tcp(i int, at *position) {
	c.Seq = append(c.Seq, at.seq)
	c.Payload = append(c.Payload, int(at.end-at.seq))
	c.Ack = append(c.Ack, at.ack)
	c.Window = append(c.Window, at.window)
	if len(at.sack) > 0 {
		c.SACK.set(i, at.sack)
	}
	if at.dup > 0 {
		c.Dup.set(i, at.dup)
	}
}

func (d *document) notes(r *Recording) {
	for _, i := range ends(len(r.Notes), MaxNotes) {
		n := &r.Notes[i]
		d.Notes = append(d.Notes, noteData{int64(n.At), n.Node, n.Kind, n.Text})
	}
	if left := len(r.Notes) - len(d.Notes); left > 0 {
		d.Truncated = append(d.Truncated, grouped(left)+" notes are not in this page")
	}
}

// ends are the indices of n things of which at most limit are wanted: halves
// from the beginning and from the end.
func ends(n, limit int) []int {
	var out []int
	for i := range n {
		if n <= limit || i < limit/2 || i >= n-limit/2 {
			out = append(out, i)
		}
	}
	return out
}

// grouped writes a number with commas.
func grouped(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
