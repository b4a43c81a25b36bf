package control

import (
	"net"
	"syscall"
)

// peerOf asks the kernel who has opened a connection. The numbers are those of the moment
// in which they did.
func peerOf(c net.Conn) (uid, gid int, ok bool) {
	u, is := c.(*net.UnixConn)
	if !is {
		return -1, -1, false
	}
	raw, err := u.SyscallConn()
	if err != nil {
		return -1, -1, false
	}
	var cred *syscall.Ucred
	err2 := raw.Control(func(fd uintptr) {
		cred, err = syscall.GetsockoptUcred(int(fd), syscall.SOL_SOCKET, syscall.SO_PEERCRED)
	})
	if err != nil || err2 != nil || cred == nil || cred.Uid == overflow {
		return -1, -1, false
	}
	return int(cred.Uid), int(cred.Gid), true
}

// overflow is the number that the kernel tells for a user from another user namespace that
// has none here, unless the machine is set otherwise (user_namespaces(7)): nobody in
// particular.
const overflow = 65534
