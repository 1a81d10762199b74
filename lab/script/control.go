package script

import "example.com/berth/socket"

// cmsg is one control message: its type and its data.
func cmsg(h *expr) (typ, data *expr, err *Error) {
	typ, data = h.field("cmsg_type"), h.field("cmsg_data")
	if typ == nil || data == nil {
		return nil, nil, errorf(h.pos, "a control message has cmsg_level, cmsg_type and cmsg_data")
	}
	return typ, data, nil
}

// controlToSend reads ancillary data to send: the traffic class, and the hop
// limit.
func (r *run) controlToSend(e *expr) (c socket.Control, err *Error) {
	if e.kind != exprList {
		return c, errorf(e.pos, "a list of control messages is expected, not %v", e)
	}
	for i := range e.list {
		typ, data, err := cmsg(&e.list[i])
		if err != nil {
			return c, err
		}
		n, err := r.int(data)
		if err != nil {
			return c, err
		}
		switch typ.text {
		case "IP_TOS", "IPV6_TCLASS":
			c.TOS = int(n)
			c.Present |= socket.ControlTOS
		case "IP_TTL", "IPV6_HOPLIMIT":
			c.TTL = int(n)
			c.Present |= socket.ControlTTL
		default:
			return c, unsupported(typ.pos, "the control message %v to send", typ)
		}
	}
	return c, nil
}

// control compares ancillary data: the traffic class, the hop limit, how much is
// left to read, and an entry of the error queue.
func (r *run) control(e *expr, m *socket.Message) *Error {
	if e.kind != exprList {
		return errorf(e.pos, "a list of control messages is expected, not %v", e)
	}
	for i := range e.list {
		typ, data, err := cmsg(&e.list[i])
		if err != nil {
			return err
		}
		switch typ.text {
		case "IP_TOS", "IPV6_TCLASS":
			err = r.same(data, int64(m.Control.TOS))
		case "IP_TTL", "IPV6_HOPLIMIT":
			err = r.same(data, int64(m.Control.TTL))
		case "TCP_CM_INQ":
			if !m.Control.Has(socket.ControlInq) {
				return errorf(typ.pos, "there is no control message TCP_CM_INQ")
			}
			err = r.same(data, int64(m.Control.Inq))
		case "IP_RECVERR", "IPV6_RECVERR", "CMSG_TYPE_RECVERR":
			err = r.extendedError(data, &m.Control.Err)
		default:
			err = unsupported(typ.pos, "the control message %v", typ)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// extendedError compares an entry of the error queue.
func (r *run) extendedError(e *expr, got *socket.ExtendedError) *Error {
	for _, f := range e.fields {
		var v int64
		switch f.name {
		case "ee_errno":
			v = int64(got.Errno)
		case "ee_origin":
			v = int64(got.Origin)
		case "ee_type":
			v = int64(got.Type)
		case "ee_code":
			v = int64(got.Code)
		case "ee_info":
			v = int64(got.Info)
		case "ee_data":
			v = int64(got.Data)
		}
		if err := r.same(&f.value, v); err != nil {
			err.Message = f.name + ": " + err.Message
			return err
		}
	}
	return nil
}
