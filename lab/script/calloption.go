package script

import (
	"fmt"
	"strings"
	"syscall"

	"example.com/berth/socket"
)

// option reads the arguments that getsockopt and setsockopt have in common: the
// descriptor, and the option by its level and its name.
func (r *run) option(c *call) (f *file, id socket.OptionID, err *Error) {
	if err = c.want(5); err != nil {
		return nil, id, err
	}
	if f, err = r.file(&c.args[0]); err != nil {
		return nil, id, err
	}
	level, err := r.int(&c.args[1])
	if err != nil {
		return nil, id, err
	}
	name, err := r.int(&c.args[2])
	return f, socket.OptionID{Level: int(level), Name: int(name)}, err
}

// withoutEffect are options that berth does not have and that no packet of a script
// depends on, with the reason.
var withoutEffect = map[socket.OptionID]string{
	optionNames["SO_DEBUG"]:    diagnostics,
	optionNames["SO_MARK"]:     processing,
	optionNames["SO_PRIORITY"]: processing,
}

// callSetsockopt is setsockopt(fd, level, option, value, length).
func callSetsockopt(r *run, c *call) (*running, *Error) {
	f, id, err := r.option(c)
	if err != nil {
		return nil, err
	}
	value, err := r.optionValue(id, &c.args[3])
	if err != nil {
		return nil, err
	}
	if why := withoutEffect[id]; why != "" && r.system() == nil {
		r.remark("%v: the option has no effect here: %s", c.pos, why)
		return f.run(func() (int64, error) { return 0, nil }), nil
	}
	return f.run(func() (int64, error) {
		err := f.sock.SetOption(id, value)
		if err == nil {
			r.learnKey(value)
		}
		return 0, err
	}), nil
}

// optionValue is the value of an option: a number, a text or a struct.
func (r *run) optionValue(id socket.OptionID, e *expr) (any, *Error) {
	if e.kind == exprList && len(e.list) == 1 && e.list[0].kind != exprList {
		e = &e.list[0]
	}
	switch {
	case e.kind == exprText && id == socket.TCP_FASTOPEN_KEY.ID:
		return []byte(e.text), nil
	case e.kind == exprText:
		return e.text, nil
	case e.kind == exprStruct && e.field("onoff") != nil && e.field("linger") != nil:
		on, err := r.int(e.field("onoff"))
		if err != nil {
			return nil, err
		}
		secs, err := r.int(e.field("linger"))
		return socket.Linger{On: on != 0, Seconds: int(secs)}, err
	case e.kind == exprStruct:
		return r.structValue(id, e)
	}
	n, err := r.int(e)
	return int(n), err
}

// callGetsockopt is getsockopt(fd, level, option, [value], [length]).
func callGetsockopt(r *run, c *call) (*running, *Error) {
	f, id, err := r.option(c)
	if err != nil {
		return nil, err
	}
	var got any
	g := f.run(func() (_ int64, err error) {
		got, err = f.sock.Option(id)
		return 0, err
	})
	g.verify = func() *Error { return r.sameOption(id, &c.args[3], got) }
	return g, nil
}

// sameOption compares the value of an option; of a struct the fields that the
// script names.
func (r *run) sameOption(id socket.OptionID, e *expr, got any) *Error {
	if e.kind == exprAny || e.kind == exprList && len(e.list) == 1 && e.list[0].kind == exprAny {
		return nil
	}
	switch got := got.(type) {
	case int:
		return r.same(e, int64(got))
	case uint32:
		return r.same(e, int64(got))
	case []byte:
		want, err := r.optionValue(id, e)
		if b, _ := want.([]byte); err == nil && string(b) != string(got) {
			err = errorf(e.pos, "the option is %x, not %x", got, b)
		}
		return err
	}
	if fields := structFields(got); fields != nil && e.kind == exprStruct {
		return r.sameFields(e, fields)
	}
	want, err := r.optionValue(id, e)
	if err == nil && fmt.Sprint(want) != strings.TrimRight(fmt.Sprint(got), "\x00") {
		err = errorf(e.pos, "the option is %v, not %v", got, want)
	}
	return err
}

// sameFields compares fields of a struct.
func (r *run) sameFields(e *expr, got map[string]int64) *Error {
	for i := range e.fields {
		f := &e.fields[i]
		v, ok := got[f.name]
		if !ok {
			return unsupported(f.value.pos, "the field %s", f.name)
		}
		if err := r.same(&f.value, v); err != nil {
			err.Message = f.name + ": " + err.Message
			return err
		}
	}
	return nil
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
