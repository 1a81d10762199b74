package header

import "errors"

// What is wrong with a header.
var (
	// ErrTruncated: the bytes end before what the header announces.
	ErrTruncated = errors.New("header: truncated")
	// ErrVersion: not this version of IP.
	ErrVersion = errors.New("header: wrong IP version")
	// ErrHeaderLength: the stated header length is below the minimum.
	ErrHeaderLength = errors.New("header: bad header length")
	// ErrLength: the stated length is below that of the header.
	ErrLength = errors.New("header: bad length")
	// ErrChecksum: the header's own checksum is wrong.
	ErrChecksum = errors.New("header: bad checksum")
	// ErrOption: an option's length is impossible, an option asks that the
	// packet be discarded, or there are more options than a host has to bear.
	ErrOption = errors.New("header: bad option")
	// ErrExtension: more extension headers than a host has to bear.
	ErrExtension = errors.New("header: bad chain of extension headers")
	// ErrType: the message is not of the type, code or version that is parsed.
	ErrType = errors.New("header: wrong message type")
	// ErrHardware: ARP for something else than IPv4 over Ethernet.
	ErrHardware = errors.New("header: not IPv4 over Ethernet")
)
