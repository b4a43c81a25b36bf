package strict

import (
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"
)

// notShown stands for what may be a secret, or lead to one.
const notShown = "(not shown)"

// Said gives what stands in a file that Read finds nothing wrong with, by path. What
// is a secret, or says where one is, is only said to be there.
func (f Format) Said(data []byte) (map[string]string, error) {
	root, wrong := f.parse("", data)
	if wrong != nil {
		return nil, *wrong
	}
	if version, wrong := f.versionOf("", root); wrong == nil {
		f.migrate(root, version, func(int, string, string, string) {})
	}
	said := map[string]string{}
	f.top().say(said, root, "")
	return said, nil
}

func (k Key) say(said map[string]string, n *yaml.Node, path string) {
	switch k.Kind {
	case Section:
		for i := 0; i+1 < len(n.Content); i += 2 {
			if c, ok := k.child(n.Content[i].Value); ok {
				c.say(said, n.Content[i+1], join(path, c.Name))
			}
		}
	case List:
		for i, item := range n.Content {
			Key{Kind: Section, Keys: k.Keys}.say(said, item, fmt.Sprintf("%s[%d]", path, i))
		}
	default:
		said[path] = k.saying(n)
	}
}

// saying is the value of one key.
func (k Key) saying(n *yaml.Node) string {
	switch {
	case k.Quiet || k.Kind == SecretRef || k.Kind == SecretRefs:
		return notShown
	case n.Kind == yaml.SequenceNode:
		var all []string
		for _, item := range n.Content {
			all = append(all, item.Value)
		}
		return "[" + strings.Join(all, ", ") + "]"
	}
	return n.Value
}
