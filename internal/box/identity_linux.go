package box

import (
	"bufio"
	"fmt"
	"math"
	"os"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// identity is who the program is: the user and group ids of its namespace, and
// what they are outside.
type identity struct {
	uids, gids []syscall.SysProcIDMap
	setgroups  bool
	pingGroups string // the groups that may use ping sockets: all that exist
}

// identify chooses the ids. An ordinary user has one, its own, and with root it is
// 0. Who may give away ids, as root, keeps all that there are: the program can do
// with files what it could outside.
func identify(root bool) identity {
	uids, errU := ranges("/proc/self/uid_map")
	gids, errG := ranges("/proc/self/gid_map")
	if errU == nil && errG == nil && mayMapAll() {
		return identity{uids, gids, true, groupsOf(gids)}
	}
	uid, gid := os.Geteuid(), os.Getegid()
	innerUID, innerGID := uid, gid
	if root {
		innerUID, innerGID = 0, 0
	}
	return identity{
		uids:       []syscall.SysProcIDMap{{ContainerID: innerUID, HostID: uid, Size: 1}},
		gids:       []syscall.SysProcIDMap{{ContainerID: innerGID, HostID: gid, Size: 1}},
		pingGroups: fmt.Sprint(innerGID, " ", innerGID),
	}
}

// mayMapAll tells whether this process is root with what it takes to map any ids:
// CAP_SETFCAP, too, if one of them is that of root (user_namespaces(7)).
func mayMapAll() bool {
	if os.Geteuid() != 0 {
		return false
	}
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	if unix.Capget(&header, &data[0]) != nil {
		return false
	}
	const need = 1<<unix.CAP_SETUID | 1<<unix.CAP_SETGID | 1<<unix.CAP_SETFCAP
	return data[0].Effective&need == need
}

// ranges are the ids that exist in a namespace, each mapped to itself.
func ranges(path string) (maps []syscall.SysProcIDMap, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		var inside, outside, count int64
		if _, err := fmt.Sscan(s.Text(), &inside, &outside, &count); err != nil {
			return nil, fmt.Errorf("%s: %q: %w", path, strings.TrimSpace(s.Text()), err)
		}
		if inside > math.MaxInt32 {
			continue
		}
		// What is above 2^31 nobody uses, and int may not hold it.
		count = min(count, math.MaxInt32-inside)
		maps = append(maps, syscall.SysProcIDMap{ContainerID: int(inside), HostID: int(inside), Size: int(count)})
	}
	return maps, nil
}

// groupsOf is the first of the ranges, which the kernel wants as first and last. It
// takes no id above 2^31-2.
func groupsOf(maps []syscall.SysProcIDMap) string {
	if len(maps) == 0 {
		return "0 0"
	}
	first := maps[0].ContainerID
	return fmt.Sprint(first, " ", first+maps[0].Size-1)
}

// setupCapabilities are what the first process needs. They have to be ambient to
// outlast its execution, since it need not be root.
var setupCapabilities = []uintptr{unix.CAP_NET_ADMIN, unix.CAP_NET_RAW, unix.CAP_SYS_ADMIN, unix.CAP_KILL}

// attributes are those of the first process.
func (id identity) attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{
		Cloneflags: unix.CLONE_NEWUSER | unix.CLONE_NEWNET | unix.CLONE_NEWNS | unix.CLONE_NEWPID,

		UidMappings: id.uids, GidMappings: id.gids, GidMappingsEnableSetgroups: id.setgroups,
		AmbientCaps: setupCapabilities,
		Pdeathsig:   unix.SIGKILL,
	}
}
