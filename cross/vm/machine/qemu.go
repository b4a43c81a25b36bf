package machine

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"syscall"

	"stolpe/cross/vm/frame"
)

// Program is what a machine runs on, from Debian's package qemu-system-x86.
const Program = "qemu-system-x86_64"

// The file descriptors that qemu inherits: the first three are the usual ones.
const (
	guestFD = 3 // the serial line to the guest
	qmpFD   = 4 // commands to qemu
)

// adapterSerial is the number on the USB adapter of the meter's line. Without one qemu makes
// it of the socket that it is in, so it would come back as another adapter.
const adapterSerial = "A10K2Q7B"

// What a machine has. Chosen by us: half the memory of the smallest post, and as many
// processors as let programs run side by side on a small host.
const (
	memory     = 256 // MB
	processors = 2
)

// label is what the kernel calls the GPIO chip of a Raspberry Pi 4.
const label = "pinctrl-bcm2711"

// start starts qemu and everything that listens to it.
func (m *Machine) start() error {
	args, err := arguments(m.options, m.console)
	if err != nil {
		return err
	}
	line, farLine, err := pair("guest")
	if err != nil {
		return err
	}
	control, farControl, err := pair("qmp")
	if err != nil {
		return err
	}
	m.line = line
	var fault bytes.Buffer
	m.qemu = exec.Command(Program, args...)
	m.qemu.Stderr = &fault
	m.qemu.ExtraFiles = []*os.File{farLine, farControl}
	m.qemu.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	begun := make(chan error)
	go func() {
		runtime.LockOSThread() // see the package's comment
		defer runtime.UnlockOSThread()
		err := m.qemu.Start()
		farLine.Close()
		farControl.Close()
		begun <- err
		if err != nil {
			return
		}
		if err := m.qemu.Wait(); err != nil && fault.Len() > 0 {
			m.end = fmt.Errorf("%w: %s", err, bytes.TrimSpace(fault.Bytes()))
		}
		line.Close()
		control.Close()
		close(m.gone)
	}()
	if err := <-begun; err != nil {
		line.Close()
		control.Close()
		return fmt.Errorf("%w; the Debian package qemu-system-x86 has it", err)
	}
	m.qmp = newQMP(control)
	go m.listen(frame.NewReader(line))
	return nil
}

// pair is a connection whose far end can be inherited.
func pair(name string) (near net.Conn, far *os.File, err error) {
	fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, fmt.Errorf("make a pair of sockets: %w", err)
	}
	file := os.NewFile(uintptr(fds[0]), name)
	defer file.Close() // FileConn has its own
	near, err = net.FileConn(file)
	return near, os.NewFile(uintptr(fds[1]), name), err
}

// arguments are those of qemu.
func arguments(o Options, console string) ([]string, error) {
	board, err := json.Marshal(frame.Board{
		Label: label, Watch: o.Watch, Follow: o.Follow, Forward: o.Forward, USB: o.USB, Wait: slow / 2,
	})
	if err != nil {
		return nil, fmt.Errorf("tell the guest its board: %w", err)
	}
	words := kernelWords() + " " + frame.BoardWord + base64.RawURLEncoding.EncodeToString(board)
	const most = 2047 // COMMAND_LINE_SIZE of x86, with its end
	if len(words) > most {
		return nil, fmt.Errorf("the kernel's command line has %d bytes, at most %d: fewer lines and ports", len(words), most)
	}
	cpu := "qemu64,+rdrand" // without it the kernel waits for its first random numbers
	if o.Accel == "kvm" {
		cpu = "host"
	}
	args := []string{
		"-accel", o.Accel, "-M", "pc", "-cpu", cpu, "-smp", fmt.Sprint(processors), "-m", fmt.Sprint(memory),
		"-nodefaults", "-display", "none", "-vga", "none",
		"-kernel", o.Image.Kernel, "-initrd", o.Image.Initrd, "-append", words,
		"-chardev", "file,id=console,append=on,path=" + quoted(console), "-serial", "chardev:console",
		"-device", "virtio-serial-pci", "-chardev", fmt.Sprintf("socket,id=guest,fd=%d", guestFD), "-device", "virtserialport,chardev=guest,name=" + frame.PortName,
		"-chardev", fmt.Sprintf("socket,id=qmp,fd=%d", qmpFD), "-mon", "chardev=qmp,mode=control",
		"-device", "i6300esb", "-action", "watchdog=reset",
		"-netdev", "user,id=net0" + reach(o.Reach), "-device", "virtio-net-pci,netdev=net0,romfile=",
	}
	args = append(args, serial(o)...)
	if !o.Clock.IsZero() {
		args = append(args, "-rtc", "base="+o.Clock.UTC().Format("2006-01-02T15:04:05"))
	}
	for i, socket := range o.Disks {
		args = append(args, "-drive", fmt.Sprintf("if=none,id=disk%d,format=raw,%s", i, source(socket)),
			"-device", fmt.Sprintf("virtio-blk-pci,drive=disk%d", i))
	}
	return args, nil
}

// kernelWords is the kernel's command line but for the board: what it says goes to the
// console, a panic is a reset, and it does not measure or guard against what an emulated
// processor does not have.
func kernelWords() string {
	return "console=ttyS0 quiet loglevel=4 panic=-1 mitigations=off tsc=reliable no_timer_check systemd.show_status=0 net.ifnames=0"
}

// serial is the meter's line. With a USB adapter there is a plain one too, which leads
// nowhere.
func serial(o Options) []string {
	far := "null,id=meter"
	if host, port, err := net.SplitHostPort(o.Meter); err == nil {
		far = fmt.Sprintf("socket,id=meter,host=%s,port=%s,reconnect=1", host, port)
	}
	if o.USB {
		return []string{"-chardev", far, "-device", "qemu-xhci,id=xhci", "-device", "usb-serial,id=adapter,serial=" + adapterSerial + ",chardev=meter,always-plugged=on"}
	}
	return []string{"-chardev", far, "-serial", "chardev:meter"}
}

func reach(ports map[int]int) string {
	var words strings.Builder
	hosts := make([]int, 0, len(ports))
	for host := range ports {
		hosts = append(hosts, host)
	}
	slices.Sort(hosts)
	for _, host := range hosts {
		fmt.Fprintf(&words, ",hostfwd=tcp:127.0.0.1:%d-:%d", host, ports[host])
	}
	return words.String()
}

// source is where a disk's blocks are: at a server, which is told of flushes, as it knows
// what they are worth.
func source(socket string) string {
	return "cache=writeback,file.driver=nbd,file.server.type=unix,file.server.path=" + quoted(socket)
}

// quoted is a value as qemu takes it: a comma twice.
func quoted(s string) string { return strings.ReplaceAll(s, ",", ",,") }
