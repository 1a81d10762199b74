package labrun

import (
	"context"
	"errors"
	"fmt"
	"time"

	"example.com/berth/internal/labfile"
	"example.com/berth/internal/pinger"
)

var errNoAnswer = errors.New("no answer")

// ping asks for echoes.
func (t *task) ping(ctx context.Context, s *labfile.Ping) error {
	family := "ip4"
	if s.IPv6 {
		family = "ip6"
	}
	addrs, err := t.host.LookupNetIP(ctx, family, s.To.Host)
	if err != nil {
		return err
	}
	cfg := pinger.Config{Addr: addrs[0], Count: s.Count, Interval: s.Interval, Wait: s.Wait, Size: s.Size, TTL: s.TTL}
	p, err := pinger.New(t.host.As(t.cmd.Name), cfg)
	if err != nil {
		return err
	}
	t.say("start", map[string]any{"to": s.To.Host, "addr": cfg.Addr.String()},
		"ping %s (%v) with %d bytes, %d times every %v", s.To.Host, cfg.Addr, s.Size, s.Count, s.Interval)
	stats, err := p.Run(ctx, t.pinged)
	if err != nil {
		return err
	}
	t.measured("sent", float64(stats.Sent))
	t.measured("received", float64(stats.Received))
	t.measured("duplicates", float64(stats.Duplicates))
	t.measured("errors", float64(stats.Errors))
	t.measured("loss", share(stats.Sent-stats.Received, stats.Sent))
	if stats.Received == 0 {
		return errNoAnswer
	}
	least, mean, most, mdev := stats.RTT()
	for name, ms := range map[string]float64{"rtt-min": least, "rtt": mean, "rtt-max": most, "rtt-mdev": mdev} {
		t.measured(name, ms*float64(time.Millisecond))
	}
	return nil
}

// pinged says what came back.
func (t *task) pinged(e pinger.Event) {
	if e.Reason != "" {
		t.say("error", map[string]any{"seq": e.Seq, "reason": e.Reason}, "seq %d: %s", e.Seq, e.Reason)
		return
	}
	extra := ""
	if e.Duplicate {
		extra = ", a duplicate"
	}
	t.say("reply", map[string]any{"seq": e.Seq, "from": e.From.String(), "rtt": e.RTT.Seconds(), "duplicate": e.Duplicate},
		"seq %d from %v: %s%s", e.Seq, e.From, length(e.RTT), extra)
}

// length writes a time as metrics do.
func length(d time.Duration) string { return labfile.Duration.Format(float64(d)) }

// times writes a number of things.
func times(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// seconds writes a time of a run.
func seconds(d time.Duration) string { return fmt.Sprintf("%.6g s", d.Seconds()) }
