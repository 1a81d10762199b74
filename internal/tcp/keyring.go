package tcp

import (
	"net/netip"
	"slices"
	"syscall"
	"unsafe"

	"example.com/berth/socket"
)

// maxKeys bounds the keys of a socket of each kind.
const maxKeys = 1024

// defaultMACLen is the length of codes of TCP-AO (RFC 5926 3.2), maxMACLen the
// most that a SYN has room for beside its other options.
const (
	defaultMACLen = 12
	maxMACLen     = 16
)

// A Keyring holds the keys of a socket: those that its user has set, and how they
// are used. That of a connection has keys for its peer.
type Keyring struct {
	md5 []md5Key
	ao  []*aoKey

	current, rnext *aoKey // Current_key and Rnext_key of RFC 5925 3.3; nil on a listener
	required       bool   // nobody is spoken to without a key of TCP-AO
	acceptICMP     bool
	informed       bool // TCP_AO_INFO was set

	good, bad, keyNotFound, missing, droppedICMP uint64

	seg Segment // what Judge is asked about
}

func (r *Keyring) scratch() *Segment { return &r.seg }

// md5Key is a key for signatures.
type md5Key struct {
	peer netip.Prefix
	sig  socket.TCPMD5Sig
}

// aoKey is a master key tuple (RFC 5925 3.1), and the traffic keys that one
// connection has of it.
type aoKey struct {
	socket.TCPAOKey
	master     socket.TCPMAC
	send, recv trafficKey
}

// fresh is the same key for another connection.
func (k *aoKey) fresh() *aoKey {
	return &aoKey{TCPAOKey: k.TCPAOKey, master: k.Algorithm.New(k.Secret)}
}

// setMD5 is TCP_MD5SIG.
func (r *Keyring) setMD5(s socket.TCPMD5Sig) error {
	i := slices.IndexFunc(r.md5, func(k md5Key) bool { return k.peer == s.Peer })
	switch {
	case len(s.Key) > socket.TCP_MD5SIG_MAXKEYLEN:
		return syscall.EINVAL
	case len(s.Key) == 0 && i < 0:
		return syscall.ENOENT
	case len(s.Key) == 0:
		r.md5 = slices.Delete(r.md5, i, i+1)
		return nil
	case s.Algorithm == nil:
		return syscall.EINVAL
	case slices.ContainsFunc(r.ao, func(k *aoKey) bool { return k.Peer.Overlaps(s.Peer) }):
		return errKeyRejected
	}
	s.Key = slices.Clone(s.Key)
	switch {
	case i >= 0:
		r.md5[i].sig = s
	case len(r.md5) >= maxKeys:
		return syscall.ENOBUFS
	default:
		r.md5 = append(r.md5, md5Key{peer: s.Peer, sig: s})
	}
	return nil
}

// md5For returns the signature's key for a peer: that of the smallest network.
func (r *Keyring) md5For(peer netip.Addr) *md5Key {
	best := -1
	for i, k := range r.md5 {
		if k.peer.Contains(peer) && (best < 0 || k.peer.Bits() > r.md5[best].peer.Bits()) {
			best = i
		}
	}
	if best < 0 {
		return nil
	}
	return &r.md5[best]
}

// addAO is TCP_AO_ADD_KEY. That the key is for the peer, if there is one, was
// looked at before.
func (r *Keyring) addAO(k socket.TCPAOKey) error {
	if k.MACLen == 0 {
		k.MACLen = defaultMACLen
	}
	switch {
	case k.Algorithm == nil, len(k.Secret) == 0, len(k.Secret) > socket.TCP_AO_MAXKEYLEN,
		k.MACLen < 0, k.MACLen > k.Algorithm.Size():
		return syscall.EINVAL
	case k.MACLen > maxMACLen:
		return syscall.EMSGSIZE
	case slices.ContainsFunc(r.md5, func(m md5Key) bool { return m.peer.Overlaps(k.Peer) }):
		return errKeyRejected
	case slices.ContainsFunc(r.ao, func(o *aoKey) bool {
		return o.Peer.Overlaps(k.Peer) && (o.SendID == k.SendID || o.RecvID == k.RecvID)
	}):
		return syscall.EEXIST // RFC 5925 3.1: the identifiers do not overlap
	case len(r.ao) >= maxKeys:
		return syscall.ENOBUFS
	}
	k.Secret = slices.Clone(k.Secret)
	k.Good, k.Bad = 0, 0
	setCurrent, setRNext := k.Current, k.RNext
	k.Current, k.RNext = false, false
	key := (&aoKey{TCPAOKey: k}).fresh()
	r.ao = append(r.ao, key)
	if setCurrent {
		r.current = key
	}
	if setRNext {
		r.rnext = key
	}
	return nil
}

