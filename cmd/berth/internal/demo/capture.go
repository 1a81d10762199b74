package demo

import (
	"bufio"
	"errors"
	"io"

	"example.com/berth/link"
	"example.com/berth/link/pcapng"
)

// Capture writes the packets in pcapng, each once, as it was sent and by whom,
// with a remark on those that were lost. The Config must have had Keep.
func (r *Result) Capture(to io.Writer) error {
	buf := bufio.NewWriter(to)
	w := pcapng.NewWriter(buf, pcapng.Options{Application: "berth demo"})
	var interfaces [2]*pcapng.Interface
	for i, h := range r.Hosts {
		interfaces[i] = w.Interface(h.Name, link.IP, 0)
		for _, a := range h.Addrs {
			w.Name(a, h.Name)
		}
	}
	for _, e := range r.Events {
		if p := e.Packet; p != nil {
			remark := p.Lost
			if p.Resent {
				remark = join(remark, "resent")
			}
			interfaces[p.From].Record(p.Time, pcapng.Out, &link.Frame{Payload: p.Bytes}, remark)
		}
	}
	return errors.Join(w.Close(), buf.Flush())
}

func join(a, b string) string {
	if a == "" {
		return b
	}
	return a + ", " + b
}
