package script

import (
	"net/netip"
	"syscall"

	"example.com/berth/socket"
)

// receive makes a call that receives. Buffers have the lengths given.
func (r *run) receive(c *call, flags int64, lens []int, after func(*socket.Message) *Error) (*running, *Error) {
	f, err := r.file(&c.args[0])
	if err != nil {
		return nil, err
	}
	m := &socket.Message{}
	total, got := 0, 0
	for _, n := range lens {
		m.Buffers = append(m.Buffers, make([]byte, n))
		total += n
	}
	all := socket.Flags(flags)&socket.MSG_WAITALL != 0 && f.typ == socket.STREAM && !f.nonblock
	g := f.wait(flags, func() (int64, error) {
		n, err := f.sock.RecvMsg(m, socket.Flags(flags))
		if got += n; all && n > 0 && got < total && err == nil && !atMark(f.sock) {
			m.Buffers = [][]byte{make([]byte, total-got)}
			return 0, syscall.EAGAIN
		}
		if all && got > 0 && err != syscall.EAGAIN {
			return int64(got), nil
		}
		return int64(n), err
	})
	if socket.Flags(flags)&(socket.MSG_OOB|socket.MSG_ERRQUEUE) != 0 {
		g.waits = false
	}
	if after != nil {
		g.verify = func() *Error { return after(m) }
	}
	return g, nil
}

// atMark tells whether a socket's next byte is the urgent one, at which a call
// that waits for all ends.
func atMark(s socket.Socket) bool {
	at, err := s.AtMark()
	return at && err == nil
}

// length is an argument that is the length of a buffer.
func (r *run) length(e *expr) (int, *Error) {
	const most = 64 << 20
	n, err := r.int(e)
	if err == nil && (n < 0 || n > most) {
		err = errorf(e.pos, "a length is from 0 to %d, not %d", most, n)
	}
	return int(n), err
}

// data reads arguments that are a buffer and its length. NULL is a place that the
// call cannot use.
func (r *run) data(buffer, length *expr) (n int, null bool, err *Error) {
	n, err = r.length(length)
	return n, n > 0 && buffer.kind == exprWord && buffer.text == "NULL", err
}

// dataAndFlags reads the arguments of recv and send from the second on: (fd, ..., n,
// flags).
func (r *run) dataAndFlags(c *call) (n int, null bool, flags int64, err *Error) {
	if n, null, err = r.data(&c.args[1], &c.args[2]); err == nil {
		flags, err = r.int(&c.args[3])
	}
	return n, null, flags, err
}

// fault makes a call that fails for the place of its buffer.
func (r *run) fault(c *call) (*running, *Error) {
	f, err := r.file(&c.args[0])
	if err != nil {
		return nil, err
	}
	return f.run(func() (int64, error) { return -1, syscall.EFAULT }), nil
}

// callRead is read(fd, ..., n).
func callRead(r *run, c *call) (*running, *Error) {
	if err := c.want(3); err != nil {
		return nil, err
	}
	n, null, err := r.data(&c.args[1], &c.args[2])
	switch {
	case err != nil:
		return nil, err
	case null:
		return r.fault(c)
	}
	return r.receive(c, 0, []int{n}, nil)
}

// callRecv is recv(fd, ..., n, flags).
func callRecv(r *run, c *call) (*running, *Error) {
	if err := c.want(4); err != nil {
		return nil, err
	}
	n, null, flags, err := r.dataAndFlags(c)
	switch {
	case err != nil:
		return nil, err
	case null:
		return r.fault(c)
	}
	return r.receive(c, flags, []int{n}, nil)
}

// callRecvfrom is recvfrom(fd, ..., n, flags, address, length).
func callRecvfrom(r *run, c *call) (*running, *Error) {
	if err := c.want(6); err != nil {
		return nil, err
	}
	n, null, flags, err := r.dataAndFlags(c)
	switch {
	case err != nil:
		return nil, err
	case null:
		return r.fault(c)
	}
	from := &c.args[4]
	return r.receive(c, flags, []int{n}, func(m *socket.Message) *Error {
		if from.kind != exprStruct {
			return nil
		}
		want, err := r.sockaddr(from, m.Addr)
		if err == nil && plain(want) != plain(m.Addr) {
			err = errorf(from.pos, "the sender is %v, not %v", m.Addr, want)
		}
		return err
	})
}

// iovecs are the lengths of the buffers in [{..., 100}, {..., 200}].
func (r *run) iovecs(e *expr) (lens []int, err *Error) {
	if e == nil || e.kind != exprList {
		return nil, errorf(e.position(), "a list of buffers is expected")
	}
	for i := range e.list {
		v := &e.list[i]
		if v.kind != exprList || len(v.list) != 2 {
			return nil, errorf(v.pos, "a buffer is {..., length}, not %v", v)
		}
		n, err := r.length(&v.list[1])
		if err != nil {
			return nil, err
		}
		lens = append(lens, n)
	}
	return lens, nil
}

func (e *expr) position() Pos {
	if e == nil {
		return Pos{}
	}
	return e.pos
}

