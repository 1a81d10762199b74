package pcapng

import (
	"time"

	"example.com/berth/link"
)

// Direction says where a packet went.
type Direction uint8

// The directions, with their values in the flags of a packet.
const (
	In  Direction = 1 // received
	Out Direction = 2 // sent
)

// An Interface is where packets were seen.
type Interface struct {
	w       *Writer
	id      uint32
	medium  link.Medium
	snaplen int

	// Guarded by w.mu:
	start    int64 // of the capture, ns
	received uint64
	dropped  uint64
}

// Types of links.
const (
	linktypeEthernet = 1
	linktypeRaw      = 101 // IPv4 or IPv6, as the version says
)

func (w *Writer) add(name string, info link.Info, snaplen int) *Interface {
	i := &Interface{w: w, medium: info.Medium, snaplen: max(0, snaplen), start: time.Now().UnixNano()}
	w.lock(func(b *blocks) {
		i.id = uint32(len(w.interfaces))
		w.interfaces = append(w.interfaces, i)
		linktype := uint16(linktypeRaw)
		if i.medium == link.Ethernet {
			linktype = linktypeEthernet
		}
		at := b.begin(blockInterface)
		b.u16(linktype)
		b.u16(0)
		b.u32(uint32(i.snaplen))
		b.text(interfaceName, name)
		if info.Addr != ([6]byte{}) {
			b.option(interfaceMAC, info.Addr[:])
		}
		b.option(interfaceTSResol, []byte{9}) // 10^-9 s
		b.endOptions()
		b.end(at)
	})
	return i
}

// Record writes one packet, or those that a large frame stands for, at a time;
// zero stands for now. The comment is added to that of the frame; may be empty.
// It is for packets that no device carries: those that were dropped, and why.
func (i *Interface) Record(at time.Time, d Direction, f *link.Frame, comment string) {
	if at.IsZero() {
		at = time.Now()
	}
	i.w.mu.Lock()
	defer i.w.mu.Unlock()
	if i.w.err != nil || i.w.closed {
		return
	}
	i.frame(at.UnixNano(), d, f, comment)
	i.w.flush()
}

// record writes frames that pass a device.
func (i *Interface) record(d Direction, frames []link.Frame) {
	now := time.Now().UnixNano()
	i.w.mu.Lock()
	defer i.w.mu.Unlock()
	if i.w.err != nil || i.w.closed {
		return
	}
	for k := range frames {
		f, at := &frames[k], now
		if !f.Time.IsZero() {
			at = f.Time.UnixNano()
		}
		i.frame(at, d, f, "")
	}
	i.w.flush()
}

// refused counts packets that were recorded and then not taken.
func (i *Interface) refused(n int) {
	i.w.mu.Lock()
	defer i.w.mu.Unlock()
	i.dropped += uint64(n)
}

// frame appends the packets of a frame. The caller holds the writer's lock.
func (i *Interface) frame(at int64, d Direction, f *link.Frame, comment string) {
	i.w.one[0] = *f
	packets, bad := i.w.cutter.Cut(i.medium, 0, i.w.one[:])
	if bad > 0 {
		packets = i.w.one[:]
		comment = join(comment, "large frame or partial checksum that cannot be made whole")
	}
	for k := range packets {
		i.packet(at, d, &packets[k], comment)
	}
	i.w.one[0] = link.Frame{}
}

func (i *Interface) packet(at int64, d Direction, f *link.Frame, comment string) {
	i.received++
	length := f.Len()
	captured := length
	if i.snaplen > 0 {
		captured = min(length, i.snaplen)
	}
	b := &i.w.buf
	start := b.begin(blockPacket)
	b.u32(i.id)
	b.time(at)
	b.u32(uint32(captured))
	b.u32(uint32(length))
	from := len(b.b)
	b.b = f.AppendTo(b.b)[:from+captured]
	b.pad(from)
	b.optionU32(packetFlags, uint32(d))
	b.text(optComment, f.Comment)
	b.text(optComment, comment)
	b.endOptions()
	b.end(start)
}

// statistics appends what Close says about the interface.
func (i *Interface) statistics(b *blocks, now int64) {
	at := b.begin(blockStatistics)
	b.u32(i.id)
	b.time(now)
	b.optionTime(statisticsStart, i.start)
	b.optionTime(statisticsEnd, now)
	b.optionU64(statisticsReceived, i.received)
	b.optionU64(statisticsDropped, i.dropped)
	b.endOptions()
	b.end(at)
}

func join(a, b string) string {
	if a == "" {
		return b
	}
	return a + "; " + b
}
