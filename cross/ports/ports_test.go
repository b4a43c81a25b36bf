package ports

import (
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
)

func at(port string) (address string) { return net.JoinHostPort("127.0.0.1", port) }

func TestAPortIsOnesOwn(t *testing.T) {
	const many = 700
	mine := map[string]bool{}
	for range many {
		port := Free(t)
		if mine[port] {
			t.Fatalf("%s is given out twice", port)
		}
		mine[port] = true
		if n, err := strconv.Atoi(port); err != nil || n < first || n >= after {
			t.Errorf("%s: want one that the kernel gives to nobody", port)
		}
	}
	for port := range mine {
		l, err := net.Listen("tcp", at(port))
		if err != nil {
			t.Fatalf("it is no use to whom it was given: %v", err)
		}
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	}
}

// asks is set for a process that asks for a port and tells it.
const asks = "STOLPE_TEST_ASKS_FOR_A_PORT"

// Another process gets none that this one has, and one where somebody listens is nobody's.
func TestAPortIsKeptFromOtherProcesses(t *testing.T) {
	if os.Getenv(asks) != "" {
		for range 500 {
			if _, err := os.Stdout.WriteString("port " + Free(t) + "\n"); err != nil {
				t.Fatal(err)
			}
		}
		return
	}
	mine := map[string]bool{}
	for range 300 {
		mine[Free(t)] = true
	}
	for range 100 {
		port, give, err := Take()
		if err != nil {
			t.Fatal(err)
		}
		l, err := net.Listen("tcp", at(port))
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		if err := give(); err != nil {
			t.Fatal(err)
		}
		mine[port] = true
	}
	c := exec.Command(os.Args[0], "-test.run=^TestAPortIsKeptFromOtherProcesses$")
	c.Env = append(os.Environ(), asks+"=1")
	out, err := c.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	n := 0
	for line := range strings.Lines(string(out)) {
		port, told := strings.CutPrefix(strings.TrimSpace(line), "port ")
		if !told {
			continue
		}
		n++
		if mine[port] {
			t.Errorf("%s is given out twice", port)
		}
	}
	if n != 500 {
		t.Errorf("%d ports told of\n%s", n, out)
	}
}

// What is given back can be had again: by us, if not some other test has been given it at
// once, which does not happen to many.
func TestAPortGivenBackIsFree(t *testing.T) {
	const many = 20
	again := 0
	for range many {
		port, give, err := Take()
		if err != nil {
			t.Fatal(err)
		}
		if c, err := net.ListenPacket("udp", at(port)); err == nil {
			t.Error("nothing keeps it from others")
			c.Close()
		}
		if err := give(); err != nil {
			t.Fatal(err)
		}
		if c, err := net.ListenPacket("udp", at(port)); err == nil {
			again++
			c.Close()
		}
	}
	if again < many/2 {
		t.Errorf("%d of %d are free when they were given back", again, many)
	}
}
