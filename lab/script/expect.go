package script

import (
	"fmt"
	"strings"
	"time"
)

// anyTime and anyRealTime are how long a script waits for a packet that may come
// at any time, in a simulation and in real time.
const anyTime, anyRealTime = 24 * time.Hour, 30 * time.Second

// slack is how much a time may differ from that of the script: the tolerance,
// and at least an eighth of the gap since the event before.
func (r *run) slack(gap time.Duration) time.Duration { return max(r.setup.tolerance, gap/8) }

// expect waits for a packet of the host, and compares it.
func (r *run) expect(k *packet, e *event, from, to time.Duration) error {
	if err := r.open(k.pos); err != nil {
		return err
	}
	slack := r.slack(max(to-r.world.now(), 0))
	latest := to + slack
	if e.at.any {
		latest = r.world.now() + anyTime
		if r.system() != nil {
			latest = r.world.now() + anyRealTime
		}
	}
	for steps := 0; len(r.tape.sent) == 0; steps++ {
		if steps > maxSteps {
			return errorf(k.pos, "the host's timers do not come to rest")
		}
		more := r.world.step(latest)
		if err := r.poll(); err != nil {
			return err
		}
		if !more && len(r.tape.sent) == 0 {
			return r.missing(k, from, to)
		}
	}
	if !r.setup.strictSegments {
		r.fit(k)
	}
	s := r.tape.sent[0]
	r.tape.sent = r.tape.sent[1:]
	diffs := r.compare(k, &s)
	if len(diffs) > 0 {
		return r.mismatch(k, &s, diffs)
	}
	earliest := from - slack
	if r.system() != nil {
		// The tolerance is large in real time, but nothing answers beforehand.
		earliest = max(earliest, r.since)
	}
	if !e.at.any && (s.at < earliest || s.at > latest) {
		return errorf(k.pos, "the packet went out at %s, not at %s (tolerance %v)%s",
			seconds(s.at), span(from, to), slack, r.before())
	}
	r.note(s.String())
	return nil
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.6f", d.Seconds()) }

func span(from, to time.Duration) string {
	if from == to {
		return seconds(from)
	}
	return seconds(from) + "~" + seconds(to)
}

// missing says that a packet did not go out.
func (r *run) missing(k *packet, from, to time.Duration) error {
	return errorf(k.pos, "the host sent nothing by %s, where this is expected at %s:\n  expected  %s%s",
		seconds(r.world.now()), span(from, to), k.text, r.before())
}

// mismatch says in what a packet differs from the one expected.
func (r *run) mismatch(k *packet, s *sighting, diffs []difference) error {
	var fields, b strings.Builder
	for i, d := range diffs {
		if i > 0 {
			fields.WriteString(", ")
		}
		fields.WriteString(d.field)
	}
	fmt.Fprintf(&b, "another packet went out, at %s: %s\n  expected  %s\n  actual    %s", seconds(s.at), fields.String(), k.text, s)
	for _, d := range diffs {
		fmt.Fprintf(&b, "\n    %-10s %s, but was %s", d.field, d.want, d.got)
	}
	return errorf(k.pos, "%s%s", b.String(), r.before())
}

// before tells what happened last.
func (r *run) before() string {
	const lines = 12
	h := r.history
	if len(h) > lines {
		h = h[len(h)-lines:]
	}
	if len(h) == 0 {
		return ""
	}
	return "\n  before it:\n    " + strings.Join(h, "\n    ")
}
