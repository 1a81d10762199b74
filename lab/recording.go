package lab

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"example.com/berth"
	"example.com/berth/lab/report"
	"example.com/berth/link"
	"example.com/berth/link/pcapng"
	"example.com/berth/socket"
)

// Recording returns what happened so far.
func (n *Network) Recording() *report.Recording {
	r := &report.Recording{
		Title: "lab", Seed: n.seed, Start: n.sched.epoch, Length: n.Now(),
		Repeat: n.repeat(), Failed: nil,
	}
	if n.tb != nil {
		r.Title = n.tb.Name()
	}
	for _, v := range n.Nodes() {
		b := v.base()
		node := report.Node{Name: b.name, Kind: b.kind}
		for _, p := range b.ports {
			for _, a := range p.addrs {
				node.Addrs = append(node.Addrs, a.String())
			}
		}
		r.Nodes = append(r.Nodes, node)
		if h := hostOf(v); h != nil {
			if text := h.table(); text != "" {
				r.Tables = append(r.Tables, report.Table{Node: b.index, Text: text})
			}
		}
	}
	for _, l := range n.Links() {
		r.Links = append(r.Links, report.Link{
			Name: l.String(), A: l.a.node.base().index, B: l.b.node.base().index,
			AtoB: describe(l.ab.line.Config()), BtoA: describe(l.ba.line.Config()), Medium: l.medium,
		})
	}
	n.trace.fill(r)
	return r
}

// fill adds packets, samples and notes to a recording.
func (r *recorder) fill(out *report.Recording) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range r.chunks {
		for i := range c.packets {
			k := &c.packets[i]
			out.Packets = append(out.Packets, report.Packet{
				Link: k.pipe.link.index, FromA: k.pipe == k.pipe.link.ab,
				Sent: k.sent, Arrived: max(k.arrived, 0), Dropped: k.dropped,
				Comment: k.comment, Copies: k.copies,
				Data: c.memory[k.off : k.off+k.length : k.off+k.length], Len: k.length,
			})
		}
		out.Samples = append(out.Samples, c.samples...)
	}
	out.Notes = slices.Clone(r.notes)
	var left []string
	for _, d := range []struct {
		n    int
		what string
	}{{r.dropped.packets, "packets"}, {r.dropped.samples, "samples of connections"}} {
		if d.n > 0 {
			left = append(left, fmt.Sprintf("the first %d %s", d.n, d.what))
		}
	}
	if r.dropped.notes > 0 {
		left = append(left, fmt.Sprintf("the last %d notes", r.dropped.notes))
	}
	if !r.on {
		left = append(left, "packets: the network was made not to record")
	}
	out.Truncated = strings.Join(left, ", ")
}

// table is the host's table of sockets as text; empty without sockets.
func (h *Host) table() string {
	all := h.Sockets()
	if len(all) == 0 {
		return ""
	}
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 8, 2, ' ', 0)
	fmt.Fprintln(w, "Proto\tState\tRecv-Q\tSend-Q\tLocal\tPeer\tTimer")
	for _, s := range all {
		peer, timer := "*", ""
		if s.Remote.IsValid() {
			peer = s.Remote.String()
		}
		if s.Timer > 0 {
			timer = s.Timer.Round(time.Millisecond).String()
		}
		fmt.Fprintf(w, "%s\t%v\t%d\t%d\t%v\t%s\t%s\n", protocolName(s), s.State, s.RecvQueue, s.SendQueue, s.Local, peer, timer)
	}
	w.Flush()
	return b.String()
}

// protocolName is what ss(8) calls the kind of a socket.
func protocolName(s berth.SocketInfo) string {
	switch {
	case s.Type == socket.RAW:
		return "raw"
	case s.Protocol == socket.IPPROTO_TCP:
		return "tcp"
	case s.Protocol == socket.IPPROTO_UDP:
		return "udp"
	}
	return "icmp"
}

// WriteReport writes what happened so far as one HTML file; see package report.
func (n *Network) WriteReport(w io.Writer) error { return report.Write(w, n.Recording()) }

// WriteCapture writes the packets so far in the pcapng format: an interface for
// each end of each link, the names of hosts, and why a packet was dropped or how
// it was changed as its comment.
func (n *Network) WriteCapture(w io.Writer) error {
	c := pcapng.NewWriter(w, pcapng.Options{
		Application: "berth lab", Comment: fmt.Sprintf("%s, seed %d", n.Recording().Title, n.seed),
	})
	for _, v := range n.Nodes() {
		for _, p := range v.base().ports {
			for _, a := range p.addrs {
				c.Name(a.Addr(), v.Name())
			}
		}
	}
	n.trace.mu.Lock()
	secrets := n.trace.secrets.Bytes()
	n.trace.mu.Unlock()
	if len(secrets) > 0 {
		if _, err := c.KeyLog().Write(secrets); err != nil {
			return err
		}
	}
	interfaces := make(map[*port]*pcapng.Interface)
	for _, l := range n.Links() {
		for _, p := range []*port{l.a, l.b} {
			interfaces[p] = c.Interface(p.String(), l.medium, 0)
		}
	}
	for _, s := range n.trace.sightings() {
		interfaces[s.at].Record(n.sched.epoch.Add(s.when), s.direction, &link.Frame{Payload: s.data}, s.comment)
	}
	return c.Close()
}

// A sighting is a packet that leaves or reaches a port.
type sighting struct {
	when      time.Duration
	at        *port
	direction pcapng.Direction
	comment   string
	data      []byte
}

// sightings are all that a capture at every port would have seen, in order of
// time.
func (r *recorder) sightings() (all []sighting) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range r.chunks {
		for i := range c.packets {
			k := &c.packets[i]
			data := c.memory[k.off : k.off+k.length : k.off+k.length]
			all = append(all, sighting{k.sent, k.pipe.from, pcapng.Out, k.comment, data})
			if k.arrived >= 0 {
				all = append(all, sighting{k.arrived, k.pipe.to, pcapng.In, k.comment, data})
			}
		}
	}
	slices.SortStableFunc(all, func(a, b sighting) int { return cmp.Compare(a.when, b.when) })
	return all
}

// WriteText writes what happened so far as text: a ladder of packets.
func (n *Network) WriteText(w io.Writer) error {
	return report.WriteText(w, n.Recording(), report.TextOptions{})
}

// KeyLog returns a writer for the secrets of TLS connections, for
// tls.Config.KeyLogWriter: they stand in the capture, so that a reader can
// decrypt it.
func (n *Network) KeyLog() io.Writer { return keyLog{n.trace} }

type keyLog struct{ r *recorder }

// maxSecrets bounds what KeyLog keeps.
const maxSecrets = 1 << 20

func (k keyLog) Write(b []byte) (int, error) {
	k.r.mu.Lock()
	defer k.r.mu.Unlock()
	if k.r.secrets.Len()+len(b) <= maxSecrets {
		k.r.secrets.Write(b)
	}
	return len(b), nil
}

// Note puts a remark into the recording.
func (n *Network) Note(format string, args ...any) {
	n.trace.note(-1, "note", fmt.Sprintf(format, args...))
}
