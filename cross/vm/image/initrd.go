package image

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
)

// initrd makes the first file system: the guest program as process 1, and the modules.
func (b *builder) initrd(ctx context.Context, k kernel, guest string) (string, error) {
	program, err := os.ReadFile(guest)
	if err != nil {
		return "", err
	}
	entries := []entry{
		{name: "dev", mode: folder | 0o755},
		{name: "dev/console", mode: character | 0o600, major: 5, minor: 1}, // the kernel opens it for process 1
		{name: "init", mode: regular | 0o755, data: program},
		{name: "modules", mode: folder | 0o755},
		{name: "modules/order", mode: regular | 0o644, data: []byte(strings.Join(k.order, "\n") + "\n")},
	}
	for _, m := range k.order {
		name, _, _ := strings.Cut(m, ":")
		data, err := os.ReadFile(filepath.Join(k.dir, name+".ko"))
		if os.IsNotExist(err) {
			data, err = os.ReadFile(filepath.Join(k.ours, name+".ko"))
		}
		if err != nil {
			return "", err
		}
		entries = append(entries, entry{name: "modules/" + name + ".ko", mode: regular | 0o644, data: data})
	}
	var all bytes.Buffer
	if err := writeCPIO(&all, entries); err != nil {
		return "", err
	}
	dir, err := b.once(ctx, "initrd", "kernel.go", []string{all.String()}, func(dir string) error {
		return os.WriteFile(filepath.Join(dir, "initrd"), all.Bytes(), 0o644)
	})
	return filepath.Join(dir, "initrd"), err
}
