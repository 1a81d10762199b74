package header

// AccECNOrder says in which order the fields of an AccECN option come, and by
// [AccECNNone], the zero value, that there is no option.
type AccECNOrder uint8

const (
	AccECNNone AccECNOrder = iota
	AccECN0                // ECT(0), CE, ECT(1)
	AccECN1                // ECT(1), CE, ECT(0)
)

// AccECNFields is how many fields an AccECN option can have.
const AccECNFields = 3

// AccECN is the option of that name (RFC 9768 3.2.3): counters of 24 bits of the
// payload bytes that arrived with a codepoint. It has the first Fields of them;
// an option may also have none.
type AccECN struct {
	Order          AccECNOrder
	Fields         uint8
	ECT0, CE, ECT1 uint32
}

// HasECT0, HasCE and HasECT1 tell whether that counter is in the option.
func (a *AccECN) HasECT0() bool {
	return a.Fields == AccECNFields || a.Fields > 0 && a.Order == AccECN0
}
func (a *AccECN) HasCE() bool { return a.Fields >= 2 }
func (a *AccECN) HasECT1() bool {
	return a.Fields == AccECNFields || a.Fields > 0 && a.Order == AccECN1
}

// fields are the counters in their order.
func (a *AccECN) fields() [AccECNFields]*uint32 {
	if a.Order == AccECN0 {
		return [...]*uint32{&a.ECT0, &a.CE, &a.ECT1}
	}
	return [...]*uint32{&a.ECT1, &a.CE, &a.ECT0}
}

// set reads the fields that are there, and takes what is left of one for padding.
func (a *AccECN) set(order AccECNOrder, data []byte) {
	*a = AccECN{Order: order}
	for _, v := range a.fields() {
		if len(data) < 3 {
			return
		}
		*v = uint32(data[0])<<16 | uint32(data[1])<<8 | uint32(data[2])
		a.Fields++
		data = data[3:]
	}
}

// length is that of the option without padding.
func (a *AccECN) length() int {
	if a.Order == AccECNNone {
		return 0
	}
	return 2 + 3*min(int(a.Fields), AccECNFields)
}

// spare is how many of the NOPs that the option behind it begins with the option
// takes the place of, so that the two end aligned; if that cannot be, it is
// followed by NOPs of its own (as Linux).
func (a *AccECN) spare(nops int) int {
	if over := a.length() & 3; over <= nops {
		return over
	}
	return 0
}

// aligned is the length with padding, less what it spares of so many NOPs.
func (a *AccECN) aligned(nops int) int {
	n := a.length()
	if spared := a.spare(nops); spared > 0 {
		return n - spared
	}
	return (n + 3) &^ 3
}

// append encodes the option and its padding.
func (a *AccECN) append(b []byte, nops int) []byte {
	n := a.length()
	if n == 0 {
		return b
	}
	kind := uint8(tcpOptionAccECN1)
	if a.Order == AccECN0 {
		kind = tcpOptionAccECN0
	}
	b = append(b, kind, uint8(n))
	fields := a.fields()
	for _, v := range fields[:n/3] {
		b = append(b, uint8(*v>>16), uint8(*v>>8), uint8(*v))
	}
	if a.spare(nops) > 0 {
		return b
	}
	return appendNops(b, -n&3)
}

func appendNops(b []byte, n int) []byte {
	for range n {
		b = append(b, tcpOptionNop)
	}
	return b
}
