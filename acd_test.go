package berth_test

import (
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"example.com/berth"
	"example.com/berth/link/wire"
)

// addrOf is what an interface says of an address.
func addrOf(t *testing.T, h *berth.Host, a netip.Addr) berth.Addr {
	t.Helper()
	for _, x := range h.Interfaces()[1].Addrs() {
		if x.Prefix.Addr() == a {
			return x
		}
	}
	t.Fatalf("no address %v", a)
	return berth.Addr{}
}

// An address is probed for, and used when nobody answers (RFC 5227 section 2.1).
func TestAnAddressIsProbedForBeforeItIsUsed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		alice, bob := pairWith(t, berth.Config{DetectConflicts: true}, nil, wire.Ethernet())
		if a := addrOf(t, alice, alice4); !a.Tentative {
			t.Error("it is used at once")
		}
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if a := addrOf(t, alice, alice4); a.Tentative {
			t.Error("ten seconds later it is not used")
		}
		c, s := connected(t, alice, bob, bob4)
		transfer(t, c, s, 10_000)
	})
}

// The address of another host is never used, and that host keeps it.
func TestAnAddressThatSomebodyHasIsNotUsed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sw := wire.NewSwitch()
		first := hostOn(t, berth.Config{}, sw.Port(), "10.0.0.1/24")
		second := hostOn(t, berth.Config{DetectConflicts: true}, sw.Port(), "10.0.0.1/24", "10.0.0.2/24")
		third := hostOn(t, berth.Config{}, sw.Port(), "10.0.0.3/24")
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if a := addrOf(t, second, alice4); !a.Tentative {
			t.Error("the address of another host is used")
		}
		if a := addrOf(t, second, bob4); a.Tentative {
			t.Error("the other address is not used")
		}
		if n := second.Counters().Neighbor.Duplicates.Load(); n == 0 {
			t.Error("the conflict was not counted")
		}
		c, s := connected(t, third, first, alice4)
		transfer(t, c, s, 10_000)
	})
}

// An address in use is defended: whoever claims it hears that it is taken
// (RFC 5227 section 2.4).
func TestAnAddressIsDefended(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sw := wire.NewSwitch()
		first := hostOn(t, berth.Config{DetectConflicts: true}, sw.Port(), "10.0.0.1/24")
		time.Sleep(10 * time.Second)
		late := hostOn(t, berth.Config{DetectConflicts: true}, sw.Port(), "10.0.0.1/24")
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if a := addrOf(t, late, alice4); !a.Tentative {
			t.Error("the second host uses it too")
		}
		if a := addrOf(t, first, alice4); a.Tentative {
			t.Error("the first host gave it up")
		}
	})
}
