package hello

// Numbers of RFC 8446 4 and of the registry of extensions.
const (
	typeClientHello = 1
	extServerName   = 0
	extEarlyData    = 42
	extVersions     = 43
	extECH          = 0xfe0d // RFC 9849
	nameHost        = 0
	tls13           = 0x0304
)

// offers are what a ClientHello has about what may follow it.
type offers struct {
	length int  // of the message
	retry  bool // it offers TLS 1.3, whose servers may ask for another
	early  bool // there may be early data
}

// clientHello reads a message of the handshake. Need is how long the message is at
// least, if it is not complete, or 0.
func clientHello(b []byte) (said Said, o offers, need int) {
	if len(b) > 0 && b[0] != typeClientHello {
		return Said{Problem: "the handshake does not begin with a ClientHello"}, o, 0
	}
	if len(b) < 4 {
		return Said{}, o, 4
	}
	o.length = 4 + (int(b[1])<<16 | int(b[2])<<8 | int(b[3]))
	switch {
	case o.length > MaxHello:
		return Said{Problem: "the ClientHello is too long"}, o, 0
	case len(b) < o.length:
		return Said{}, o, o.length
	}
	return readClientHello(b[4:o.length], &o), o, 0
}

// readClientHello reads the body, RFC 8446 4.1.2.
func readClientHello(b []byte, o *offers) (said Said) {
	const malformed = "the ClientHello is malformed"
	r := reader{b: b}
	r.take(2 + 32) // version, random
	r.vector(1)    // session
	r.vector(2)    // cipher suites
	r.vector(1)    // compression
	if r.bad {
		return Said{Problem: malformed}
	}
	if len(r.b) == 0 {
		return said // SSL 3 had no extensions
	}
	extensions := r.vector(2)
	if r.bad || len(r.b) > 0 {
		return Said{Problem: malformed}
	}
	names := 0
	for len(extensions.b) > 0 {
		kind := extensions.uint(2)
		body := extensions.vector(2)
		if extensions.bad {
			return Said{Problem: malformed}
		}
		switch kind {
		case extECH:
			said.ECH = true
		case extEarlyData:
			o.early = true
		case extVersions:
			o.retry = o.retry || offersVersion(body, tls13)
		case extServerName:
			name, ok := serverName(body)
			if names++; !ok || names > 1 {
				return Said{Problem: "the server name of the ClientHello is malformed"}
			}
			said.Names = []string{name}
		}
	}
	return said
}

// offersVersion tells whether a version is among those of RFC 8446 4.2.1.
func offersVersion(r reader, version int) bool {
	list := r.vector(1)
	for len(list.b) > 0 {
		if list.uint(2) == version {
			return true
		}
	}
	return false
}

// serverName reads the list of RFC 6066 3, in which there is to be one host.
func serverName(r reader) (name string, ok bool) {
	list := r.vector(2)
	kind := list.uint(1)
	host := list.vector(2)
	return string(host.b), !r.bad && !list.bad && len(r.b) == 0 && len(list.b) == 0 && kind == nameHost && len(host.b) > 0
}
