package header

import (
	"encoding/hex"
	"strings"
	"testing"
)

// How the option stands among the others, as Linux writes it: aligned by NOPs behind
// it, or by those that the next one would have begun with.
func TestAccECNAmongOtherOptions(t *testing.T) {
	const sack = "05 0a 00000001 00000002"
	with := func(order AccECNOrder, fields uint8, o TCPOptions) TCPOptions {
		o.AccECN = AccECN{Order: order, Fields: fields, ECT0: 1, CE: 2, ECT1: 3}
		o.SACK = [4]SACKBlock{{1, 2}, {1, 2}, {1, 2}, {1, 2}}
		return o
	}
	for _, tt := range []struct {
		name string
		o    TCPOptions
		want string
	}{
		{"empty", with(AccECN1, 0, TCPOptions{}), "ae 02 01 01"},
		{"one field", with(AccECN1, 1, TCPOptions{}), "ae 05 000003 01 01 01"},
		{"order 0", with(AccECN0, 1, TCPOptions{}), "ac 05 000001 01 01 01"},
		{"two fields", with(AccECN0, 2, TCPOptions{}), "ac 08 000001 000002"},
		{"three fields", with(AccECN0, 3, TCPOptions{}), "ac 0b 000001 000002 000003 01"},
		{"three fields, order 1", with(AccECN1, 3, TCPOptions{}), "ae 0b 000003 000002 000001 01"},
		{"before SACK permitted", with(AccECN1, 3, TCPOptions{SACKPermitted: true}), "ae 0b 000003 000002 000001 01 01 01 04 02"},
		{"empty before SACK permitted", with(AccECN1, 0, TCPOptions{SACKPermitted: true}), "ae 02 04 02"},
		{"one field before SACK permitted", with(AccECN1, 1, TCPOptions{SACKPermitted: true}), "ae 05 000003 01 04 02"},
		{"empty before the window scale", with(AccECN1, 0, TCPOptions{HasWScale: true, WScale: 7}), "ae 02 01 01 01 03 03 07"},
		{"one field before the window scale", with(AccECN1, 1, TCPOptions{HasWScale: true, WScale: 7}), "ae 05 000003 03 03 07"},
		{"empty before SACK", with(AccECN1, 0, TCPOptions{SACKCount: 1}), "ae 02" + sack},
		{"one field before SACK", with(AccECN1, 1, TCPOptions{SACKCount: 1}), "ae 05 000003 01" + sack},
		{"three fields before SACK", with(AccECN1, 3, TCPOptions{SACKCount: 1}), "ae 0b 000003 000002 000001 01 01 01" + sack},
		{
			"no room left for SACK", with(AccECN0, 0, TCPOptions{FastOpen: FastOpen{Present: true, Len: 16}, HasTS: true, SACKCount: 1}),
			"01 01 08 0a 00000000 00000000 ac 02 01 01 22 12" + strings.Repeat("00", 16) + "01 01",
		},
	} {
		want := strings.ReplaceAll(tt.want, " ", "")
		if got := hex.EncodeToString(tt.o.Append(nil)); got != want || tt.o.Len() != len(want)/2 {
			t.Errorf("%s: length %d\n got %s\nwant %s", tt.name, tt.o.Len(), got, want)
		}
	}
}

// Room: with timestamps there is room for three fields and one block, two and two,
// or for no field and three (RFC 9768 3.2.3.3).
func TestAccECNAndSACKShareTheSpace(t *testing.T) {
	for _, tt := range []struct{ fields, blocks, length int }{
		{3, 1, 36}, {2, 2, 40}, {1, 2, 36}, {0, 3, 40},
	} {
		o := TCPOptions{HasTS: true, SACKCount: 4, AccECN: AccECN{Order: AccECN1, Fields: uint8(tt.fields)}}
		if o.Blocks() != tt.blocks || o.Len() != tt.length || len(o.Append(nil)) != tt.length {
			t.Errorf("%d fields: %d blocks in %d bytes, want %d in %d", tt.fields, o.Blocks(), o.Len(), tt.blocks, tt.length)
		}
	}
}

func TestAccECNFieldsThatAreThere(t *testing.T) {
	for _, tt := range []struct {
		o              AccECN
		ect0, ce, ect1 bool
	}{
		{AccECN{}, false, false, false},
		{AccECN{Order: AccECN0}, false, false, false},
		{AccECN{Order: AccECN0, Fields: 1}, true, false, false},
		{AccECN{Order: AccECN1, Fields: 1}, false, false, true},
		{AccECN{Order: AccECN0, Fields: 2}, true, true, false},
		{AccECN{Order: AccECN1, Fields: 2}, false, true, true},
		{AccECN{Order: AccECN0, Fields: 3}, true, true, true},
	} {
		if tt.o.HasECT0() != tt.ect0 || tt.o.HasCE() != tt.ce || tt.o.HasECT1() != tt.ect1 {
			t.Errorf("%+v: %v %v %v", tt.o, tt.o.HasECT0(), tt.o.HasCE(), tt.o.HasECT1())
		}
	}
}
