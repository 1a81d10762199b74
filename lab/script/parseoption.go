package script

import (
	"crypto/md5"
	"encoding/binary"
	"encoding/hex"
	"strings"
)

// Kinds of TCP options.
const (
	optEnd           = 0
	optNop           = 1
	optMSS           = 2
	optWScale        = 3
	optSACKPermitted = 4
	optSACK          = 5
	optTimestamps    = 8
	optMD5           = 19
	optAO            = 29
	optFastOpen      = 34
	optAccECN0       = 172
	optAccECN1       = 174
	optExperiment    = 254
)

// fastOpenMagic tells the experimental option of Fast Open from others (RFC 7413
// appendix B.1).
const fastOpenMagic = 0xf989

// tcpOptions reads options up to the '>'.
func (p *parser) tcpOptions(k *packet) error {
	if t := p.peek(); t.kind == ellipsis {
		if p.next(); !k.out {
			return errorf(t.pos, "<...> is for packets that go out")
		}
		k.anyOptions = true
		return p.expect(">")
	}
	size := 0
	for {
		t := p.peek()
		o, err := p.tcpOption()
		if err != nil {
			return err
		}
		k.tcp.options = append(k.tcp.options, o)
		if size += o.size(); size > 40 {
			return errorf(t.pos, "the TCP options are longer than 40 bytes")
		}
		if p.accept(">") {
			return nil
		}
		if !p.accept(",") {
			t := p.peek()
			return errorf(t.pos, "',' or '>' is expected, not %v", t)
		}
	}
}

// size is the encoded length of an option.
func (o *tcpOption) size() int {
	switch o.kind {
	case optEnd, optNop:
		return 1
	case optTimestamps:
		return 10
	case optSACK:
		return 2 + 8*len(o.blocks)
	}
	return 2 + len(o.data)
}

func (p *parser) tcpOption() (o tcpOption, err error) {
	t := p.next()
	var v uint64
	switch t.text {
	case "nop":
		o.kind = optNop
	case "eol":
		o.kind = optEnd
	case "mss":
		v, err = p.unsigned("an MSS", 16)
		o.kind, o.data = optMSS, binary.BigEndian.AppendUint16(nil, uint16(v))
	case "wscale":
		v, err = p.unsigned("a window scale", 8)
		o.kind, o.data = optWScale, []byte{uint8(v)}
	case "sackOK":
		o.kind = optSACKPermitted
	case "sack":
		o.kind = optSACK
		o.blocks, err = p.blocks()
	case "TS":
		o.kind = optTimestamps
		err = p.timestamps(&o)
	case "md5":
		o.kind = optMD5
		o.data, o.sign, err = p.code(nil, md5.Size)
	case "ao":
		o.kind = optAO
		var ids []byte
		if ids, err = p.keyIDs(); err == nil {
			o.data, o.sign, err = p.code(ids, aoMACLen)
		}
	case "FO":
		o.kind = optFastOpen
		o.data, o.word, err = p.cookie()
	case "FOEXP":
		o.kind = optExperiment
		var cookie []byte
		cookie, o.word, err = p.cookie()
		o.data = append(binary.BigEndian.AppendUint16(nil, fastOpenMagic), cookie...)
	case "ECN":
		o.kind, o.data, err = p.accurateECN()
	case "generic":
		v, err = p.unsigned("the kind of an option", 8)
		if o.kind = uint8(v); err == nil && !p.peek().is(",") && !p.peek().is(">") {
			o.data, err = p.hex()
		}
	default:
		return o, unsupported(t.pos, "the TCP option %v", t)
	}
	return o, err
}

// blocks reads those of SACK: 1:1001 2001:3001.
func (p *parser) blocks() (list [][2]uint32, err error) {
	for p.peek().kind == integer {
		left, err := p.unsigned("a sequence number", 32)
		if err != nil {
			return nil, err
		}
		if err := p.expect(":"); err != nil {
			return nil, err
		}
		right, err := p.unsigned("a sequence number", 32)
		if err != nil {
			return nil, err
		}
		list = append(list, [2]uint32{uint32(left), uint32(right)})
	}
	if len(list) == 0 {
		return nil, errorf(p.peek().pos, "a block of SACK is expected, not %v", p.peek())
	}
	return list, nil
}

// timestamps reads "val 100 ecr 200", in which ... is any.
func (p *parser) timestamps(o *tcpOption) (err error) {
	if o.val, o.anyVal, err = p.timestamp("val"); err == nil {
		o.ecr, o.anyEcr, err = p.timestamp("ecr")
	}
	return err
}

func (p *parser) timestamp(name string) (n uint32, any bool, err error) {
	if err := p.expect(name); err != nil {
		return 0, false, err
	}
	if p.peek().kind == ellipsis {
		p.next()
		return 0, true, nil
	}
	v, err := p.unsigned("a timestamp", 32)
	return uint32(v), false, err
}

// cookie reads one of Fast Open, which may be missing, or a word that stands for
// one.
func (p *parser) cookie() (b []byte, word string, err error) {
	t := p.peek()
	if t.is(",") || t.is(">") {
		return nil, "", nil
	}
	if _, ok := cookieKeys[t.text]; ok {
		p.next()
		return make([]byte, cookieLen), t.text, nil
	}
	b, err = p.hex()
	return b, "", err
}

// code reads one that authenticates a segment, as digits behind what comes before;
// without any it is the right one.
func (p *parser) code(before []byte, size int) (data []byte, sign bool, err error) {
	if t := p.peek(); t.is(",") || t.is(">") {
		return append(before, make([]byte, size)...), true, nil
	}
	b, err := p.hex()
	return append(before, b...), false, err
}

// keyIDs reads "keyid 1 rnextkeyid 2".
func (p *parser) keyIDs() (ids []byte, err error) {
	for _, name := range []string{"keyid", "rnextkeyid"} {
		if err := p.expect(name); err != nil {
			return nil, err
		}
		n, err := p.unsigned("the number of a key", 8)
		if err != nil {
			return nil, err
		}
		ids = append(ids, uint8(n))
	}
	return ids, nil
}

// hex reads bytes as hexadecimal digits.
func (p *parser) hex() ([]byte, error) {
	t := p.next()
	b, err := hex.DecodeString(strings.TrimPrefix(t.text, "0x"))
	if err != nil {
		return nil, errorf(t.pos, "bytes in hexadecimal are expected, not %v", t)
	}
	return b, nil
}
