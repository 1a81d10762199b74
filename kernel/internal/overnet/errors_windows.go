package overnet

import "syscall"

// portable gives the POSIX number for one of Winsock, of which package syscall
// makes another on Windows.
func portable(e syscall.Errno) syscall.Errno {
	if p, ok := winsock[e]; ok {
		return p
	}
	return e
}

var winsock = map[syscall.Errno]syscall.Errno{
	10004: syscall.EINTR,
	10009: syscall.EBADF,
	10013: syscall.EACCES,
	10014: syscall.EFAULT,
	10022: syscall.EINVAL,
	10024: syscall.EMFILE,
	10035: syscall.EAGAIN,
	10036: syscall.EINPROGRESS,
	10037: syscall.EALREADY,
	10039: syscall.EDESTADDRREQ,
	10040: syscall.EMSGSIZE,
	10042: syscall.ENOPROTOOPT,
	10043: syscall.EPROTONOSUPPORT,
	10044: syscall.ESOCKTNOSUPPORT,
	10045: syscall.EOPNOTSUPP,
	10047: syscall.EAFNOSUPPORT,
	10048: syscall.EADDRINUSE,
	10049: syscall.EADDRNOTAVAIL,
	10050: syscall.ENETDOWN,
	10051: syscall.ENETUNREACH,
	10052: syscall.ENETRESET,
	10053: syscall.ECONNABORTED,
	10054: syscall.ECONNRESET,
	10055: syscall.ENOBUFS,
	10056: syscall.EISCONN,
	10057: syscall.ENOTCONN,
	10058: syscall.EPIPE,
	10060: syscall.ETIMEDOUT,
	10061: syscall.ECONNREFUSED,
	10065: syscall.EHOSTUNREACH,
}
