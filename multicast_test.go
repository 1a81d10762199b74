package berth_test

import "net/netip"

// Groups of the tests, and the routers' ones that reports go to.
var (
	groupA4 = netip.MustParseAddr("239.1.1.1")
	groupA6 = netip.MustParseAddr("ff15::1")
)
