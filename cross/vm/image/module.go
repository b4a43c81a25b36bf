package image

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"
)

// ourModules lists the modules that Debian's kernel lacks, in the order they are loaded.
func ourModules() []string { return []string{"irq_sim", "gpio-sim"} }

// edit is a change to a source file of the kernel.
type edit struct {
	old, new string
	times    int // that old is there; another number means that the file has changed
}

// lineEdits gives gpio-sim what it lacks as a stand-in for a Raspberry Pi's chip: word of every
// change to whoever waits for one, and a parameter, persist, with which a released output keeps
// its level, as with the kernels of Raspberry Pi OS. Without it the line falls back to its pull.
//
// A pull that a program asks for does not move the simulated level, as it does in the stock
// module: there a program that is started again with a pull-up on its inputs unplugs the car.
// Here what a test pulls is a wire, which is stronger.
func lineEdits() []edit {
	const word = "sysfs_notify(&chip->dev->kobj, chip->attr_groups[offset]->name, \"value\");"
	return []edit{
		{"static DEFINE_IDA(gpio_sim_ida);", "static bool persist;\nmodule_param(persist, bool, 0644);\n\nstatic DEFINE_IDA(gpio_sim_ida);", 1},
		{"static int gpio_sim_apply_pull(", "static void changed(struct gpio_sim_chip *chip, unsigned int offset)\n{\n\tif (chip->dev && chip->attr_groups)\n\t\t" + word + "\n}\n\nstatic int gpio_sim_apply_pull(", 1},
		{"\tret = gpio_sim_apply_pull(chip, line_attr->offset, pull);\n\tif (ret)\n\t\treturn ret;\n", "\tret = gpio_sim_apply_pull(chip, line_attr->offset, pull);\n\tif (ret)\n\t\treturn ret;\n\tchanged(chip, line_attr->offset);\n", 1},
		{"return gpio_sim_apply_pull(chip, offset, 1);", "return 0;", 1},
		{"return gpio_sim_apply_pull(chip, offset, 0);", "return 0;", 1},
		{"\tscoped_guard(mutex, &chip->lock)\n\t\t__assign_bit(offset, chip->value_map, value);\n", "\tscoped_guard(mutex, &chip->lock)\n\t\t__assign_bit(offset, chip->value_map, value);\n\tchanged(chip, offset);\n", 1},
		{"bitmap_replace(chip->value_map, chip->value_map, bits, mask,\n\t\t\t       gc->ngpio);\n", "bitmap_replace(chip->value_map, chip->value_map, bits, mask,\n\t\t\t       gc->ngpio);\n\n\tunsigned int offset;\n\n\tfor_each_set_bit(offset, mask, gc->ngpio)\n\t\tchanged(chip, offset);\n", 1},
		{"\t\t__clear_bit(offset, chip->direction_map);\n\t\t__assign_bit(offset, chip->value_map, value);\n\t}\n", "\t\t__clear_bit(offset, chip->direction_map);\n\t\t__assign_bit(offset, chip->value_map, value);\n\t}\n\tchanged(chip, offset);\n", 1},
		{"\t\t__assign_bit(offset, chip->value_map,\n\t\t\t     !!test_bit(offset, chip->pull_map));\n\t\t__clear_bit(offset, chip->request_map);\n\t}\n", "\t\tif (!persist || test_bit(offset, chip->direction_map))\n\t\t\t__assign_bit(offset, chip->value_map,\n\t\t\t\t     !!test_bit(offset, chip->pull_map));\n\t\t__clear_bit(offset, chip->request_map);\n\t}\n\tchanged(chip, offset);\n", 1},
	}
}

// interruptEdits makes irq_sim a module, which it is not meant to be: it calls what the
// kernel does not offer to modules. The same by an interrupt's number is offered.
func interruptEdits() []edit {
	return []edit{
		{"handle_simple_irq(irq_to_desc(irqnum));", "generic_handle_irq_safe(irqnum);", 1},
		{"#include <linux/slab.h>\n", "#include <linux/slab.h>\n#include <linux/module.h>\n\nMODULE_DESCRIPTION(\"simulated interrupts\");\nMODULE_LICENSE(\"GPL\");\n", 1},
	}
}

