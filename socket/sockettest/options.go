package sockettest

import (
	"syscall"

	"example.com/berth/socket"
)

// optionRow is what is known of one option whose value is a number: what it is
// at first, what it reads as after it was set, and what it refuses.
type optionRow struct {
	name    string
	option  socket.Option[int]
	on      []kind // the sockets that have it
	initial int    // fromSysctl where hosts differ
	reads   map[int]int
	refuses map[int]syscall.Errno
	needs   need
}

// fromSysctl is the initial value of options that a host configures.
const fromSysctl = -1 << 31

// kind makes a socket to try an option on.
type kind func(*T) socket.Socket

func a4(typ socket.Type, proto socket.Protocol) kind {
	return func(t *T) socket.Socket { return t.socket(t.A, socket.INET, typ, proto) }
}

func a6(typ socket.Type, proto socket.Protocol) kind {
	return func(t *T) socket.Socket { return t.socket(t.A, socket.INET6, typ, proto) }
}

var (
	tcp4, tcp6 = a4(socket.STREAM, 0), a6(socket.STREAM, 0)
	udp4, udp6 = a4(socket.DGRAM, 0), a6(socket.DGRAM, 0)
	raw4       = a4(socket.RAW, testing1)
	every      = []kind{tcp4, tcp6, udp4, udp6}
	streams    = []kind{tcp4, tcp6}
	over4      = []kind{tcp4, udp4}
	over6      = []kind{tcp6, udp6}
)

// switched is the values of an option that is on or off.
var switched = map[int]int{1: 1, 0: 0, 5: 1, -1: 1}

// einval is what refuses these values.
func einval(values ...int) map[int]syscall.Errno {
	m := make(map[int]syscall.Errno)
	for _, v := range values {
		m[v] = syscall.EINVAL
	}
	return m
}

// optionCases makes a case of each row.
func optionCases(subject string, table []optionRow) []rows {
	var all []rows
	for _, r := range table {
		all = append(all, rows{{
			Name:  subject + "/" + r.name,
			Rule:  "its initial value, what it reads as when set, and what it refuses",
			needs: r.needs | ipv4 | ipv6,
			run: func(t *T) {
				for _, k := range r.on {
					r.check(t, k)
				}
			},
		}})
	}
	return all
}

func (r *optionRow) check(t *T, k kind) {
	s := k(t)
	what := r.name + " of " + socketName(t, s)
	if r.initial != fromSysctl {
		equal(t, what+" at first", get(t, s, r.option), r.initial)
	}
	for v, want := range r.reads {
		s := k(t)
		set(t, s, r.option, v)
		if got := get(t, s, r.option); got != want {
			t.Errorf("%s set to %d: %d, want %d", what, v, got, want)
		}
	}
	before, _ := socket.Get(s, r.option)
	for v, want := range r.refuses {
		if err := socket.Set(s, r.option, v); err != want {
			t.Errorf("%s set to %d: %s, want %s", what, v, errName(err), errName(want))
		}
	}
	if len(r.refuses) > 0 && r.initial != fromSysctl {
		equal(t, what+" after it refused", get(t, s, r.option), before)
	}
	if err := s.SetOption(r.option.ID, "1"); err != syscall.EINVAL {
		t.Errorf("%s set to a string: %s, want EINVAL", what, errName(err))
	}
}

func socketName(t *T, s socket.Socket) string {
	return socket.Domain(get(t, s, socket.SO_DOMAIN)).String() + " " + socket.Type(get(t, s, socket.SO_TYPE)).String()
}

// lacks fails unless the option can neither be set nor read on s.
func lacks(t *T, s socket.Socket, o socket.Option[int], toSet, toGet syscall.Errno) {
	t.Helper()
	if err := socket.Set(s, o, 1); err != toSet {
		t.Errorf("setting %v of %s: %s, want %s", o.ID, socketName(t, s), errName(err), errName(toSet))
	}
	if _, err := socket.Get(s, o); err != toGet {
		t.Errorf("getting %v of %s: %s, want %s", o.ID, socketName(t, s), errName(err), errName(toGet))
	}
}
