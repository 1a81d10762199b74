package nat

import "testing"

// TestRequirements is the list of what RFC 4787, RFC 5382 and RFC 5508 ask of a
// translator, with the test that shows each, or with whose it is.
func TestRequirements(t *testing.T) {
	for _, r := range []struct {
		name   string
		test   func(*testing.T)
		theirs string
	}{
		{"RFC 4787/REQ-1 endpoint-independent mapping", oneMappingForAllRemotes, ""},
		{"RFC 4787/REQ-2 paired addresses", aHostKeepsItsAddress, ""},
		{"RFC 4787/REQ-3 no port overloading", noPortIsGivenTwice, ""},
		{"RFC 4787/REQ-3a well-known ports apart", wellKnownPortsStayApart, ""},
		{"RFC 4787/REQ-4 port parity", parityIsKept, ""},
		{"RFC 4787/REQ-5 5 min of UDP", timeouts, ""},
		{"RFC 4787/REQ-6 outbound refresh", whichWayRefreshes, ""},
		{"RFC 4787/REQ-7 conflicting addresses", nil, "the router's, when it configures its outside"},
		{"RFC 4787/REQ-8 filtering", nil, "TestWhatSTUNSees"},
		{"RFC 4787/REQ-9 hairpinning", hairpins, ""},
		{"RFC 4787/REQ-10 no gateways for applications", payloadsAreLeftAlone, ""},
		{"RFC 4787/REQ-11 deterministic", theSameEachTime, ""},
		{"RFC 4787/REQ-12 ICMP ends no mapping", errorsChangeNothing, ""},
		{"RFC 4787/REQ-12a ICMP from anyone", errorsComeFromRouters, ""},
		{"RFC 4787/REQ-13 fragmentation needed", nil, "the router's, before it calls Out"},
		{"RFC 4787/REQ-14 fragments", fragmentsFollowTheFirst, "the rest the router's, who may reassemble first"},
		{"RFC 5382/REQ-1 endpoint-independent mapping", oneMappingForAllRemotes, ""},
		{"RFC 5382/REQ-2 all sequences of TCP", nil, "TestTCPStates, TestTCPHolePunching"},
		{"RFC 5382/REQ-3 filtering", nil, "TestWhatSTUNSees"},
		{"RFC 5382/REQ-4 unsolicited SYNs", unsolicitedSYNs, ""},
		{"RFC 5382/REQ-5 2 h 4 min and 4 min", timeouts, ""},
		{"RFC 5382/REQ-6 no gateways for applications", payloadsAreLeftAlone, ""},
		{"RFC 5382/REQ-7 no port overloading", noPortIsGivenTwice, ""},
		{"RFC 5382/REQ-8 hairpinning", hairpins, ""},
		{"RFC 5382/REQ-9 unreachable messages", nil, "TestErrors"},
		{"RFC 5382/REQ-10 ICMP ends no mapping", errorsChangeNothing, ""},
		{"RFC 5508/REQ-1 queries", queries, ""},
		{"RFC 5508/REQ-2 60 s", timeouts, ""},
		{"RFC 5508/REQ-3 damaged errors", damagedErrors, ""},
		{"RFC 5508/REQ-4 errors from outside", nil, "TestErrors"},
		{"RFC 5508/REQ-5 errors from inside", nil, "TestErrors"},
		{"RFC 5508/REQ-6 errors refresh nothing", errorsChangeNothing, ""},
		{"RFC 5508/REQ-7 hairpinned errors", hairpinnedErrors, ""},
		{"RFC 5508/REQ-8 prohibited", refusalsAreTold, "the message the router's"},
		{"RFC 5508/REQ-9 policy", nil, "the router's"},
		{"RFC 5508/REQ-10 which messages", whichMessages, ""},
		{"RFC 5508/REQ-11 other messages", whichMessages, ""},
	} {
		t.Run(r.name, func(t *testing.T) {
			if r.test == nil {
				t.Log(r.theirs)
				return
			}
			r.test(t)
		})
	}
}
