package icmp

import (
	"net/netip"
	"time"

	"example.com/berth/internal/list"
)

// A host that does not listen to redirects gets a few, ever less often, and then
// none until it has sent nothing to be redirected for a while (Linux:
// redirect_load, redirect_number, redirect_silence).
const (
	redirectWait    = 20 * time.Millisecond // doubled before each but the first
	redirectMost    = 9
	redirectSilence = 20480 * time.Millisecond
)

// Redirects bounds the redirects that a router sends (RFC 1812 5.2.7.2, RFC 4861
// 8.2). The zero value is ready.
type Redirects struct {
	hosts map[netip.Addr]*redirected
	asked list.List[*redirected] // in the order in which Allow was asked about them
}

type redirected struct {
	host netip.Addr
	sent uint
	last time.Duration // when one was sent, or would have been but for the number

	asked list.Node
}

// maxRedirected is how many hosts are remembered. When there are more, the one that
// sent nothing to be redirected for longest is forgotten, and begins anew.
const maxRedirected = 1024

// Allow tells whether a redirect may be sent to a host now, and counts it as sent.
func (l *Redirects) Allow(now time.Duration, host netip.Addr) bool {
	r := l.of(host, now)
	switch since := now - r.last; {
	case since > redirectSilence:
		r.sent = 0
	case r.sent >= redirectMost: // silence is what it takes
		r.last = now
		return false
	case r.sent > 0 && since <= redirectWait<<r.sent:
		return false
	}
	r.sent++
	r.last = now
	return true
}

// of finds what is known of a host, or begins anew with it.
func (l *Redirects) of(host netip.Addr, now time.Duration) *redirected {
	r := l.hosts[host]
	if r == nil {
		if l.hosts == nil {
			l.hosts = make(map[netip.Addr]*redirected)
		}
		if len(l.hosts) >= maxRedirected {
			oldest := l.asked.Oldest()
			delete(l.hosts, oldest.host)
			oldest.asked.Leave()
		}
		r = &redirected{host: host, last: now}
		l.hosts[host] = r
	}
	l.asked.Put(&r.asked, r)
	return r
}

// Len is how many hosts are remembered.
func (l *Redirects) Len() int { return len(l.hosts) }