// callReadv is readv(fd, buffers, n).
func callReadv(r *run, c *call) (*running, *Error) {
	if err := c.want(3); err != nil {
		return nil, err
	}
	lens, err := r.iovecs(&c.args[1])
	if err != nil {
		return nil, err
	}
	return r.receive(c, 0, lens, nil)
}

// msghdr reads the arguments of recvmsg and sendmsg: (fd, message, flags).
func (r *run) msghdr(c *call) (h *expr, lens []int, flags int64, err *Error) {
	if err = c.want(3); err != nil {
		return nil, nil, 0, err
	}
	h = &c.args[1]
	if lens, err = r.iovecs(h.field("msg_iov")); err == nil {
		flags, err = r.int(&c.args[2])
	}
	return h, lens, flags, err
}

// callRecvmsg is recvmsg(fd, message, flags).
func callRecvmsg(r *run, c *call) (*running, *Error) {
	h, lens, flags, err := r.msghdr(c)
	if err != nil {
		return nil, err
	}
	return r.receive(c, flags, lens, func(m *socket.Message) *Error {
		if f := h.field("msg_flags"); f != nil {
			if err := r.same(f, int64(m.Flags)); err != nil {
				return err
			}
		}
		if f := h.field("msg_control"); f != nil {
			return r.control(f, m)
		}
		return nil
	})
}

// send makes a call that sends pieces of the lengths given.
func (r *run) send(c *call, flags int64, lens []int, to netip.AddrPort, control socket.Control) (*running, *Error) {
	f, err := r.file(&c.args[0])
	if err != nil {
		return nil, err
	}
	m := &socket.Message{Control: control}
	if to.IsValid() {
		m.Addr = f.form(to)
	}
	total, sent := 0, 0
	for _, n := range lens {
		m.Buffers = append(m.Buffers, make([]byte, n))
		total += n
	}
	return f.wait(flags, func() (int64, error) {
		n, err := f.sock.SendMsg(m, socket.Flags(flags))
		sent += n
		if n > 0 && socket.Flags(flags)&socket.MSG_ZEROCOPY != 0 {
			f.copies++
		}
		switch {
		case err != nil && err != syscall.EAGAIN && sent > 0:
			return int64(sent), nil
		case err != nil:
			return int64(n), err
		case f.typ == socket.STREAM && sent < total && !f.nonblock && socket.Flags(flags)&socket.MSG_DONTWAIT == 0:
			m.Buffers = [][]byte{make([]byte, total-sent)}
			return 0, syscall.EAGAIN
		}
		return int64(sent), nil
	}), nil
}

// callWrite is write(fd, ..., n).
func callWrite(r *run, c *call) (*running, *Error) {
	if err := c.want(3); err != nil {
		return nil, err
	}
	n, null, err := r.data(&c.args[1], &c.args[2])
	switch {
	case err != nil:
		return nil, err
	case null:
		return r.fault(c)
	}
	return r.send(c, 0, []int{n}, netip.AddrPort{}, socket.Control{})
}

// callWritev is writev(fd, buffers, n).
func callWritev(r *run, c *call) (*running, *Error) {
	if err := c.want(3); err != nil {
		return nil, err
	}
	lens, err := r.iovecs(&c.args[1])
	if err != nil {
		return nil, err
	}
	return r.send(c, 0, lens, netip.AddrPort{}, socket.Control{})
}

// callSend is send(fd, ..., n, flags).
func callSend(r *run, c *call) (*running, *Error) {
	if err := c.want(4); err != nil {
		return nil, err
	}
	n, null, flags, err := r.dataAndFlags(c)
	switch {
	case err != nil:
		return nil, err
	case null:
		return r.fault(c)
	}
	return r.send(c, flags, []int{n}, netip.AddrPort{}, socket.Control{})
}

// callSendto is sendto(fd, ..., n, flags, address, length).
func callSendto(r *run, c *call) (*running, *Error) {
	if err := c.want(6); err != nil {
		return nil, err
	}
	n, null, flags, err := r.dataAndFlags(c)
	switch {
	case err != nil:
		return nil, err
	case null:
		return r.fault(c)
	}
	to, err := r.sockaddr(&c.args[4], netip.AddrPortFrom(r.setup.remote, defaultPort))
	if err != nil {
		return nil, err
	}
	return r.send(c, flags, []int{n}, to, socket.Control{})
}

// callSendmsg is sendmsg(fd, message, flags).
func callSendmsg(r *run, c *call) (*running, *Error) {
	h, lens, flags, err := r.msghdr(c)
	if err != nil {
		return nil, err
	}
	var control socket.Control
	if f := h.field("msg_control"); f != nil {
		if control, err = r.controlToSend(f); err != nil {
			return nil, err
		}
	}
	var to netip.AddrPort
	if f := h.field("msg_name"); f != nil && f.kind == exprStruct {
		if to, err = r.sockaddr(f, netip.AddrPort{}); err != nil {
			return nil, err
		}
	}
	return r.send(c, flags, lens, to, control)
}
