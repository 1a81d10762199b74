package pinger

import (
	"encoding/json"
	"fmt"
	"io"
	"net/netip"
)

// Printer shows what comes of the requests.
type Printer interface {
	Begin(host string, cfg *Config) error
	Event(Event) error
	End(host string, s *Stats) error
}

// Text is a Printer that writes as ping(8) does.
type Text struct {
	Out   io.Writer
	Quiet bool // nothing but the first line and the statistics

	host string
	addr netip.Addr
}

// Begin writes the first line.
func (t *Text) Begin(host string, cfg *Config) error {
	t.host, t.addr = host, cfg.Addr
	const headers = 20 + 8
	if cfg.Addr.Is4() {
		_, err := fmt.Fprintf(t.Out, "PING %s (%s) %d(%d) bytes of data.\n", host, cfg.Addr, cfg.Size, cfg.Size+headers)
		return err
	}
	_, err := fmt.Fprintf(t.Out, "PING %s(%s) %d data bytes\n", host, cfg.Addr, cfg.Size)
	return err
}

// Event writes a line.
func (t *Text) Event(e Event) error {
	if t.Quiet {
		return nil
	}
	if e.Reason != "" {
		from := ""
		if e.From.IsValid() {
			from = "From " + e.From.String() + " "
		}
		_, err := fmt.Fprintf(t.Out, "%sicmp_seq=%d %s\n", from, e.Seq, e.Reason)
		return err
	}
	dup := ""
	if e.Duplicate {
		dup = " (DUP!)"
	}
	_, err := fmt.Fprintf(t.Out, "%d bytes from %s: icmp_seq=%d ttl=%d time=%s ms%s\n",
		e.Size, t.from(e.From), e.Seq, e.TTL, threeDigits(millis(e.RTT)), dup)
	return err
}

// from is a sender, with its name if it is the host that was asked for by name.
func (t *Text) from(a netip.Addr) string {
	if a == t.addr && t.host != a.String() {
		return fmt.Sprintf("%s (%s)", t.host, a)
	}
	return a.String()
}

// threeDigits shows a time as exactly as its length allows.
func threeDigits(ms float64) string {
	switch {
	case ms >= 100:
		return fmt.Sprintf("%.0f", ms)
	case ms >= 10:
		return fmt.Sprintf("%.1f", ms)
	case ms >= 1:
		return fmt.Sprintf("%.2f", ms)
	}
	return fmt.Sprintf("%.3f", ms)
}

// End writes the statistics.
func (t *Text) End(host string, s *Stats) error {
	extra := ""
	if s.Duplicates > 0 {
		extra += fmt.Sprintf(", +%d duplicates", s.Duplicates)
	}
	if s.Errors > 0 {
		extra += fmt.Sprintf(", +%d errors", s.Errors)
	}
	fmt.Fprintf(t.Out, "\n--- %s ping statistics ---\n", host)
	_, err := fmt.Fprintf(t.Out, "%d packets transmitted, %d received%s, %.6g%% packet loss, time %dms\n",
		s.Sent, s.Received, extra, s.Loss(), s.Time.Milliseconds())
	if s.Received > 0 {
		least, mean, greatest, mdev := s.RTT()
		_, err = fmt.Fprintf(t.Out, "rtt min/avg/max/mdev = %.3f/%.3f/%.3f/%.3f ms\n", least, mean, greatest, mdev)
	}
	return err
}

// JSON is a Printer that writes an object a line: of type begin, reply, error,
// and end.
type JSON struct{ Out io.Writer }

type line map[string]any

func (j JSON) write(l line) error { return json.NewEncoder(j.Out).Encode(l) }

// Begin writes whom the requests go to.
func (j JSON) Begin(host string, cfg *Config) error {
	return j.write(line{"type": "begin", "host": host, "addr": cfg.Addr, "size": cfg.Size})
}

// Event writes an answer or an error.
func (j JSON) Event(e Event) error {
	if e.Reason != "" {
		return j.write(line{"type": "error", "seq": e.Seq, "from": e.From, "reason": e.Reason})
	}
	return j.write(line{
		"type": "reply", "seq": e.Seq, "from": e.From, "bytes": e.Size, "ttl": e.TTL,
		"time_ms": millis(e.RTT), "duplicate": e.Duplicate,
	})
}

// End writes the statistics.
func (j JSON) End(host string, s *Stats) error {
	least, mean, greatest, mdev := s.RTT()
	return j.write(line{
		"type": "end", "host": host, "sent": s.Sent, "received": s.Received,
		"duplicates": s.Duplicates, "errors": s.Errors, "loss_percent": s.Loss(), "time_ms": s.Time.Milliseconds(),
		"rtt_ms": line{"min": least, "avg": mean, "max": greatest, "mdev": mdev},
	})
}
