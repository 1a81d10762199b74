package hello

// Of a record, RFC 8446 5.1.
const (
	recordHeader    = 5
	recordHandshake = 22
	firstRecord     = 20 // change_cipher_spec
	lastRecord      = 24 // heartbeat
	longestRecord   = 1<<14 + 2048

	// maxRecords is in how many a ClientHello may come. Some clients cut it in
	// two or three; each is read again when the next has come.
	maxRecords = 64
)

// readTLS reads records; ok is false if the stream is not TLS.
func readTLS(b []byte) (said Said, need int, ok bool) {
	if b[0] < firstRecord || b[0] > lastRecord || len(b) > 1 && b[1] != 3 {
		return Said{}, 0, false
	}
	if len(b) == 1 {
		return Said{Kind: TLS}, 2, true
	}
	var handshake []byte
	at := 0
	for range maxRecords {
		if len(b) < at+recordHeader {
			return Said{Kind: TLS}, at + recordHeader, true
		}
		length := int(b[at+3])<<8 | int(b[at+4])
		if b[at] != recordHandshake || b[at+1] != 3 || length == 0 || length > longestRecord {
			return Said{Kind: TLS, Problem: "TLS begins with something else than a ClientHello"}, 0, true
		}
		if at += recordHeader; len(b) < at+length {
			return Said{Kind: TLS}, at + length, true
		}
		handshake = append(handshake, b[at:at+length]...)
		at += length
		said, more := clientHello(handshake)
		if said.Kind = TLS; more == 0 {
			return said, 0, true
		}
	}
	return Said{Kind: TLS, Problem: "the ClientHello is in too many pieces"}, 0, true
}
