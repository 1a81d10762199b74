package script

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"example.com/berth"
)

// A Profile is the system whose defaults the host has, where berth has settings
// for them: scripts are written for one.
type Profile uint8

const (
	// Linux is Linux, whose defaults are berth's.
	Linux Profile = iota
	// FreeBSD has the buffers and the window scale, the time-outs and retries, and
	// the MTU with IPv6 that FreeBSD has. Options of TCP may stand in any order,
	// since FreeBSD has another, and so may their padding. Windows stay berth's.
	FreeBSD
)

var profileNames = []string{Linux: "linux", FreeBSD: "freebsd"}

// String gives the name that ParseProfile takes.
func (p Profile) String() string {
	if int(p) < len(profileNames) {
		return profileNames[p]
	}
	return fmt.Sprintf("profile %d", uint8(p))
}

// ParseProfile is the profile of a name.
func ParseProfile(name string) (Profile, error) {
	if i := slices.Index(profileNames, name); i >= 0 {
		return Profile(i), nil
	}
	return 0, fmt.Errorf("no profile %q: there are %s", name, strings.Join(profileNames, " and "))
}

// apply sets what a script can change afterwards. Sources of FreeBSD's values are
// tcp(4) and the defaults of its sysctls.
func (p Profile) apply(s *setup) {
	if p != FreeBSD {
		return
	}
	s.anyOrder = true
	s.mtu = 1500
	t := &s.host.TCP
	t.ReceiveBuffer = berth.BufferSize{Default: 64 << 10, Max: 2 << 20}
	t.SendBuffer = berth.BufferSize{Default: 32 << 10, Max: 2 << 20}
	t.TimeWait = 60 * time.Second // two MSL of 30 s
	t.SYNRetries = 4              // keepinit: 75 s
	t.Tuning = berth.TCPTuning{
		InitialRTO: time.Second, MinRTO: 30 * time.Millisecond, MaxRTO: 64 * time.Second,
		SYNACKRetries: 3, Retries: 12, OrphanRetries: 12,
		DelayedACKMin: 40 * time.Millisecond, DelayedACKMax: 40 * time.Millisecond,
		InitialWindow: 10,
	}
}

// inOrder sorts options and leaves their padding out.
func inOrder(list []tcpOption) []tcpOption {
	list = slices.DeleteFunc(slices.Clone(list), func(o tcpOption) bool { return o.kind == optNop || o.kind == optEnd })
	slices.SortStableFunc(list, func(a, b tcpOption) int { return int(a.kind) - int(b.kind) })
	return list
}
