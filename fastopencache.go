package berth

import (
	"net/netip"
	"sync"
	"time"

	"example.com/berth/internal/header"
	"example.com/berth/internal/lean"
	"example.com/berth/internal/tcp"
)

// maxFastOpenPeers is of how many peers the host knows a cookie. The one that was
// not connected to for longest makes room.
const maxFastOpenPeers = 512

// fastOpenCache is what a client knows of servers (RFC 7413 4.1.3): their cookies,
// and whether data in a SYN seems to vanish. Its lock is taken while a socket's is
// held, and takes no other.
type fastOpenCache struct {
	mu    sync.Mutex // guards what follows
	peers map[netip.Addr]*fastOpenPeer

	// pausedUntil is when SYNs may carry data again; pauses counts those in a row,
	// of which each is longer.
	pausedUntil time.Duration
	pauses      int
}

type fastOpenPeer struct {
	_ lean.Incomparable

	cookie header.FastOpen
	mss    uint16
	// experimental says that the option of RFC 7413 was not answered; plain that
	// the one before it was not, either.
	experimental, plain bool
	used                time.Duration
}

// offer is what a SYN to a server carries. With a cookie, or where none is wanted,
// it may carry data.
func (f *fastOpenCache) offer(now time.Duration, to netip.Addr, noCookie bool) (o header.FastOpen, mss uint16, data, paused bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	p := f.peers[to]
	if p != nil {
		p.used, mss = now, p.mss
	}
	switch {
	case now < f.pausedUntil:
		return header.FastOpen{}, 0, false, true
	case noCookie:
		return header.FastOpen{}, mss, true, false
	case p != nil && p.cookie.Len > 0:
		return p.cookie, mss, true, false
	}
	return header.FastOpen{Present: true, Experimental: p != nil && p.experimental && !p.plain}, mss, false, false
}

// learn takes what a handshake told. A black hole pauses Fast Open to all servers
// for the time given, if that is not 0, which doubles up to six times (Linux:
// tcp_fastopen_blackhole_timeout_sec).
func (f *fastOpenCache) learn(now time.Duration, of netip.Addr, o *tcp.FastOpenOutcome, pause time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if o.BlackHole {
		if pause > 0 {
			f.pausedUntil = now + pause<<min(f.pauses, 6)
			f.pauses++
		}
		return
	}
	p := f.peers[of]
	if p == nil {
		p = f.add(of)
	}
	p.used, p.mss = now, o.MSS
	switch {
	case o.Cookie.Len > 0:
		p.cookie, f.pauses = o.Cookie, 0
	case o.NoAnswer && o.Asked.Experimental:
		p.plain = true
	case o.NoAnswer:
		p.experimental = true
	}
}

func (f *fastOpenCache) add(a netip.Addr) *fastOpenPeer {
	if f.peers == nil {
		f.peers = make(map[netip.Addr]*fastOpenPeer)
	}
	if len(f.peers) >= maxFastOpenPeers {
		var oldest netip.Addr
		for k, p := range f.peers {
			if q := f.peers[oldest]; q == nil || p.used < q.used || p.used == q.used && k.Less(oldest) {
				oldest = k
			}
		}
		delete(f.peers, oldest)
	}
	p := new(fastOpenPeer)
	f.peers[a] = p
	return p
}
