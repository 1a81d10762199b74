package script

import "fmt"

// accECNFields are the names of the fields of the AccECN option, in the orders of its
// two kinds (RFC 9768 3.2.3).
var accECNFields = map[uint8][3]string{optAccECN0: {"e0b", "ceb", "e1b"}, optAccECN1: {"e1b", "ceb", "e0b"}}

// accurateECN reads the counters of the AccECN option, of which the first one says the
// order, and the last may be missing: e1b 1 ceb 0 e0b 1.
func (p *parser) accurateECN() (kind uint8, data []byte, err error) {
	switch t := p.peek(); {
	case t.is("e0b"):
		kind = optAccECN0
	case t.is("e1b"):
		kind = optAccECN1
	default:
		return 0, nil, errorf(t.pos, "e0b or e1b is expected, not %v", t)
	}
	for _, name := range accECNFields[kind] {
		if !p.accept(name) {
			break
		}
		v, err := p.unsigned("a counter of bytes", 24)
		if err != nil {
			return 0, nil, err
		}
		data = append(data, uint8(v>>16), uint8(v>>8), uint8(v))
	}
	return kind, data, nil
}

// accurateECN writes them.
func (o *tcpOption) accurateECN() string {
	text := "ECN"
	for i, name := range accECNFields[o.kind] {
		if d := o.data[min(3*i, len(o.data)):]; len(d) > 0 {
			text += fmt.Sprintf(" %s %d", name, int(d[0])<<16|int(d[1])<<8|int(d[2]))
		}
	}
	return text
}
