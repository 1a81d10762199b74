package header

import (
	"reflect"
	"strings"
	"testing"
	"time"
)

// advert returns a router advertisement with the given encoded options.
func advert(options string) []byte {
	return append((&RouterAdvert{}).Append(nil), options...)
}

// DEF-41.
func TestInvalidOptionsOfAnAdvertisementArePassedOver(t *testing.T) {
	zeros := func(n int) string { return strings.Repeat("\x00", n) }
	labels := strings.Repeat("\x3f"+strings.Repeat("a", 63), 3)
	for _, tt := range []struct {
		name, option string
	}{
		{"RDNSS without server", "\x19\x01" + zeros(6)},
		{"RDNSS of even length", "\x19\x04" + zeros(30)}, // CVE-2020-16898
		{"RDNSS of length 2", "\x19\x02" + zeros(14)},
		{"DNSSL without name", "\x1f\x01" + zeros(6)},
		{"DNSSL with zeros only", "\x1f\x02" + zeros(14)},
		{"DNSSL label beyond the end", "\x1f\x02" + zeros(6) + "\x08abcdefg"},
		{"DNSSL label without end", "\x1f\x02" + zeros(6) + "\x07abcdefg"},
		{"DNSSL compressed", "\x1f\x02" + zeros(6) + "\x01a\xc0\x0a" + zeros(4)},
		{"DNSSL with a space", "\x1f\x02" + zeros(6) + "\x01 " + zeros(6)},
		{"DNSSL with a dot in a label", "\x1f\x02" + zeros(6) + "\x03a.b" + zeros(4)},
		{"DNSSL name of 256 bytes", "\x1f\x22" + zeros(6) + strings.Repeat("\x3f"+strings.Repeat("a", 63), 4) + zeros(8)},
		{"DNSSL name of 256 bytes with its end", "\x1f\x21" + zeros(6) + labels + "\x3e" + strings.Repeat("a", 62) + zeros(1)},
		{"prefix of 129 bits", "\x03\x04\x81" + zeros(29)},
		{"prefix of length 3", "\x03\x03\x40" + zeros(21)},
		{"MTU of length 2", "\x05\x02" + zeros(14)},
		{"route of 65 bits in 8 bytes", "\x18\x02\x41" + zeros(13)},
		{"route of 1 bit in 0 bytes", "\x18\x01\x01" + zeros(5)},
		{"route of 129 bits", "\x18\x03\x81" + zeros(21)},
		{"route with reserved preference", "\x18\x01\x00\x10" + zeros(4)},
		{"route of length 4", "\x18\x04\x00" + zeros(29)},
		{"link address of another medium", "\x01\x02" + zeros(14)},
		{"unknown", "\xfd\x01abcdef"},
	} {
		var ra RouterAdvert
		if _, err := ra.Parse(advert(tt.option)); err != nil || !reflect.DeepEqual(ra, RouterAdvert{}) {
			t.Errorf("%s: %+v, %v", tt.name, ra, err)
		}
		// It does not keep those that follow from being read.
		if _, err := ra.Parse(advert(tt.option + "\x05\x01\x00\x00\x00\x00\x05\x00")); err != nil || ra.MTU != 1280 {
			t.Errorf("%s: hides the next option: %+v, %v", tt.name, ra, err)
		}
	}
}

func TestLongNoncesAreNotOurs(t *testing.T) {
	b := append((&NeighborSolicit{Target: addr("fe80::1")}).Append(nil), "\x0e\x02abcdefghijklmn"...)
	var ns NeighborSolicit
	if _, err := ns.Parse(b); err != nil || ns.HasNonce {
		t.Errorf("%+v, %v", ns, err)
	}
}

func TestWhatDoesNotFitAnAdvertisementIsCut(t *testing.T) {
	ra := RouterAdvert{
		RouterLifetime: 100 * time.Hour, ReachableTime: 10000 * time.Hour, RetransTimer: -time.Second, Preference: 100,
		RDNSS: []RDNSS{{}},
		DNSSL: []DNSSL{{Domains: []string{"good.example", "bad label.example", strings.Repeat("a", 64), strings.Repeat("a.", 200)}}},
	}
	for range 200 {
		ra.RDNSS[0].Servers = append(ra.RDNSS[0].Servers, addr("::1"))
	}
	var got RouterAdvert
	if _, err := got.Parse(ra.Append(nil)); err != nil {
		t.Fatal(err)
	}
	if got.RouterLifetime != 65535*time.Second || got.ReachableTime != 0xffffffff*time.Millisecond || got.RetransTimer != 0 || got.Preference != 1 {
		t.Errorf("%+v", got)
	}
	if n := len(got.RDNSS[0].Servers); n != 127 {
		t.Errorf("%d servers", n)
	}
	if d := got.DNSSL[0].Domains; len(d) != 1 || d[0] != "good.example" {
		t.Errorf("domains %q", d)
	}
}

func TestDomainsThatFitNoOptionAreLeftOut(t *testing.T) {
	name := strings.Repeat("abcdefghijklmno.", 15) + "x" // 242 bytes encoded
	m := RouterAdvert{DNSSL: []DNSSL{{Domains: []string{name, name, name, name, name, name, name, name, name, name}}}}
	var got RouterAdvert
	if _, err := got.Parse(m.Append(nil)); err != nil || len(got.DNSSL[0].Domains) != 8 {
		t.Errorf("%d domains, %v", len(got.DNSSL[0].Domains), err)
	}
}

func TestReservedPreferenceIsMedium(t *testing.T) {
	b := advert("")
	b[5] = 2 << raPreferenceShift
	ra := RouterAdvert{Preference: 1}
	if _, err := ra.Parse(b); err != nil || ra.Preference != 0 {
		t.Errorf("%d, %v", ra.Preference, err)
	}
}

func TestALongQuoteIsCutToOneOption(t *testing.T) {
	r := Redirect{Target: addr("fe80::1"), Destination: addr("::1"), Quoted: make([]byte, 3000)}
	var got Redirect
	if _, err := got.Parse(r.Append(nil)); err != nil || len(got.Quoted) != 2032 {
		t.Errorf("%d bytes, %v", len(got.Quoted), err)
	}
}

func TestTheLongestDomain(t *testing.T) {
	label := strings.Repeat("a", 63)
	for _, tt := range []struct {
		last int // length of the last label
		want int // domains
	}{{61, 1}, {62, 0}} { // 255 bytes encoded, and one more
		name := label + "." + label + "." + label + "." + label[:tt.last]
		m := RouterAdvert{DNSSL: []DNSSL{{Domains: []string{name, "b"}}}}
		var got RouterAdvert
		if _, err := got.Parse(m.Append(nil)); err != nil || len(got.DNSSL[0].Domains) != tt.want+1 {
			t.Errorf("%d characters: %+v, %v", len(name), got.DNSSL, err)
		}
	}
}
