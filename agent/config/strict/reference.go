package strict

import (
	"fmt"
	"strings"
	"time"
)

// Reference gives a table in Markdown of every key: what it holds, what holds
// when it is left out, and what it means. Below it stand the variables of the
// environment.
func (f Format) Reference() string {
	var b strings.Builder
	b.WriteString("| key | holds | if left out | meaning |\n|---|---|---|---|\n")
	f.Walk(func(path string, k Key) {
		doc := k.Doc
		if k.Env != "" {
			doc += " The environment variable `" + k.Env + "` wins over the file."
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", path, k.holds(), k.otherwise(), doc)
	})
	b.WriteString(f.overrides())
	return f.units(nil).Replace(b.String())
}

// overrides lists the keys that the environment can set.
func (f Format) overrides() string {
	var all []string
	f.Walk(func(path string, k Key) {
		if k.Env != "" {
			all = append(all, "`"+k.Env+"` (`"+path+"`)")
		}
	})
	if len(all) == 0 {
		return ""
	}
	return "\nEnvironment variables that win over the file, where they are set and not empty: " + strings.Join(all, ", ") + ".\n"
}

// holds says what a key holds, for the reference.
func (k Key) holds() string {
	switch k.Kind {
	case Section:
		return "section"
	case List:
		return fmt.Sprintf("list of %d to %d", k.Min, k.Max)
	case Flag:
		return k.Want
	}
	return strings.TrimSuffix(k.allowed(), notHere)
}

// otherwise says what holds when a key is left out, for the reference.
func (k Key) otherwise() string {
	switch d := k.Def.(type) {
	case time.Duration:
		return "`" + Short(d) + "`"
	case nil:
	default:
		return fmt.Sprintf("`%v`", d)
	}
	switch {
	case k.Need:
		return "must be given"
	case k.Unset != "":
		return k.Unset
	}
	return "as its keys say"
}
