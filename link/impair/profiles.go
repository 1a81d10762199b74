package impair

import "time"

// The sources of several profiles.
const (
	webPageTest = "WebPageTest, www/settings/connectivity.ini.sample (github.com/catchpoint/WebPageTest): rates and round trip; the queue is ours"
	milli       = time.Millisecond
)

// kinds is the table of profiles.
var kinds = []kind{
	{
		name: "dial-up", description: "a modem of 56 kbit/s on a telephone line",
		source: webPageTest + " [Dial]",
		down:   49, up: 30, roundTrip: 120 * milli,
	},
	{
		name: "EDGE", description: "a mobile network of the second generation",
		source: webPageTest + " [Edge]",
		down:   240, up: 200, roundTrip: 840 * milli,
	},
	{
		name: "slow-3G", description: "a mobile network of the third generation, far from the mast",
		source: webPageTest + " [3GSlow]",
		down:   780, up: 330, roundTrip: 200 * milli,
	},
	{
		name: "3G", description: "a mobile network of the third generation",
		source: webPageTest + " [3G]",
		down:   1600, up: 768, roundTrip: 300 * milli,
	},
	{
		name: "fast-3G", description: "a mobile network of the third generation, near the mast; Lighthouse's \"slow 4G\" is about the same",
		source: webPageTest + " [3GFast]",
		down:   1600, up: 768, roundTrip: 150 * milli,
	},
	{
		name: "LTE", description: "a mobile network of the fourth generation",
		source: webPageTest + " [LTE]",
		down:   12_000, up: 12_000, roundTrip: 70 * milli,
	},
	{
		name: "5G", description: "a mobile network of the fifth generation",
		source: "rates: medians of the world in Q3 2021, Ookla, \"Growing and Slowing: The State of 5G Worldwide in 2021\"; " +
			"delay and jitter: ours, within the 7 to 18 ms one way that Kottkamp (Rohde & Schwarz, " +
			"\"5G NR and LTE latency analysis in a public network\", 2022) measured; the queue is ours",
		down: 166_130, up: 21_080, roundTrip: 24 * milli, jitter: 4 * milli,
	},
	{
		name: "DSL", description: "an old telephone line (ADSL)",
		source: webPageTest + " [DSL]",
		down:   1500, up: 384, roundTrip: 50 * milli,
	},
	{
		name: "cable", description: "a television cable",
		source: webPageTest + " [Cable]",
		down:   5000, up: 1000, roundTrip: 28 * milli,
	},
	{
		name: "fibre", description: "glass to the home",
		source: webPageTest + " [FIOS]",
		down:   20_000, up: 5000, roundTrip: 4 * milli,
	},
	{
		name: "Wi-Fi", description: "a wireless network at home",
		source: "rates and round trip: the former preset WiFi of Chromium's DevTools, as WebdriverIO's throttleNetwork keeps it; " +
			"jitter and queue are ours",
		down: 30_000, up: 15_000, roundTrip: 2 * milli, jitter: milli,
	},
	{
		name: "satellite-GEO", description: "a geostationary satellite",
		source: "round trip: RFC 2488 section 2 has 558 ms for the propagation alone, to which we add 42 ms; " +
			"rates: the subscription in \"Fact checking Starlink's performance figures\" (blog.apnic.net, 2022-11-28); the queue is ours",
		down: 100_000, up: 10_000, roundTrip: 600 * milli,
	},
	{
		name: "satellite-LEO", description: "satellites in a low orbit, such as Starlink",
		source: "rates and round trip: medians in the USA in Q3 2021 by Ookla (advanced-television.com, 2021-12-22); " +
			"jitter: between the quartiles, 40 and 60 ms of round trip, of \"Fact checking Starlink's performance figures\" " +
			"(blog.apnic.net, 2022-11-28); loss and queue are ours",
		down: 87_250, up: 13_540, roundTrip: 44 * milli, jitter: 5 * milli, loss: 0.002, burst: 2,
	},
	{
		name: "data-center", description: "hosts on one switch of 10 Gbit/s that marks for DCTCP",
		source: "round trip: below the 250 us that Alizadeh et al. (\"Data Center TCP\", SIGCOMM 2010) give without queues; " +
			"rate and MarkAt: their 65 packets at 10 Gbit/s, as in the help of Linux's TCP_CONG_DCTCP; the queue, 1 ms, is ours",
		down: 10_000_000, up: 10_000_000, roundTrip: 200 * time.Microsecond,
		queue: milli, markAt: 65 * 1500,
	},
	{
		name: "bad", description: "slow, late, and lossy in bursts: nothing should break on it, though nothing is quick",
		source: "ours: worse in each respect than one wants, measured nowhere",
		down:   400, up: 200, roundTrip: 500 * milli, jitter: 100 * milli, loss: 0.05, burst: 3,
	},
}
