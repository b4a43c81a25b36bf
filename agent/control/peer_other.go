//go:build !linux

package control

import "net"

// peerOf knows nobody: how other systems tell who calls, has not been built.
func peerOf(net.Conn) (uid, gid int, ok bool) { return -1, -1, false }
