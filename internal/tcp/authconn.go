package tcp

import (
	"net/netip"
	"syscall"
	"unsafe"

	"example.com/berth/internal/header"
	"example.com/berth/internal/seqnum"
	"example.com/berth/socket"
)

// keyring returns the keys of the socket, to change them.
func (c *Conn) keyring() *Keyring {
	if c.seldom().keys == nil {
		c.need().keys = new(Keyring)
	}
	return c.rare.keys
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
		(c.rare.auth.kind() != header.TCPAuthAO || !k.Peer.Contains(c.rare.auth.remote.Addr())):
		return syscall.EINVAL
	}
	err := r.addAO(k)
	c.lengthsChanged()
	return err
}

// DelAOKey is TCP_AO_DEL_KEY.
func (c *Conn) DelAOKey(d socket.TCPAODelKey, listening bool) error {
	r := c.seldom().keys
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
func (c *Conn) AOInfo() (socket.TCPAOInfo, error) { return c.seldom().keys.info() }

func (c *Conn) SetAOInfo(i socket.TCPAOInfo, listening bool) error {
	if listening && (i.SetCurrent || i.SetRNext) {
		return syscall.EINVAL
	}
	return c.keyring().setInfo(i)
}

// AOKeys is TCP_AO_GET_KEYS.
func (c *Conn) AOKeys() ([]socket.TCPAOKey, error) { return c.seldom().keys.describe() }

// Authenticate is to be called before Connect with both ends, which choose the keys.
// Keys of TCP-AO for others are forgotten, as on Linux.
func (c *Conn) Authenticate(local, remote netip.AddrPort) {
	r := c.seldom().keys
	if r == nil {
		return
	}
	current, rnext := r.current, r.rnext
	r.ao, r.current, r.rnext = r.keysFor(remote.Addr()), nil, nil
	if len(r.ao) > 0 {
		r.current, r.rnext = r.ao[0], r.ao[0]
		if current != nil && r.sending(current.SendID) != nil {
			r.current = r.sending(current.SendID)
		}
		if rnext != nil && r.receiving(rnext.RecvID) != nil {
			r.rnext = r.receiving(rnext.RecvID)
		}
	}
	c.rare.auth = nil
	c.Rekey(local, remote)
}

// Refuses tells why there can be no connection to a peer. EKEYREJECTED: there is no
// key of TCP-AO for it, and the user wants one.
func (c *Conn) Refuses(remote netip.Addr) error {
	if r := c.seldom().keys; r != nil && r.required && !r.wantsAO(remote) {
		return errKeyRejected
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
		a = newAuth(r, local, remote)
		a.setISS(c.iss)
		if c.synchronized() {
			a.setIRS(c.irs)
		}
	}
	a.md5 = nil
	if k := r.md5For(remote.Addr()); k != nil {
		a.md5 = k.sig.Algorithm.New(k.sig.Key)
	}
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

func newAuth(r *Keyring, local, remote netip.AddrPort) *Auth {
	return &Auth{ring: r, local: local, remote: remote}
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
	if a.kind() != header.TCPAuthAO || a.ring.acceptICMP || !c.synchronized() || c.state == socket.TCP_SYN_RECV {
		return false
	}
	a.ring.droppedICMP++
	c.p.Counters.AODroppedICMP.Add(1)
	return true
}

// protect gives a connection that a SYN begins at a listener its authentication.
func (c *Conn) protect(a *Auth) {
	if a != nil {
		c.need().auth, c.rare.keys = a, a.ring
	}
}

// begin tells the authentication, if there is one, our initial sequence number.
func (a *Auth) begin(iss seqnum.Value) {
	if a != nil {
		a.setISS(iss)
	}
}

// memory returns the bytes that it takes, secrets and ciphers apart.
func (a *Auth) memory() int {
	if a == nil {
		return 0
	}
	return int(unsafe.Sizeof(*a)) + cap(a.code)
}

// memory returns the bytes that the keys take, secrets and ciphers apart.
func (r *Keyring) memory() int {
	if r == nil {
		return 0
	}
	return int(unsafe.Sizeof(*r)) + len(r.md5)*int(unsafe.Sizeof(md5Key{})) + len(r.ao)*int(unsafe.Sizeof(aoKey{}))
}
