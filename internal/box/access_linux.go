package box

import "golang.org/x/sys/unix"

// mayExecute asks the kernel, for the effective ids.
func mayExecute(path string) error {
	err := unix.Faccessat(unix.AT_FDCWD, path, unix.X_OK, unix.AT_EACCESS)
	if err != nil {
		return err
	}
	return nil
}
