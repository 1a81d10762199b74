package virtio

import "example.com/berth/link"

// Describe writes what the header says into the fields GSO, SegSize, Checksum,
// CsumStart and CsumOffset of a frame whose bytes are in place. An error means
// that the header does not fit the frame, which is then to be dropped.
func (h *Header) Describe(f *link.Frame) error {
	f.GSO, f.SegSize = link.GSONone, 0
	f.Checksum, f.CsumStart, f.CsumOffset = link.ChecksumFull, 0, 0
	switch {
	case h.Flags&NeedsCsum != 0:
		if int(h.CsumStart)+int(h.CsumOffset)+2 > f.Len() {
			return ErrChecksum
		}
		f.Checksum, f.CsumStart, f.CsumOffset = link.ChecksumPartial, h.CsumStart, h.CsumOffset
	case h.Flags&DataValid != 0:
		f.Checksum = link.ChecksumVerified
	}
	switch h.Type &^ TypeECN {
	case TypeNone:
		return nil
	case TypeTCP4:
		f.GSO = link.GSOTCP4
	case TypeTCP6:
		f.GSO = link.GSOTCP6
	case TypeUDPL4:
		f.GSO = link.GSOUDP
	default:
		return ErrType
	}
	if h.SegSize == 0 {
		return ErrSegSize
	}
	f.SegSize = h.SegSize
	return nil
}

// FromFrame makes the header that describes a frame to be sent. A large frame
// that holds no more than one segment goes as an ordinary one.
func (h *Header) FromFrame(f *link.Frame) error {
	*h = Header{}
	if f.Checksum != link.ChecksumPartial {
		if f.GSO != link.GSONone {
			return ErrPartial // the receiver could not find the transport's header
		}
		return nil
	}
	if int(f.CsumStart)+int(f.CsumOffset)+2 > f.Len() {
		return ErrChecksum
	}
	h.Flags, h.CsumStart, h.CsumOffset = NeedsCsum, f.CsumStart, f.CsumOffset
	if f.GSO == link.GSONone {
		return nil
	}
	return h.large(f)
}

// Where TCP has its data offset and its flags (RFC 9293 3.1), and how long a
// UDP header is.
const (
	tcpDataOffset = 12
	tcpFlags      = 13
	tcpCWR        = 0x80
	udpLen        = 8
)

// large fills in what a large frame needs.
func (h *Header) large(f *link.Frame) error {
	start, typ, length := int(f.CsumStart), TypeUDPL4, udpLen
	if f.GSO != link.GSOUDP {
		if start+tcpFlags >= f.Len() {
			return ErrChecksum
		}
		typ, length = TypeTCP4, int(at(f, start+tcpDataOffset)>>4)*4
		if f.GSO == link.GSOTCP6 {
			typ = TypeTCP6
		}
		if at(f, start+tcpFlags)&tcpCWR != 0 {
			typ |= TypeECN
		}
	}
	payload := f.Len() - start - length
	switch {
	case payload < 0:
		return ErrChecksum
	case f.SegSize == 0:
		return ErrSegSize
	case payload > int(f.SegSize):
		h.Type, h.SegSize, h.HdrLen = typ, f.SegSize, uint16(start+length)
	}
	return nil
}

// at returns byte i of a frame that is longer than that.
func at(f *link.Frame, i int) byte {
	if i < len(f.Head) {
		return f.Head[i]
	}
	return f.Payload[i-len(f.Head)]
}
