package script

import (
	"fmt"
	"strings"
	"syscall"

	"example.com/berth/socket"
)

// optionOf is the option that two arguments name.
func (r *run) optionOf(level, name *expr) (id socket.OptionID, err *Error) {
	l, err := r.int(level)
	if err != nil {
		return id, err
	}
	n, err := r.int(name)
	return socket.OptionID{Level: int(l), Name: int(n)}, err
}

// callSetsockopt is setsockopt(fd, level, option, value, length).
func callSetsockopt(r *run, c *call) (*running, *Error) {
	if err := c.want(5); err != nil {
		return nil, err
	}
	f, err := r.file(&c.args[0])
	if err != nil {
		return nil, err
	}
	id, err := r.optionOf(&c.args[1], &c.args[2])
	if err != nil {
		return nil, err
	}
	value, err := r.optionValue(&c.args[3])
	if err != nil {
		return nil, err
	}
	return f.run(func() (int64, error) { return 0, f.sock.SetOption(id, value) }), nil
}

// optionValue is the value of an option: a number, a text or a struct linger.
func (r *run) optionValue(e *expr) (any, *Error) {
	switch {
	case e.kind == exprText:
		return e.text, nil
	case e.kind == exprList && len(e.list) == 1 && e.list[0].kind == exprText:
		return e.list[0].text, nil
	case e.kind == exprStruct && e.field("onoff") != nil && e.field("linger") != nil:
		on, err := r.int(e.field("onoff"))
		if err != nil {
			return nil, err
		}
		secs, err := r.int(e.field("linger"))
		return socket.Linger{On: on != 0, Seconds: int(secs)}, err
	case e.kind == exprStruct:
		return nil, unsupported(e.pos, "the option's value %v", e)
	}
	n, err := r.int(e)
	return int(n), err
}

// callGetsockopt is getsockopt(fd, level, option, [value], [length]).
func callGetsockopt(r *run, c *call) (*running, *Error) {
	if err := c.want(5); err != nil {
		return nil, err
	}
	f, err := r.file(&c.args[0])
	if err != nil {
		return nil, err
	}
	id, err := r.optionOf(&c.args[1], &c.args[2])
	if err != nil {
		return nil, err
	}
	var got any
	g := f.run(func() (_ int64, err error) {
		got, err = f.sock.Option(id)
		return 0, err
	})
	g.verify = func() *Error { return r.sameOption(&c.args[3], got) }
	return g, nil
}

// sameOption compares the value of an option.
func (r *run) sameOption(e *expr, got any) *Error {
	if e.kind == exprAny || e.kind == exprList && len(e.list) == 1 && e.list[0].kind == exprAny {
		return nil
	}
	switch got := got.(type) {
	case int:
		return r.same(e, int64(got))
	case uint32:
		return r.same(e, int64(got))
	}
	want, err := r.optionValue(e)
	if err == nil && fmt.Sprint(want) != strings.TrimRight(fmt.Sprint(got), "\x00") {
		err = errorf(e.pos, "the option is %v, not %v", got, want)
	}
	return err
}

// errnoName is the name of an error: EAGAIN.
func errnoName(e syscall.Errno) string {
	for name, v := range errnos {
		if v == e {
			return name
		}
	}
	return fmt.Sprintf("errno %d", int(e))
}
