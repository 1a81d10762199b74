package list

import (
	"slices"
	"testing"
)

// A thing is in two lists at once.
type thing struct {
	name     string
	use, age Node
}

func names(l *List[*thing]) (s string) {
	for x := range l.All {
		s += x.name
	}
	return s
}

func things(names string) (all []*thing) {
	for _, c := range names {
		all = append(all, &thing{name: string(c)})
	}
	return all
}

func TestOrder(t *testing.T) {
	for _, tt := range []struct {
		name string
		do   func(l *List[*thing], x []*thing)
		want string
	}{
		{"as they were put", func(*List[*thing], []*thing) {}, "abc"},
		{"the oldest again", func(l *List[*thing], x []*thing) { l.Put(&x[0].use, x[0]) }, "bca"},
		{"one in the middle again", func(l *List[*thing], x []*thing) { l.Put(&x[1].use, x[1]) }, "acb"},
		{"the newest again", func(l *List[*thing], x []*thing) { l.Put(&x[2].use, x[2]) }, "abc"},
		{"the oldest leaves", func(_ *List[*thing], x []*thing) { x[0].use.Leave() }, "bc"},
		{"one in the middle leaves", func(_ *List[*thing], x []*thing) { x[1].use.Leave() }, "ac"},
		{"the newest leaves", func(_ *List[*thing], x []*thing) { x[2].use.Leave() }, "ab"},
		{"one leaves twice", func(_ *List[*thing], x []*thing) { x[1].use.Leave(); x[1].use.Leave() }, "ac"},
		{"one leaves and comes back", func(l *List[*thing], x []*thing) { x[0].use.Leave(); l.Put(&x[0].use, x[0]) }, "bca"},
		{"one by one", func(l *List[*thing], _ []*thing) {
			for l.Count() > 0 {
				l.Oldest().use.Leave()
			}
		}, ""},
		{"all while they are shown", func(l *List[*thing], _ []*thing) {
			for x := range l.All {
				x.use.Leave()
			}
		}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var l List[*thing]
			x := things("abc")
			for _, x := range x {
				l.Put(&x.use, x)
			}
			tt.do(&l, x)
			check(t, &l, tt.want)
			for _, x := range x { // what is left can be taken apart and put together again
				l.Put(&x.use, x)
			}
			check(t, &l, "abc")
		})
	}
}

// check holds a list against the names of its items, forwards and back.
func check(t *testing.T, l *List[*thing], want string) {
	t.Helper()
	if got := names(l); got != want || l.Count() != len(want) {
		t.Errorf("%q, %d of them, want %q", got, l.Count(), want)
	}
	back := ""
	for n := l.chain.newest; n != nil; n = n.prev {
		back = n.item.(*thing).name + back
		if !l.Has(n) {
			t.Errorf("%q is not in its list", n.item)
		}
	}
	if back != want {
		t.Errorf("%q from behind, want %q", back, want)
	}
	if oldest := l.Oldest(); (oldest == nil) != (want == "") || oldest != nil && oldest.name != want[:1] {
		t.Errorf("the oldest of %q is %v", want, oldest)
	}
}

func TestFromOneListToAnother(t *testing.T) {
	var from, to, ages List[*thing]
	x := things("abcd")
	for _, x := range x {
		from.Put(&x.use, x)
		ages.Put(&x.age, x)
	}
	to.Put(&x[2].use, x[2])
	to.Put(&x[0].use, x[0])
	check(t, &from, "bd")
	check(t, &to, "ca")
	if !to.Has(&x[2].use) || !from.Has(&x[1].use) || from.Has(&x[2].use) || !ages.Has(&x[1].age) {
		t.Error("a node is not where it was put")
	}
	if got := slices.Collect(ages.All); !slices.Equal(got, x) {
		t.Errorf("the other list has changed: %v", got)
	}
	x[2].use.Leave()
	if check(t, &to, "a"); to.Has(&x[2].use) {
		t.Error("what has left is still somewhere")
	}
}

func TestAllEndsEarly(t *testing.T) {
	var l List[*thing]
	for _, x := range things("abc") {
		l.Put(&x.use, x)
	}
	seen := ""
	for x := range l.All {
		if seen += x.name; x.name == "b" {
			break
		}
	}
	if seen != "ab" {
		t.Errorf("seen %q, want ab", seen)
	}
}

func TestMovesAllocateNothing(t *testing.T) {
	var l, other List[*thing]
	x := things("abc")
	if n := testing.AllocsPerRun(100, func() {
		for _, x := range x {
			l.Put(&x.use, x)
			other.Put(&x.use, x)
			l.Put(&x.use, x)
			x.age.Leave()
		}
		l.Oldest().use.Leave()
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkPut(b *testing.B) {
	var l List[*thing]
	x := make([]thing, 1024)
	b.ReportAllocs()
	for i := range b.N {
		x := &x[i%len(x)]
		l.Put(&x.use, x)
	}
}
