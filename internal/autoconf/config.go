package autoconf

import (
	"time"

	"example.com/berth/internal/header"
	"example.com/berth/internal/lean"
	"example.com/berth/internal/siphash"
)

// Config says how an interface configures itself. Zero fields take defaults.
type Config struct {
	// MAC is the interface's link-layer address; zero if it has none.
	MAC header.MAC
	// Name and NetworkID tell the interface and the network apart from the
	// host's others, and stay the same from one start to the next (RFC 7217
	// section 5: Net_Iface, Network_ID).
	Name, NetworkID string
	// Key is the secret that stable addresses are made with (RFC 7217). The
	// same key gives the same addresses.
	Key siphash.Key
	// EUI64 makes addresses of MAC instead, which shows it to everybody.
	EUI64 bool
	// Temporary makes temporary addresses beside the stable ones (RFC 8981).
	// It needs Rand.
	Temporary bool
	// IgnoreRouters makes no use of routers: none are solicited, and what they
	// advertise is dropped. It is what a router does.
	IgnoreRouters bool
	// NoLinkLocal makes no link-local address: there is what is set by hand.
	NoLinkLocal bool

	// Transmits is how many solicitations detect a duplicate address
	// (DupAddrDetectTransmits): 1; negative for no detection.
	Transmits int
	// RetransTimer is the time between them: 1 s until a router sets it.
	RetransTimer time.Duration
	// MaxDelay is the random delay before the first message, so that the hosts
	// of a link do not all speak at once (MAX_RTR_SOLICITATION_DELAY): 1 s;
	// negative for none.
	MaxDelay time.Duration
	// MTU is the link's, which routers may only lower; 0 takes what they say.
	MTU int

	// MaxAddresses bounds the addresses that advertisements make: 16.
	MaxAddresses int
	// MaxPrefixes bounds the on-link prefixes, and MaxRoutes the routes through
	// routers: 16.
	MaxPrefixes, MaxRoutes int
	// MaxDNS bounds the DNS servers, and the search domains: 8.
	MaxDNS int

	// Rand gives random bits. Without it nothing is delayed or spread, and
	// solicitations bear no nonce.
	Rand func() uint64
}

// Constants of the RFCs.
const (
	rsInterval    = 4 * time.Second    // RFC 7559 section 2: IRT
	rsMaxInterval = 3600 * time.Second // MRT
	twoHours      = 2 * time.Hour      // RFC 4862 section 5.5.3 e
	idgenRetries  = 3                  // RFC 7217 section 7: IDGEN_RETRIES
	idgenDelay    = time.Second        // IDGEN_DELAY
	minMTU        = 1280               // RFC 8200 section 5

	tempValid       = 48 * time.Hour // RFC 8981 section 3.8
	tempPreferred   = 24 * time.Hour
	tempMaxDesync   = tempPreferred * 4 / 10
	tempIDGenRetry  = 3
	regenAdvance    = 2 * time.Second // and the time that detection takes
	minRetransTimer = 10 * time.Millisecond
	maxRetransTimer = time.Hour
)

// Never is the end of a lifetime that does not end.
const Never = time.Duration(1<<63 - 1)

func (c Config) withDefaults() Config {
	c.Transmits = max(lean.Or(c.Transmits, 1), 0)
	c.RetransTimer = lean.Or(c.RetransTimer, time.Second)
	c.MaxDelay = max(lean.Or(c.MaxDelay, time.Second), 0)
	c.MaxAddresses = lean.Or(c.MaxAddresses, 16)
	c.MaxPrefixes = lean.Or(c.MaxPrefixes, 16)
	c.MaxRoutes = lean.Or(c.MaxRoutes, 16)
	c.MaxDNS = lean.Or(c.MaxDNS, 8)
	c.EUI64 = c.EUI64 && !c.MAC.IsZero()
	return c
}

// random gives a time from 0 to limit.
func (i *Interface) random(limit time.Duration) time.Duration {
	if i.cfg.Rand == nil || limit <= 0 {
		return 0
	}
	return time.Duration(i.cfg.Rand() % uint64(limit+1))
}

// until gives the end of a lifetime that begins now.
// It is called seldom, and too much to have a copy at every call.
//
//go:noinline
func until(now, lifetime time.Duration) time.Duration {
	if lifetime >= header.Infinite || lifetime > Never-now {
		return Never
	}
	return now + lifetime
}
