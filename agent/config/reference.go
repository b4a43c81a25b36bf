package config

import (
	"fmt"
	"strings"
	"time"
)

// Reference gives a table in Markdown of every key: what it holds, what holds
// when it is left out, and what it means. Below it stands what the format has
// and this version cannot do.
func Reference() string {
	var b strings.Builder
	b.WriteString("| key | holds | if left out | meaning |\n|---|---|---|---|\n")
	schema().walk("", func(path string, k key) {
		doc := k.doc
		if k.env != "" {
			doc += " The environment variable `" + k.env + "` wins over the file."
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", path, money(k.holds()), k.otherwise(), money(doc))
	})
	b.WriteString("\nNot in this version, and refused:")
	for i, l := range later() {
		if i > 0 {
			b.WriteString(",")
		}
		b.WriteString(" `" + l.path + "`")
	}
	b.WriteString(".\n")
	return b.String()
}

// holds says what a key holds, for the reference.
func (k key) holds() string {
	switch k.kind {
	case section:
		return "section"
	case list:
		return fmt.Sprintf("list of %d to %d", k.min, k.max)
	case flag:
		return k.want
	}
	return strings.TrimSuffix(k.allowed(), " (the secret itself never stands here)")
}

// otherwise says what holds when a key is left out, for the reference.
func (k key) otherwise() string {
	switch d := k.def.(type) {
	case time.Duration:
		return "`" + short(d) + "`"
	case nil:
	default:
		return fmt.Sprintf("`%v`", d)
	}
	switch {
	case k.need:
		return "must be given"
	case k.unset != "":
		return k.unset
	}
	return "as its keys say"
}

// money puts in the names of all units of money.
func money(s string) string {
	return strings.NewReplacer(minorUnits, "øre or cent", majorUnit, "kr").Replace(s)
}
