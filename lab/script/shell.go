package script

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"example.com/berth"

	"example.com/berth/internal/header"
)

// command does what a line for the shell asks for, as far as it has a
// counterpart in a host's configuration.
func (r *run) command(c *command) *Error {
	for _, line := range splitShell(c.text) {
		if err := r.shell(c.pos, line); err != nil {
			return err
		}
	}
	return nil
}

// shell does one simple command.
func (r *run) shell(at Pos, words []string) *Error {
	if answersFromHost(words) {
		return r.shellPipe(at, words)
	}
	name := words[0][strings.LastIndexByte(words[0], '/')+1:]
	switch name {
	case "sysctl", "set_sysctls.py":
		return r.sysctls(at, words[1:])
	case "defaults.sh":
		return r.productionDefaults(at)
	case "true", ":", "echo", "sync":
		return nil
	case "ethtool":
		r.remark("%q: %s", strings.Join(words, " "), noOffload)
		return nil
	case "kldload":
		r.remark("%q: %s", strings.Join(words, " "), ofStack)
		return nil
	case "sleep":
		if len(words) == 2 {
			if f, err := strconv.ParseFloat(strings.TrimSuffix(words[1], "s"), 64); err == nil && f >= 0 && f < 1e6 {
				return r.sleep(at, time.Duration(f*float64(time.Second)))
			}
		}
	case "tc":
		if slices.Contains(words, "qdisc") && !slices.Contains(words, "netem") && !slices.Contains(words, "tbf") && !slices.Contains(words, "limit") {
			r.remark("%q: packets leave the host as it sends them; it has no queueing discipline", strings.Join(words, " "))
			return nil
		}
	case "ip":
		if slices.Contains(words, "tcp_metrics") {
			r.remark("%q: the host keeps no metrics", strings.Join(words, " "))
			return nil
		}
	}
	return unsupported(at, "the command %q", strings.Join(words, " "))
}

// productionDefaults is what the script does that packetdrill's tests begin with:
// larger buffers than Linux has by default, which is what window scales in such
// tests come from, and a server of Fast Open with a key that is known.
func (r *run) productionDefaults(at Pos) *Error {
	for _, s := range []string{
		"net.ipv4.tcp_rmem=4096 540000 15728640", "net.ipv4.tcp_wmem=4096 262144 4194304",
		"net.ipv4.tcp_syn_retries=5", "net.ipv4.tcp_congestion_control=cubic",
		"net.ipv4.tcp_ecn=0", "net.ipv4.tcp_slow_start_after_idle=0",
		"net.ipv4.tcp_fastopen=0x3", "net.ipv4.tcp_fastopen_key=a1a1a1a1-b2b2b2b2-c3c3c3c3-d4d4d4d4",
	} {
		if err := r.sysctl(at, s); err != nil {
			return err
		}
	}
	return nil
}

// remark tells the author of a script something.
func (r *run) remark(format string, args ...any) {
	r.result.Notes = append(r.result.Notes, fmt.Sprintf(format, args...))
}

func (r *run) sleep(at Pos, d time.Duration) *Error {
	if err := r.advance(r.world.now() + d); err != nil {
		return errorf(at, "%v", err)
	}
	return nil
}

// sysctls sets each name=value.
func (r *run) sysctls(at Pos, words []string) *Error {
	var setting string
	for _, w := range words {
		switch {
		case strings.HasPrefix(w, "-"):
		case strings.Contains(w, "="):
			if setting != "" {
				if err := r.sysctl(at, setting); err != nil {
					return err
				}
			}
			setting = w
		default: // a value with spaces: tcp_rmem=4096 131072 6291456
			setting += " " + w
		}
	}
	if setting == "" {
		return nil
	}
	return r.sysctl(at, setting)
}

// sysctl sets one.
func (r *run) sysctl(at Pos, setting string) *Error {
	name, value, ok := strings.Cut(setting, "=")
	if !ok {
		return unsupported(at, "reading the setting %q", setting)
	}
	name = strings.ReplaceAll(strings.TrimPrefix(strings.TrimSpace(name), "/proc/sys/"), "/", ".")
	value = strings.Trim(strings.TrimSpace(value), `"'`)
	if sys := r.system(); sys != nil {
		return sys.set(at, name, value)
	}
	short := key(name)
	switch {
	case ofSockets[short] != nil:
		n, err := strconv.ParseInt(value, 0, 64)
		if err != nil {
			return errorf(at, "%s=%s is not a number", name, value)
		}
		r.setup.sockets = append(r.setup.sockets, ofSockets[short](int(n)))
		return nil
	case short == "tcp_congestion_control" || short == "cc.algorithm":
		if value == "newreno" { // FreeBSD's name
			value = "reno"
		}
		r.setup.sockets = append(r.setup.sockets, preset{socketCongestion, value})
		return nil
	case short == "tcp_fastopen_key":
		return r.changeHost(at, name, value, func(c *berth.Config) bool { return fastOpenKey(c, value) })
	case ofHosts[short] != nil:
		return r.hostSetting(at, name, value, ofHosts[short])
	case fixed[short] != "":
		if slices.Contains(strings.Split(fixed[short], "|"), value) {
			return nil
		}
		return unsupported(at, "%s=%s: berth has %s, which cannot be changed", name, value, fixed[short])
	case meaningless[short] != "":
		r.remark("%s has no meaning here: %s", name, meaningless[short])
		return nil
	}
	return unsupported(at, "the setting %s", name)
}

// hostSetting changes the configuration of the host, which must not be there yet;
// later it may where nothing follows that could tell the difference, as at the end
// of scripts that put things back.
func (r *run) hostSetting(at Pos, name, value string, set hostSetting) *Error {
	var numbers []int
	for _, f := range strings.FieldsFunc(value, func(c rune) bool { return c == ' ' || c == '\t' || c == ',' }) {
		n, err := strconv.ParseInt(f, 0, 64)
		if err != nil {
			return errorf(at, "%s=%s is not made of numbers", name, value)
		}
		numbers = append(numbers, int(n))
	}
	return r.changeHost(at, name, value, func(c *berth.Config) bool { return set(c, numbers) })
}

// changeHost is hostSetting for a value of any kind.
func (r *run) changeHost(at Pos, name, value string, set func(*berth.Config) bool) *Error {
	changed := r.setup.host
	if !set(&changed) {
		return unsupported(at, "%s=%s", name, value)
	}
	if r.opened && !r.nothingNew() {
		return unsupported(at, "changing %s when the host is running", name)
	}
	r.setup.host = changed
	return nil
}

// nothingNew tells whether the rest of the script neither makes a socket nor has
// the peer open a connection.
func (r *run) nothingNew() bool {
	for _, e := range r.script.events[r.result.Events:] {
		switch a := e.action.(type) {
		case *call:
			if a.name == "socket" || a.name == "connect" || a.name == "listen" {
				return false
			}
		case *packet:
			if !a.out && a.tcp.flags&header.SYN != 0 {
				return false
			}
		}
	}
	return true
}
