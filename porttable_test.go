package berth

import (
	"slices"
	"testing"
)

func TestPortTable(t *testing.T) {
	var table portTable[string]
	bind := func(port uint16, names ...string) {
		for _, name := range names {
			table.change(port, func(all []string) []string { return append(all, name) })
		}
	}
	bind(0, "a")
	bind(53, "b", "c")
	bind(309, "d") // 53 of the next page
	bind(65535, "e")
	before := table.on(53)
	table.change(53, func(all []string) []string { return slices.Delete(all, 0, 1) })
	table.change(309, func([]string) []string { return nil })
	if !slices.Equal(before, []string{"b", "c"}) {
		t.Errorf("who has looked before a change sees %q", before)
	}
	for port, want := range map[uint16][]string{0: {"a"}, 1: nil, 53: {"c"}, 309: nil, 1024: nil, 65535: {"e"}} {
		if got := table.on(port); !slices.Equal(got, want) {
			t.Errorf("on port %d: %q, want %q", port, got, want)
		}
	}
}

func BenchmarkPortTable(b *testing.B) {
	var table portTable[string]
	table.change(53, func(all []string) []string { return append(all, "a") })
	b.ReportAllocs()
	for b.Loop() {
		if len(table.on(53)) != 1 {
			b.Fatal("not there")
		}
	}
}
