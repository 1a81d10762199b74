package impair

import "time"

// enqueue puts a packet into the queue before the narrow link, if it has room.
func (l *Line) enqueue(p *passenger, now time.Duration) {
	length, waiting := p.frame.Len(), l.narrow.waiting(now)
	q := &l.cfg.AQM
	switch {
	case !l.narrow.idle(now) && waiting+float64(length) > float64(l.cfg.queue()):
		l.drop(QueueFull, "", p, now)
		return
	case l.full(length):
		l.drop(Overflow, "", p, now)
		return
	}
	if q.MarkAt > 0 && waiting > float64(q.MarkAt) {
		if !l.mark("MarkAt", p, now) {
			l.drop(QueueAQM, "MarkAt", p, now)
			return
		}
	} else {
		p.keep()
	}
	l.narrow.queue.push(*p)
}

// advance lets the narrow link take from the queue what it can take by now.
func (l *Line) advance(now time.Duration) {
	l.seen = max(l.seen, now)
	for !l.narrow.queue.empty() {
		at := l.narrow.start(&l.cfg)
		if at > now {
			return
		}
		p := l.narrow.queue.pop()
		if l.admit(&p, at) {
			l.depart(nil, &p, at, l.narrow.send(&l.cfg, p.frame.Len(), p.came, at))
		}
	}
}

// admit lets queue management decide about a packet that the link is about to
// take at now. If it is dropped, the link takes the next.
func (l *Line) admit(p *passenger, now time.Duration) bool {
	q, waited := &l.cfg.AQM, now-p.came
	var reason string
	if q.CoDel {
		_, can := congestible(l.medium, p.frame)
		if l.narrow.codel.signal(q, now, waited, p.frame.Len(), l.narrow.queue.bytes, !q.ECN || !can) {
			if !q.ECN || !can {
				l.drop(QueueAQM, "CoDel", p, now)
				return false
			}
			reason = "CoDel"
		}
	}
	if reason == "" && q.MarkAfter > 0 && waited > q.MarkAfter {
		reason = "MarkAfter"
	}
	if reason != "" && !l.mark(reason, p, now) {
		l.drop(QueueAQM, reason, p, now)
		return false
	}
	return true
}
