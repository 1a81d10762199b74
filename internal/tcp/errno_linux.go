package tcp

import "syscall"

// errKeyRejected says that a peer has keys of the other kind, or none where some are
// required.
const errKeyRejected = syscall.EKEYREJECTED
