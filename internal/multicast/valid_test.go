package multicast

import "testing"

func TestValidityOfPackets(t *testing.T) {
	const router, link, global = "10.0.0.1", "fe80::9", "2001:db8::9"
	for _, tt := range []struct {
		name    string
		p       Packet
		version int
		general bool
		want    error
	}{
		{"IGMPv3", Packet{at(router), at("224.0.0.1"), 1, true}, 3, true, nil},
		{"IGMPv2", Packet{at(router), at("224.0.0.1"), 1, true}, 2, true, nil},
		{"IGMPv1", Packet{at(router), at("224.0.0.1"), 1, false}, 1, true, nil},
		{"IGMP from 0.0.0.0, of a snooping switch", Packet{at("0.0.0.0"), at("224.0.0.1"), 1, true}, 3, true, nil},
		{"IGMPv2 without router alert", Packet{at(router), at("224.0.0.1"), 1, false}, 2, true, ErrRouterAlert},
		{"IGMP from afar", Packet{at(router), at("224.0.0.1"), 2, true}, 3, true, ErrTTL},
		{"general to a group", Packet{at(router), at("239.1.1.1"), 1, true}, 3, true, ErrDestination},
		{"general to us", Packet{at(router), at("10.0.0.2"), 1, true}, 3, true, nil},
		{"for a group", Packet{at(router), at("239.1.1.1"), 1, true}, 3, false, nil},
		{"MLDv2", Packet{at(link), at("ff02::1"), 1, true}, 2, true, nil},
		{"MLDv1", Packet{at(link), at("ff02::1%eth0"), 1, true}, 1, true, nil},
		{"MLDv1 without router alert", Packet{at(link), at("ff02::1"), 1, false}, 1, true, ErrRouterAlert},
		{"MLD of a global address", Packet{at(global), at("ff02::1"), 1, true}, 2, true, ErrSource},
		{"MLD from ::", Packet{at("::"), at("ff02::1"), 1, true}, 2, true, ErrSource},
		{"MLD from afar", Packet{at(link), at("ff02::1"), 64, true}, 2, true, ErrTTL},
	} {
		if got := tt.p.CheckQuery(tt.version, tt.general); got != tt.want {
			t.Errorf("query: %s: %v, want %v", tt.name, got, tt.want)
		}
	}
	for _, tt := range []struct {
		name  string
		p     Packet
		group string
		want  error
	}{
		{"IGMP", Packet{at(router), at("239.1.1.1"), 1, false}, "239.1.1.1", nil},
		{"IGMP to another group", Packet{at(router), at("224.0.0.1"), 1, true}, "239.1.1.1", ErrDestination},
		{"IGMP from afar", Packet{at(router), at("239.1.1.1"), 9, true}, "239.1.1.1", ErrTTL},
		{"MLD", Packet{at(link), at("ff15::1"), 1, true}, "ff15::1", nil},
		{"MLD from ::", Packet{at("::"), at("ff15::1"), 1, true}, "ff15::1", ErrSource},
	} {
		if got := tt.p.CheckReport(at(tt.group)); got != tt.want {
			t.Errorf("report: %s: %v, want %v", tt.name, got, tt.want)
		}
	}
}
