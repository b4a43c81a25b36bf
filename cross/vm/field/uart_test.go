package field

import (
	"io"
	"net"
	"testing"
	"time"
)

// TestUART asks for the register of the meter with noise in front, in two bursts, as an
// emulated port does. The answer is that of Eastron's manual: 4321 kWh as a float.
func TestUART(t *testing.T) {
	p := newPlay(t)
	c, err := net.Dial("tcp", p.Meter())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	ask := []byte{0x55, 0x01, 0x04, 0x00, 0x48, 0x00, 0x02, 0xf1, 0xdd} // imported energy
	for range 2 {
		for _, part := range [][]byte{ask[:2], ask[2:]} {
			if _, err := c.Write(part); err != nil {
				t.Fatal(err)
			}
			if len(part) == 2 { // longer than a meter on a line waits
				c.SetReadDeadline(time.Now().Add(200 * time.Millisecond))
				if n, err := c.Read(make([]byte, 1)); n != 0 || err == nil {
					t.Fatalf("an answer to half a request: %v", err)
				}
				c.SetReadDeadline(time.Now().Add(time.Minute))
			}
		}
		answer := make([]byte, 9)
		if _, err := io.ReadFull(c, answer); err != nil || crc(answer) != 0 || string(answer[3:7]) != "\x45\x87\x08\x00" {
			t.Errorf("% x, %v", answer, err)
		}
	}
}
