package box

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// facts are what decides whether an ordinary user may have namespaces.
type facts struct {
	root       bool
	clone      string // kernel.unprivileged_userns_clone, Debian's; "" where there is none
	max        string // user.max_user_namespaces
	apparmor   string // kernel.apparmor_restrict_unprivileged_userns, Ubuntu's
	proc       bool   // there is a /proc
	supported  bool   // the kernel has user namespaces
	confined   bool   // a filter of system calls is in force: a container's
	label      string // the profile of AppArmor that is, such as docker-default; "" for none
	chrooted   bool
	executable string
}

func theFacts() facts {
	read := func(name string) string {
		b, _ := os.ReadFile(filepath.Join("/proc/sys", name))
		return strings.TrimSpace(string(b))
	}
	status, _ := os.ReadFile("/proc/self/status")
	exe, _ := os.Executable()
	_, err := os.Stat("/proc/self/ns/user")
	_, noProc := os.Stat("/proc/self")
	return facts{
		root:       os.Geteuid() == 0,
		clone:      read("kernel/unprivileged_userns_clone"),
		max:        read("user/max_user_namespaces"),
		apparmor:   read("kernel/apparmor_restrict_unprivileged_userns"),
		proc:       noProc == nil,
		supported:  err == nil,
		confined:   strings.Contains(string(status), "\nSeccomp:\t2"),
		label:      label(),
		chrooted:   chrooted(),
		executable: exe,
	}
}

// label is the profile of AppArmor that this process is under, "" for none.
func label() string {
	b, _ := os.ReadFile("/proc/self/attr/apparmor/current")
	name, _, _ := strings.Cut(strings.TrimRight(string(b), "\n\x00"), " (")
	if name == "unconfined" {
		return ""
	}
	return name
}

// chrooted tells whether the root directory is not that of the mount namespace; the
// kernel then makes no user namespaces.
func chrooted() bool {
	var mine, first unix.Stat_t
	return unix.Stat("/", &mine) == nil && unix.Stat("/proc/1/root/.", &first) == nil &&
		(mine.Ino != first.Ino || mine.Dev != first.Dev)
}

// blocked says what keeps the namespaces from being made, and the remedy.
func blocked(err error) error { return theFacts().explain(err) }

func (f facts) explain(err error) error {
	const what = "this system does not let you make namespaces"
	say := func(why, remedy string) error {
		return fmt.Errorf("%s: %s (%w)\n  remedy: %s", what, why, err, remedy)
	}
	denied := errors.Is(err, unix.EPERM) || errors.Is(err, unix.EACCES)
	switch {
	case !f.proc:
		return fmt.Errorf("there is no /proc (%w)\n  remedy: sudo mount -t proc proc /proc", err)
	case !f.supported || errors.Is(err, unix.EINVAL):
		return say("its kernel has no user namespaces", "use a kernel with CONFIG_USER_NS, CONFIG_NET_NS and CONFIG_PID_NS")
	case f.max == "0":
		return say("user.max_user_namespaces is 0", "sudo sysctl -w user.max_user_namespaces=10000")
	case errors.Is(err, unix.ENOSPC) || errors.Is(err, unix.EUSERS):
		return say("the limit user.max_user_namespaces ("+f.max+") is reached, or they are 32 deep", "sudo sysctl -w user.max_user_namespaces=100000")
	case denied && f.clone == "0" && !f.root:
		return say("kernel.unprivileged_userns_clone is 0", "sudo sysctl -w kernel.unprivileged_userns_clone=1")
	case denied && f.label != "" && !f.confined:
		return say("the AppArmor profile "+f.label+" is in force", f.container(""))
	case denied && f.apparmor == "1" && !f.root && f.label == "":
		return say("AppArmor keeps them from programs without a profile (kernel.apparmor_restrict_unprivileged_userns is 1)", f.profile())
	case denied && f.confined:
		return say("a container's filter of system calls is in force", f.container("--security-opt seccomp=unconfined "))
	case denied && f.chrooted:
		return say("you are in a chroot", "run berth outside of it")
	}
	return fmt.Errorf("%s: %w", what, err)
}

// container is how a container is started in which there can be another.
func (f facts) container(options string) string {
	if f.label != "" {
		options += "--security-opt apparmor=unconfined "
	}
	return "start the container with " + options + "--security-opt systempaths=unconfined, or run berth outside of it"
}

// profile is how the shipped profile of AppArmor gets to where it works.
func (f facts) profile() string {
	return fmt.Sprintf("give %s a profile, once:\n"+
		"    printf 'abi <abi/4.0>,\\nprofile berth %s flags=(unconfined) {\\n  userns,\\n}\\n' | sudo tee /etc/apparmor.d/berth\n"+
		"    sudo apparmor_parser -r /etc/apparmor.d/berth\n"+
		"  (packaging/apparmor/berth is that for /usr/bin/berth and /usr/local/bin/berth)", f.executable, f.executable)
}

// setupFailed is what the first process could not do, with the remedy. Where
// AppArmor restricts, the namespaces are made, and worth nothing.
func setupFailed(f *failed) error {
	var err error = syscall.Errno(f.Errno)
	if f.Errno == 0 {
		err = errors.New(f.Text)
	}
	if f.What != "" {
		err = fmt.Errorf("%s: %w", f.What, err)
	}
	denied := errors.Is(err, unix.EPERM) || errors.Is(err, unix.EACCES)
	facts := theFacts()
	switch {
	case denied && f.What == stepProc && !(facts.apparmor == "1" && !facts.root):
		return fmt.Errorf("the /proc of this container is covered in part, so that there can be no other (%w)"+
			"\n  remedy: start the container with --security-opt systempaths=unconfined (podman: unmask=ALL), or run berth outside of it", err)
	case denied:
		return facts.explain(err)
	}
	return fmt.Errorf("box: %w", err)
}
