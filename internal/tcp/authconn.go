package tcp

import (
	"net/netip"
	"syscall"

	"example.com/berth/internal/header"
	"example.com/berth/socket"
)

// keyring returns the keys of the socket, to change them.
func (c *Conn) keyring() *Keyring {
	r := c.ring()
	if r == nil {
		r = new(Keyring)
		c.need().keys = r
	}
	return r
}

// ring returns the keys of the socket, or nil.
func (c *Conn) ring() *Keyring {
	r, _ := c.seldom().keys.(*Keyring)
	return r
}

// SetMD5 is TCP_MD5SIG. If there is a connection, Rekey is to be called after it.
func (c *Conn) SetMD5(s socket.TCPMD5Sig) error { return c.keyring().setMD5(s) }

// AddAOKey is TCP_AO_ADD_KEY. Listening says that the socket is a listener's.
// EINVAL: the connection began without, or the key is not for its peer.
func (c *Conn) AddAOKey(k socket.TCPAOKey, listening bool) error {
	r := c.keyring()
	switch {
	case listening && (k.Current || k.RNext):
		return syscall.EINVAL
	case c.state != socket.TCP_CLOSE &&
		(c.authKind() != header.TCPAuthAO || !k.Peer.Contains(c.rare.auth.(*codes).remote.Addr())):
		return syscall.EINVAL
	}
	err := r.addAO(k)
	c.lengthsChanged()
	return err
}

// DelAOKey is TCP_AO_DEL_KEY.
func (c *Conn) DelAOKey(d socket.TCPAODelKey, listening bool) error {
	r := c.ring()
	switch {
	case r == nil:
		return syscall.ENOENT
	case listening && (d.SetCurrent || d.SetRNext):
		return syscall.EINVAL
	}
	err := r.delAO(d)
	c.lengthsChanged()
	return err
}

// AOInfo and SetAOInfo are TCP_AO_INFO.
func (c *Conn) AOInfo() (socket.TCPAOInfo, error) { return c.ring().info() }

func (c *Conn) SetAOInfo(i socket.TCPAOInfo, listening bool) error {
	if listening && (i.SetCurrent || i.SetRNext) {
		return syscall.EINVAL
	}
	return c.keyring().setInfo(i)
}

// AOKeys is TCP_AO_GET_KEYS.
func (c *Conn) AOKeys() ([]socket.TCPAOKey, error) { return c.ring().describe() }

// Authenticate is to be called before Connect with both ends, which choose the keys.
// Keys of TCP-AO for others are forgotten, as on Linux.
func (c *Conn) Authenticate(local, remote netip.AddrPort) {
	r := c.seldom().keys
	if r == nil {
		return
	}
	r.settle(remote.Addr())
	c.rare.auth = nil
	c.Rekey(local, remote)
}

// Refuses tells why there can be no connection to a peer. EKEYREJECTED: there is no
// key of TCP-AO for it, and the user wants one.
func (c *Conn) Refuses(remote netip.Addr) error {
	if r := c.seldom().keys; r != nil {
		return r.refuses(remote)
	}
	return nil
}

// Rekey has the connection between these ends use the key for signatures that the
// keyring now has for them, or none.
func (c *Conn) Rekey(local, remote netip.AddrPort) {
	r := c.seldom().keys
	if r == nil {
		return
	}
	a := c.rare.auth
	if a == nil {
		a = r.between(local, remote)
		a.setISS(c.iss)
		if c.synchronized() {
			a.setIRS(c.irs)
		}
	}
	a.rekey()
	if a.kind() != header.TCPAuthNone {
		c.rare.auth = a
		c.large = 0 // each segment has a code of its own
	}
	c.lengthsChanged()
}

// lengthsChanged has the segments be as long as the options leave room for.
func (c *Conn) lengthsChanged() {
	if c.synchronized() && c.snd.mss != 0 {
		c.lowerMSS(false)
	}
}

// KeepKeys gives the connection the keys of another, which the same socket had
// before.
func (c *Conn) KeepKeys(before *Conn) {
	if r := before.seldom().keys; r != nil {
		c.need().keys = r
	}
}

// authKind is that of the connection.
func (c *Conn) authKind() uint8 {
	if a := c.seldom().auth; a != nil {
		return a.kind()
	}
	return header.TCPAuthNone
}

// authOptions is the length of the option for authentication in every segment.
func (c *Conn) authOptions() int {
	a := c.seldom().auth
	if a == nil {
		return 0
	}
	o := header.TCPOptions{Auth: a.longest()}
	return o.Len()
}

// ignoresICMP tells whether a hard error, or one of the path MTU, is not believed:
// where TCP-AO protects the connection, anybody could otherwise end it with a packet
// (RFC 5925 7.8).
func (c *Conn) ignoresICMP() bool {
	a := c.seldom().auth
	return a != nil && c.synchronized() && c.state != socket.TCP_SYN_RECV && a.ignoresICMP(c.p.Counters)
}

// protect gives a connection that a SYN begins at a listener its authentication.
func (c *Conn) protect(a Auth) {
	if a != nil {
		c.need().auth, c.rare.keys = a, a.holder()
	}
}
