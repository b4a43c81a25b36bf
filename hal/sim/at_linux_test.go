package sim

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestMetersAreServedAtAnyURLUntilTheEnd(t *testing.T) {
	meter, _ := billing("22110345")
	link := filepath.Join(t.TempDir(), "adapter")
	for _, c := range []struct{ at, from string }{
		{"tcp://127.0.0.1:0", "tcp://127.0.0.1:"},
		{"rtuovertcp://127.0.0.1:0", "rtuovertcp://127.0.0.1:"},
		{"rtu://" + link + "?baud=19200&parity=E&stop=2", "rtu://" + link + "?baud=19200&parity=E&stop=2"},
		{"rtu:///?parity=O", "rtu:///dev/pts/"},
		{"rtu:", "rtu:///dev/pts/"},
	} {
		t.Run(c.at, func(t *testing.T) {
			ctx, end := context.WithCancel(t.Context())
			called := 0
			err := ServeAt(ctx, c.at, Units{7: meter}, func(at string) {
				defer end()
				called++
				if !strings.HasPrefix(at, c.from) {
					t.Errorf("at %s, want %s", at, c.from)
				}
				switch scheme, _, _ := strings.Cut(at, ":"); scheme {
				case "tcp":
					answer := []byte{1, 2, 0, 0, 0, 7, 7, 4, 4, 70, 43, 224, 0}
					conn := dial(t, at)
					say(t, conn, request(readInput, 0x34, 2))
					hear(t, conn, answer)
				case "rtuovertcp":
					conn := dial(t, at)
					say(t, conn, askPower)
					hear(t, conn, sayPower)
				default:
					port := open(t, at)
					say(t, port, askPower)
					hear(t, port, sayPower)
				}
			})
			if err != nil || called != 1 {
				t.Errorf("%v, ready %d times", err, called)
			}
		})
	}
	if _, err := os.Lstat(link); err == nil {
		t.Error("the link has stayed")
	}
}

func TestAURLThatCannotBeServedIsAnError(t *testing.T) {
	meter, _ := billing("1")
	real := filepath.Join(t.TempDir(), "real")
	if err := os.Symlink("/dev/ttyUSB0", real); err != nil {
		t.Fatal(err)
	}
	for at, says := range map[string]string{
		"":                                   "want tcp://host:port",
		"127.0.0.1:502":                      "first path segment",
		"http://127.0.0.1:0":                 "want tcp://host:port",
		"tcp://127.0.0.1:0/x":                "want tcp://host:port",
		"rtuovertcp://127.0.0.1:0?baud=9600": "want tcp://host:port",
		"tcp://127.0.0.1:99999":              "invalid port",
		"rtu://host/x":                       "want tcp://host:port",
		"rtu:///?baud=fast":                  "parameter baud",
		"rtu:///?baud=0":                     "parameter baud: 0: want more than 0",
		"rtu:///?stop=3":                     "3 stop bits",
		"rtu:///?stop=-1":                    "parameter stop",
		"rtu:///?parity=even":                `parity "even"`,
		"rtu:///?bits=8":                     "parameter bits: want baud, parity or stop",
		"rtu:///?baud=9600&baud=19200":       "parameter baud: 2 times",
		"rtu:///?%zz":                        "invalid URL escape",
		"rtu://" + real:                      "file exists",
	} {
		err := ServeAt(t.Context(), at, Units{7: meter}, func(at string) { t.Errorf("served at %s", at) })
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %v, want an error that says %s", at, err, says)
		}
	}
	if target, err := os.Readlink(real); err != nil || target != "/dev/ttyUSB0" {
		t.Errorf("the link of a real adapter: %q, %v, want it left alone", target, err)
	}
}
