package neighbor

import "time"

// Deadline is when Timer is to be called next; 0 is never.
func (t *Table[P]) Deadline() time.Duration {
	if len(t.deadlines) == 0 {
		return 0
	}
	return t.deadlines[0].deadline
}

// Timer does what is due. Each neighbor is asked at most once, however much time
// has passed.
func (t *Table[P]) Timer(now time.Duration) {
	for len(t.deadlines) > 0 && t.deadlines[0].deadline <= now {
		t.expire(now, t.deadlines[0])
	}
}

// expire is the end of what an entry waits for (RFC 4861 appendix C, RFC 7048
// section 3).
func (t *Table[P]) expire(now time.Duration, e *entry[P]) {
	switch e.state {
	case Incomplete:
		if e.solicits >= t.cfg.MaxMulticastSolicit {
			t.fail(now, e)
			return
		}
		t.solicit(now, e)
	case Delay:
		t.enter(e, Probe)
		t.solicit(now, e)
	case Probe:
		if e.solicits >= t.cfg.MaxUnicastSolicit {
			t.enter(e, Unreachable)
			e.backoff = t.longer(t.cfg.RetransTimer)
			t.lose(e)
			t.stats.Unreachable++
		}
		t.solicit(now, e)
	case Unreachable:
		t.expireUnreachable(now, e)
	case Failed:
		t.delete(e)
	default:
		t.deadlines.set(e, 0)
	}
}

// expireUnreachable asks again as long as packets are sent, since nobody else
// has a use for the answer (RFC 7048 section 3). After MaxMulticastSolicit it
// gives the entry up, so that senders learn that the host is unreachable.
func (t *Table[P]) expireUnreachable(now time.Duration, e *entry[P]) {
	switch {
	case e.used <= e.asked:
		t.deadlines.set(e, 0) // use resumes
	case e.solicits >= t.cfg.MaxMulticastSolicit:
		t.fail(now, e)
	default:
		t.solicit(now, e)
	}
}

// fail gives a neighbor up.
func (t *Table[P]) fail(now time.Duration, e *entry[P]) {
	t.release(e, Report)
	t.enter(e, Failed)
	t.deadlines.set(e, now+t.cfg.FailedTime)
	t.stats.Failed++
	t.lose(e)
}

// lose tells that a neighbor stopped answering.
func (t *Table[P]) lose(e *entry[P]) {
	e.owed = true
	t.emit(Action[P]{Op: Lost, Addr: e.addr})
}

// solicit asks for the neighbor, and waits for the answer. A neighbor is not
// asked more often than every RetransTimer (RFC 4861 section 7.2.2); one that we
// do not know is asked for only within the rate limit. Known neighbors are not
// held to it: a scan is not to keep them from being probed.
func (t *Table[P]) solicit(now time.Duration, e *entry[P]) {
	t.undefer(e)
	if next := e.asked + t.cfg.RetransTimer; e.asked != 0 && now < next {
		t.deadlines.set(e, next)
		return
	}
	if e.state == Incomplete {
		if next := t.limiter.take(now); next != 0 {
			t.deferSolicit(e, next)
			return
		}
	}
	a := Action[P]{Op: Solicit, Addr: e.addr, Source: e.source}
	wait := t.cfg.RetransTimer
	switch e.state {
	case Probe:
		a.Unicast, a.MAC = true, e.hw
	case Unreachable:
		wait = e.backoff
		e.backoff = t.longer(e.backoff)
	}
	t.emit(a)
	t.stats.Solicited++
	e.solicits++
	e.asked = now
	t.deadlines.set(e, now+wait)
}

// longer is the exponential backoff (RFC 7048 section 3).
func (t *Table[P]) longer(d time.Duration) time.Duration {
	return min(d*time.Duration(t.cfg.BackoffMultiple), max(t.cfg.MaxRetransTimer, t.cfg.RetransTimer))
}

// deferSolicit makes a solicitation wait for the rate limit, behind those that
// wait already.
func (t *Table[P]) deferSolicit(e *entry[P], next time.Duration) {
	t.stats.Deferred++
	t.deadlines.set(e, next+time.Duration(t.deferred)*t.limiter.interval)
	e.deferred = true
	t.deferred++
}

func (t *Table[P]) undefer(e *entry[P]) {
	if e.deferred {
		e.deferred = false
		t.deferred--
	}
}

// limiter is a token bucket, kept as the time at which it is full again.
type limiter struct {
	interval time.Duration // between two tokens
	burst    time.Duration // how far ahead of the time full may be
	full     time.Duration
}

func newLimiter(rate, burst int) limiter {
	interval := max(time.Second/time.Duration(rate), 1)
	return limiter{interval: interval, burst: time.Duration(burst-1) * interval}
}

// take takes a token and gives 0, or gives the time at which there will be one.
func (l *limiter) take(now time.Duration) (next time.Duration) {
	full := max(l.full, now)
	if full-now > l.burst {
		return full - l.burst
	}
	l.full = full + l.interval
	return 0
}
