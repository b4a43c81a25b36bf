package main

import (
	"fmt"
	"io"
	"net"
)

// forward passes connections to a port of the machine's loopback on to a port of the
// host's. qemu's network has the host's loopback at its gateway's address.
func forward(in, out int) error {
	l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", in))
	if err != nil {
		return err
	}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				say("guest: forward %d: %v", in, err)
				return
			}
			go pass(c, fmt.Sprintf("%s:%d", gateway, out))
		}
	}()
	return nil
}

// pass joins two connections until one way ends.
func pass(c net.Conn, to string) {
	defer c.Close()
	far, err := net.Dial("tcp", to)
	if err != nil {
		return // as a connection that is refused: it ends
	}
	defer far.Close()
	ended := make(chan struct{}, 2)
	for _, way := range [][2]net.Conn{{far, c}, {c, far}} {
		go func() {
			io.Copy(way[0], way[1])
			ended <- struct{}{}
		}()
	}
	<-ended
}