// delAO is TCP_AO_DEL_KEY.
func (r *Keyring) delAO(d socket.TCPAODelKey) error {
	i := slices.IndexFunc(r.ao, func(k *aoKey) bool {
		return k.Peer == d.Peer && k.SendID == d.SendID && k.RecvID == d.RecvID
	})
	if i < 0 {
		return syscall.ENOENT
	}
	current, rnext, err := r.successors(d.SetCurrent, d.CurrentID, d.SetRNext, d.RNextID)
	if err != nil {
		return err
	}
	if k := r.ao[i]; k == current || k == rnext {
		return syscall.EBUSY
	}
	r.current, r.rnext = current, rnext
	r.ao = slices.Delete(r.ao, i, i+1)
	return nil
}

// successors returns the current key and the next one as they are to be.
func (r *Keyring) successors(setCurrent bool, currentID uint8, setRNext bool, rnextID uint8) (current, rnext *aoKey, err error) {
	current, rnext = r.current, r.rnext
	if setCurrent {
		if current = r.sending(currentID); current == nil {
			return nil, nil, syscall.ENOENT
		}
	}
	if setRNext {
		if rnext = r.receiving(rnextID); rnext == nil {
			return nil, nil, syscall.ENOENT
		}
	}
	return current, rnext, nil
}

// sending returns the key with that SendID, receiving that with that RecvID, of
// those of a connection.
func (r *Keyring) sending(id uint8) *aoKey {
	for _, k := range r.ao {
		if k.SendID == id {
			return k
		}
	}
	return nil
}

func (r *Keyring) receiving(id uint8) *aoKey {
	for _, k := range r.ao {
		if k.RecvID == id {
			return k
		}
	}
	return nil
}

// keysFor returns the keys of TCP-AO for a peer, as a connection of its own has
// them, without the counters.
func (r *Keyring) keysFor(peer netip.Addr) (keys []*aoKey) {
	for _, k := range r.ao {
		if k.Peer.Contains(peer) {
			k = k.fresh()
			k.Good, k.Bad = 0, 0
			keys = append(keys, k)
		}
	}
	return keys
}

// wantsAO tells whether there is a key of TCP-AO for a peer.
func (r *Keyring) wantsAO(peer netip.Addr) bool {
	return slices.ContainsFunc(r.ao, func(k *aoKey) bool { return k.Peer.Contains(peer) })
}

// settle is to be called before a connection is opened. The keys that the user chose
// are used if they are for the peer, or else the first.
func (r *Keyring) settle(remote netip.Addr) {
	current, rnext := r.current, r.rnext
	r.ao, r.current, r.rnext = r.keysFor(remote), nil, nil
	if len(r.ao) > 0 {
		r.current, r.rnext = r.ao[0], r.ao[0]
		if current != nil && r.sending(current.SendID) != nil {
			r.current = r.sending(current.SendID)
		}
		if rnext != nil && r.receiving(rnext.RecvID) != nil {
			r.rnext = r.receiving(rnext.RecvID)
		}
	}
}

func (r *Keyring) refuses(remote netip.Addr) error {
	if r.required && !r.wantsAO(remote) {
		return errKeyRejected
	}
	return nil
}

func (r *Keyring) between(local, remote netip.AddrPort) Auth { return newCodes(r, local, remote) }

func newCodes(r *Keyring, local, remote netip.AddrPort) *codes {
	return &codes{ring: r, local: local, remote: remote}
}

func (r *Keyring) memory() int {
	return int(unsafe.Sizeof(*r)) + len(r.md5)*int(unsafe.Sizeof(md5Key{})) + len(r.ao)*int(unsafe.Sizeof(aoKey{}))
}

// info is TCP_AO_INFO.
func (r *Keyring) info() (socket.TCPAOInfo, error) {
	if r == nil || len(r.ao) == 0 && !r.informed {
		return socket.TCPAOInfo{}, syscall.ENOENT
	}
	i := socket.TCPAOInfo{
		Required: r.required, AcceptICMP: r.acceptICMP,
		Good: r.good, Bad: r.bad, KeyNotFound: r.keyNotFound, Missing: r.missing, DroppedICMP: r.droppedICMP,
	}
	if r.current != nil {
		i.HasCurrent, i.CurrentID = true, r.current.SendID
	}
	if r.rnext != nil {
		i.HasRNext, i.RNextID = true, r.rnext.RecvID
	}
	return i, nil
}

// setInfo sets TCP_AO_INFO.
func (r *Keyring) setInfo(i socket.TCPAOInfo) error {
	current, rnext, err := r.successors(i.SetCurrent, i.CurrentID, i.SetRNext, i.RNextID)
	if err != nil {
		return err
	}
	if i.Required && len(r.md5) > 0 {
		return errKeyRejected
	}
	r.current, r.rnext = current, rnext
	r.required, r.acceptICMP, r.informed = i.Required, i.AcceptICMP, true
	return nil
}

// describe is TCP_AO_GET_KEYS.
func (r *Keyring) describe() ([]socket.TCPAOKey, error) {
	if r == nil || len(r.ao) == 0 {
		return nil, syscall.ENOENT
	}
	keys := make([]socket.TCPAOKey, len(r.ao))
	for i, k := range r.ao {
		keys[i] = k.TCPAOKey
		keys[i].Secret = nil
		keys[i].Current, keys[i].RNext = k == r.current, k == r.rnext
	}
	return keys, nil
}
