package perf

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"strings"
	"time"
)

// Text is a Printer that writes as iperf3 does.
type Text struct {
	Out io.Writer

	start *Start
	line  int // of intervals, to repeat the heads
}

// ruler is between the intervals and what comes of them.
const ruler = "- - - - - - - - - - - - - - - - - - - - - - - - -\n"

// Begin writes who is connected to whom.
func (t *Text) Begin(s *Start) error {
	t.start = s
	var b bytes.Buffer
	if s.Client {
		fmt.Fprintf(&b, "Connected to %s\n", s.Peer)
	} else {
		fmt.Fprintf(&b, "Test of %s\n", s.Peer)
	}
	if s.Params.Direction == Reverse {
		fmt.Fprintln(&b, "Reverse: the server sends")
	}
	for _, e := range s.Streams {
		fmt.Fprintf(&b, "%s %s\n", t.head(e.Stream, e.Sends), endsText(e))
	}
	_, err := t.Out.Write(b.Bytes())
	return err
}

func endsText(e Ends) string {
	local, localPort := hostPort(e.Local)
	remote, remotePort := hostPort(e.Remote)
	return fmt.Sprintf("local %s port %s connected to %s port %s", local, localPort, remote, remotePort)
}

func hostPort(a net.Addr) (host, port string) {
	host, port, err := net.SplitHostPort(a.String())
	if err != nil {
		return a.String(), "?"
	}
	return host, port
}

// head begins a line: the stream, and what it is to this side where both send.
func (t *Text) head(id int, sends bool) string {
	name := "SUM"
	if id != 0 {
		name = fmt.Sprintf("%3d", id)
	}
	return "[" + name + "]" + t.role(sends)
}

func (t *Text) role(sends bool) string {
	if t.start.Params.Direction != Both {
		return ""
	}
	way, side := "RX", "S"
	if sends {
		way = "TX"
	}
	if t.start.Client {
		side = "C"
	}
	return "[" + way + "-" + side + "]"
}

// columns are those that all lines have.
func (t *Text) columns() string {
	role := ""
	if t.start.Params.Direction == Both {
		role = "[Role]"
	}
	return "[ ID]" + role + " Interval           Transfer     Bitrate"
}

// heads name the columns of intervals.
func (t *Text) heads() string {
	p := &t.start.Params
	sends := t.start.Client == (p.Direction == Forward)
	switch s := t.columns(); {
	case p.UDP && p.Direction != Both && sends:
		return s + "         Total Datagrams\n"
	case p.UDP:
		return s + "         Jitter    Lost/Total Datagrams\n"
	case p.Direction == Both || sends:
		return s + "         Retr  Cwnd\n"
	default:
		return s + "\n"
	}
}

// headsEvery is after how many intervals the heads are shown again.
const headsEvery = 20

// Interval writes a line for each stream, and for their sum.
func (t *Text) Interval(rows []Row) error {
	var b bytes.Buffer
	if t.line%headsEvery == 0 {
		b.WriteString(t.heads())
	} else if len(rows) > 1 {
		b.WriteString(ruler)
	}
	t.line++
	for i := range rows {
		r := &rows[i]
		line := t.head(r.Stream, r.Sends) + " " + span(r.From, r.To, r.Bytes) + t.rowText(r)
		b.WriteString(strings.TrimRight(line, " ") + "\n")
	}
	_, err := t.Out.Write(b.Bytes())
	return err
}

// span is what all lines have: the time, the bytes, the rate.
func span(from, to time.Duration, n int64) string {
	seconds := (to - from).Seconds()
	return fmt.Sprintf("%6.2f-%-6.2f sec  %-11s  %-14s", from.Seconds(), to.Seconds(), bytesText(n), bitsText(rate(n, seconds)))
}

func (t *Text) rowText(r *Row) string {
	switch {
	case t.start.Params.UDP && r.Sends:
		return fmt.Sprintf("  %d", r.Datagrams)
	case t.start.Params.UDP:
		return datagramText(r.Jitter, r.Lost, r.Datagrams)
	case !r.TCP.Known || !r.Sends:
		return ""
	case r.Stream == 0:
		return fmt.Sprintf("  %3d", r.TCP.Retransmits)
	}
	return fmt.Sprintf("  %3d   %s", r.TCP.Retransmits, bytesText(r.TCP.Window))
}

func datagramText(jitter float64, lost, of int64) string {
	return fmt.Sprintf("  %.3f ms  %d/%d (%.2g%%)", 1000*jitter, lost, of, lostPercent(lost, of))
}

// End writes what both sides have counted.
func (t *Text) End(e *End) error {
	var b bytes.Buffer
	b.WriteString(ruler)
	b.WriteString(t.endHeads())
	for i := range e.Streams {
		t.endOf(&b, &e.Streams[i])
	}
	if e.Params.Streams > 1 {
		for _, sum := range []*EndOf{e.Forward, e.Back} {
			if sum != nil {
				t.endOf(&b, sum)
			}
		}
	}
	_, err := t.Out.Write(b.Bytes())
	return err
}

// endHeads name the columns of the end.
func (t *Text) endHeads() string {
	s := t.columns()
	if t.start.Params.UDP {
		return s + "         Jitter    Lost/Total Datagrams\n"
	}
	return s + "         Retr\n"
}

// endOf writes the two lines of a stream.
func (t *Text) endOf(b *bytes.Buffer, e *EndOf) {
	line := func(total *Total, who, rest string) {
		to := time.Duration(total.Seconds * float64(time.Second))
		fmt.Fprintf(b, "%s %s%s  %s\n", t.head(e.Stream, e.Sends), span(0, to, total.Bytes), rest, who)
	}
	if t.start.Params.UDP {
		line(&e.Sent, "sender", datagramText(0, 0, e.Sent.Datagrams))
		line(&e.Received, "receiver", datagramText(e.Received.Jitter, e.Received.Lost, e.Received.Datagrams))
		return
	}
	retransmits := "     "
	if e.Sent.Retransmits >= 0 {
		retransmits = fmt.Sprintf("  %3d", e.Sent.Retransmits)
	}
	line(&e.Sent, "sender", retransmits)
	line(&e.Received, "receiver", "     ")
}