// apply makes the edits. An error says which one no longer fits.
func apply(source string, edits []edit) (string, error) {
	for _, e := range edits {
		if n := strings.Count(source, e.old); n != e.times {
			return "", fmt.Errorf("the kernel's source has changed: %q is there %d times, not %d", e.old, n, e.times)
		}
		source = strings.ReplaceAll(source, e.old, e.new)
	}
	return source, nil
}

// modules builds our modules against the kernel's headers. The source is the kernel's own.
func (b *builder) modules(ctx context.Context, k kernel) (string, error) {
	return b.once(ctx, "modules", "module.go", []string{k.release, k.version}, func(dir string) error {
		var wait sync.WaitGroup
		var headers, sources error
		work, err := os.MkdirTemp(b.dir, ".headers-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(work)
		wait.Go(func() { headers = b.headers(ctx, k, work) })
		wait.Go(func() { sources = b.sources(ctx, k, dir) })
		wait.Wait()
		if err := errors.Join(headers, sources); err != nil {
			return err
		}
		list := "obj-m :="
		for _, m := range ourModules() {
			list += " " + m + ".o"
		}
		if err := os.WriteFile(filepath.Join(dir, "Makefile"), []byte(list+"\n"), 0o644); err != nil {
			return err
		}
		tree := filepath.Join(work, "usr/src/linux-headers-"+k.release)
		if _, err := b.run(ctx, "", nil, "make", "-s", "-j2", "-C", tree, "M="+dir, "modules"); err != nil {
			return err
		}
		for _, m := range ourModules() {
			if _, err := b.run(ctx, dir, nil, "strip", "--strip-debug", m+".ko"); err != nil {
				return err
			}
		}
		return nil
	})
}

// headers unpacks what a module is built with.
func (b *builder) headers(ctx context.Context, k kernel, work string) error {
	base := strings.TrimSuffix(k.release, "-amd64")
	for _, name := range []string{"linux-headers-" + k.release, "linux-headers-" + base + "-common", "linux-kbuild-" + base} {
		deb, err := b.deb(ctx, name, k.version)
		if err != nil {
			return err
		}
		if _, err := b.run(ctx, "", nil, "dpkg-deb", "-x", deb, work); err != nil {
			return err
		}
	}
	tree := filepath.Join(work, "usr/src/linux-headers-"+k.release)
	// Type information is made from it, with a program that need not be here.
	if err := os.RemoveAll(filepath.Join(tree, "vmlinux")); err != nil {
		return err
	}
	makefile := filepath.Join(tree, "Makefile")
	text, err := os.ReadFile(makefile)
	if err != nil {
		return err
	}
	return os.WriteFile(makefile, []byte(strings.ReplaceAll(string(text), "/usr/src/", work+"/usr/src/")), 0o644)
}

// sources takes our modules' files out of the kernel's source, with the edits.
func (b *builder) sources(ctx context.Context, k kernel, dir string) error {
	deb, err := b.deb(ctx, "linux-source-6.12", k.version)
	if err != nil {
		return err
	}
	wanted := map[string][]edit{
		"drivers/gpio/gpio-sim.c": lineEdits(),
		"kernel/irq/irq_sim.c":    interruptEdits(),
	}
	err = b.eachFile(ctx, deb, func(name string, content io.Reader) error {
		if !strings.HasSuffix(name, ".tar.xz") {
			return nil
		}
		return b.eachPacked(ctx, content, func(name string, content io.Reader) error {
			_, name, _ = strings.Cut(name, "/")
			edits, ok := wanted[name]
			if !ok {
				return nil
			}
			source, err := io.ReadAll(content)
			if err != nil {
				return err
			}
			text, err := apply(string(source), edits)
			if err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			delete(wanted, name)
			if err := os.WriteFile(filepath.Join(dir, path.Base(name)), []byte(text), 0o644); err != nil {
				return err
			}
			if len(wanted) == 0 {
				return io.EOF // the rest of a gigabyte need not be unpacked
			}
			return nil
		})
	})
	if err == nil && len(wanted) > 0 {
		err = fmt.Errorf("the kernel's source has not all of %v", wanted)
	}
	return err
}

// eachPacked shows the files of a compressed archive.
func (b *builder) eachPacked(ctx context.Context, packed io.Reader, do func(name string, content io.Reader) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	c := command(ctx, "", nil, "xz", "-dc")
	c.Stdin = packed
	return eachPrinted(c, cancel, do)
}
