package script

import "net/netip"

// A flow is a connection as the script sees it: the ends that it has, and how
// the numbers of the script become those on the wire. Sequence numbers of a
// script count from where each side began, timestamps are those that the script
// made up.
type flow struct {
	local, remote netip.AddrPort
	// scriptLocal and scriptRemote are the ports in the script; 0: not said.
	scriptLocal, scriptRemote uint16
	// remoteBase and localBase are added to a number of the script. The local
	// one is known when the host has sent a SYN.
	remoteBase, localBase uint32
	knowsLocal            bool
	// remoteISN and localISN are the numbers that the script gives to the SYNs of
	// the two. Those of all other segments count from there, as in packetdrill.
	remoteISN, localISN uint32
	knowsRemote         bool
	// timestamps maps those that the script says the host sends to those that
	// it has sent; firstScript and firstLive are the first pair.
	timestamps             map[uint32]uint32
	firstScript, firstLive uint32
	// generation tells flows before a call of socket or listen from those after.
	generation int
	// label is that of the last packet whose label the script names, scriptLabel
	// what that calls it.
	label, scriptLabel uint32
	// compared: a SYN of the host was compared with one of the script.
	compared bool
}

// remoteBase is where the peer's sequence numbers begin: close to the end of
// their space, so that every script of a few packets sees them wrap around.
const remoteBase = 0xffff_fc00

// echo is the timestamp on the wire for one that the script says the host sent.
func (f *flow) echo(ecr uint32) uint32 {
	if live, ok := f.timestamps[ecr]; ok {
		return live
	}
	if len(f.timestamps) == 0 || ecr == 0 {
		return ecr
	}
	return f.firstLive + (ecr - f.firstScript)
}

// learn notes that the host has sent a timestamp for which the script has
// another.
func (f *flow) learn(script, live uint32) {
	if f.timestamps == nil {
		f.timestamps = make(map[uint32]uint32)
		f.firstScript, f.firstLive = script, live
	}
	f.timestamps[script] = live
}

// fromHost is a number of the host's as the script writes it, in a segment with SYN
// or without.
func (f *flow) fromHost(live uint32, syn bool) uint32 {
	if syn {
		return live - f.localBase
	}
	return live - f.localBase - f.localISN
}

// fromPeer is a number of the peer's as the script writes it.
func (f *flow) fromPeer(live uint32, syn bool) uint32 {
	if syn {
		return live - f.remoteBase
	}
	return live - f.remoteBase - f.remoteISN
}

// hostNumber is a number of the host's on the wire.
func (f *flow) hostNumber(n uint32, syn bool) uint32 {
	if syn {
		return n + f.localBase
	}
	return n + f.localBase + f.localISN
}

// peerNumber is a number of the peer's on the wire.
func (f *flow) peerNumber(n uint32, syn bool) uint32 {
	if syn {
		return n + f.remoteBase
	}
	return n + f.remoteBase + f.remoteISN
}
