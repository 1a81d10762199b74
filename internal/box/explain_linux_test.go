package box

import (
	"errors"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// TestRemedies: what keeps namespaces from being made on systems that this is not.
func TestRemedies(t *testing.T) {
	free := facts{proc: true, supported: true, max: "10000", executable: "/opt/berth"}
	with := func(change func(*facts)) facts {
		f := free
		change(&f)
		return f
	}
	for _, tt := range []struct {
		name string
		f    facts
		err  error
		says []string
	}{
		{
			"Debian's switch", with(func(f *facts) { f.clone = "0" }), unix.EPERM,
			[]string{"kernel.unprivileged_userns_clone is 0", "sudo sysctl -w kernel.unprivileged_userns_clone=1"},
		},
		{
			"Ubuntu's AppArmor", with(func(f *facts) { f.apparmor = "1" }), unix.EACCES,
			[]string{"AppArmor", "profile berth /opt/berth flags=(unconfined)", "sudo apparmor_parser -r /etc/apparmor.d/berth", "packaging/apparmor/berth"},
		},
		{
			"no namespaces allowed", with(func(f *facts) { f.max = "0" }), unix.ENOSPC,
			[]string{"user.max_user_namespaces is 0", "sudo sysctl -w user.max_user_namespaces=10000"},
		},
		{"too many", free, unix.ENOSPC, []string{"user.max_user_namespaces (10000) is reached"}},
		{"a container", with(func(f *facts) { f.confined = true }), unix.EPERM, []string{"seccomp=unconfined"}},
		{
			"a container under AppArmor", with(func(f *facts) { f.confined, f.label, f.apparmor = true, "docker-default", "1" }), unix.EPERM,
			[]string{"seccomp=unconfined --security-opt apparmor=unconfined --security-opt systempaths=unconfined"},
		},
		{
			"a container's AppArmor alone", with(func(f *facts) { f.label, f.root = "docker-default", true }), unix.EACCES,
			[]string{"the AppArmor profile docker-default is in force", "start the container with --security-opt apparmor=unconfined"},
		},
		{"a chroot", with(func(f *facts) { f.chrooted = true }), unix.EPERM, []string{"chroot"}},
		{"a kernel without", with(func(f *facts) { f.supported = false }), unix.EINVAL, []string{"CONFIG_USER_NS"}},
		{"no /proc", with(func(f *facts) { f.proc, f.supported = false, false }), unix.ENOENT, []string{"there is no /proc", "sudo mount -t proc proc /proc"}},
		{"something else", free, unix.EPERM, []string{"operation not permitted"}},
	} {
		err := tt.f.explain(tt.err)
		if !errors.Is(err, tt.err) {
			t.Errorf("%s: %v is not %v", tt.name, err, tt.err)
		}
		for _, want := range tt.says {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: there is no %q in: %v", tt.name, want, err)
			}
		}
	}
	// To root the switches for others do not matter.
	if err := with(func(f *facts) { f.clone, f.apparmor, f.root = "0", "1", true }).explain(unix.EPERM); strings.Contains(err.Error(), "remedy") {
		t.Error(err)
	}
}

func TestSetupFailures(t *testing.T) {
	for _, tt := range []struct {
		f    failed
		says string
	}{
		{failed{What: stepProc, Errno: int(unix.EPERM)}, "systempaths=unconfined"},
		{failed{What: "make a veth pair", Errno: int(unix.EOPNOTSUPP)}, "make a veth pair: operation not supported"},
		{failed{Text: "no plan came first"}, "no plan came first"},
	} {
		if err := setupFailed(&tt.f); !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%+v: %v, want %q", tt.f, err, tt.says)
		}
	}
}
