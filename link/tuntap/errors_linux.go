package tuntap

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// cloneDevice is opened once for each interface.
const cloneDevice = "/dev/net/tun"

// remedy is what helps where CAP_NET_ADMIN is missing.
const remedy = "run as root, give the program the capability (setcap cap_net_admin+ep PROGRAM), " +
	"run it in namespaces of its own (unshare -rn PROGRAM), " +
	"or have root make the interface for you beforehand (ip tuntap add dev NAME mode tun user YOU)"

// explainOpen says what to do when /dev/net/tun cannot be opened.
func explainOpen(err error) error {
	switch {
	case errors.Is(err, unix.ENOENT):
		return fmt.Errorf("%s is not there: load the driver (modprobe tun) or make the node "+
			"(mkdir -p /dev/net && mknod %[1]s c 10 200); a container needs --device %[1]s: %[2]w", cloneDevice, err)
	case errors.Is(err, unix.ENODEV), errors.Is(err, unix.ENXIO):
		return fmt.Errorf("%s has no driver: load it (modprobe tun): %w", cloneDevice, err)
	case isPermission(err):
		return fmt.Errorf("%s may not be opened: it wants mode 0666, or root; "+
			"a container needs --device %[1]s: %[2]w", cloneDevice, err)
	}
	return fmt.Errorf("%s: %w", cloneDevice, err)
}

// explainInterface says what to do when the interface cannot be made or taken.
func explainInterface(name string, tap bool, err error) error {
	kind := "TUN"
	if tap {
		kind = "TAP"
	}
	switch {
	case isPermission(err):
		return fmt.Errorf("interface %q: making one needs CAP_NET_ADMIN in the network namespace: %s: %w", name, remedy, err)
	case errors.Is(err, unix.EBUSY):
		return fmt.Errorf("interface %q is in use by another program: choose another name, or \"\" for the next free one: %w", name, err)
	case errors.Is(err, unix.EINVAL):
		return fmt.Errorf("interface %q cannot be a %s: the name is not valid, or it belongs to an interface of another kind: %w", name, kind, err)
	}
	return fmt.Errorf("interface %q: %w", name, err)
}

// explainSetUp says what to do when the kernel's side cannot be set up.
func explainSetUp(name, what string, err error) error {
	if isPermission(err) {
		return fmt.Errorf("interface %q: %s needs CAP_NET_ADMIN in the network namespace: %s: %w", name, what, remedy, err)
	}
	return fmt.Errorf("interface %q: %s: %w", name, what, err)
}
