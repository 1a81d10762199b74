package berth

import (
	"net/netip"
	"testing"
)

// The table is a map, whatever it has in it.
func TestAddrTable(t *testing.T) {
	at := func(i int) netip.Addr {
		if i%2 == 0 {
			return netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)})
		}
		return netip.AddrFrom16([16]byte{0xfe, 0x80, 14: byte(i >> 8), 15: byte(i)}).WithZone("eth0")
	}
	var table addrTable[int]
	for n := range 4 * fewAddrs {
		table.set(at(n), -1)
		table.set(at(n), n) // again: replaced
		for i := range 4 * fewAddrs {
			if v, ok := table.get(at(i)); ok != (i <= n) || ok && v != i {
				t.Fatalf("of %d addresses, number %d gives %d, %v", n+1, i, v, ok)
			}
		}
		if table.has(at(1).WithZone("eth1")) {
			t.Fatal("a zone makes no difference")
		}
	}
}
