package sim

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// maxDepth limits how deep JSON may nest; the description's deepest request has
// six levels.
const maxDepth = 16

// tree reads JSON whole: objects as map[string]any, arrays as []any, numbers as
// json.Number. Unlike encoding/json alone it refuses a member that stands twice,
// since which of two amounts is meant must not be a guess. The error's field
// says where; it is empty for what is no JSON at all.
func tree(body []byte) (v any, field string, err error) {
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	p := parser{d: d}
	v, err = p.value("", 0)
	if err == nil {
		if _, more := d.Token(); more != io.EOF {
			err = errors.New("there is more after the JSON value")
		}
	}
	return v, p.field, err
}

type parser struct {
	d     *json.Decoder
	field string // of the error
}

func (p *parser) value(path string, depth int) (any, error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("nested deeper than %d", maxDepth)
	}
	token, err := p.d.Token()
	if err != nil {
		return nil, err
	}
	switch token {
	case json.Delim('{'):
		return p.object(path, depth)
	case json.Delim('['):
		return p.list(path, depth)
	}
	return token, nil
}

func (p *parser) object(path string, depth int) (any, error) {
	members := map[string]any{}
	for p.d.More() {
		token, err := p.d.Token()
		if err != nil {
			return nil, err
		}
		name, _ := token.(string) // the decoder lets nothing else stand here
		if _, twice := members[name]; twice {
			p.field = join(path, name)
			return nil, errors.New("stands twice")
		}
		if members[name], err = p.value(join(path, name), depth+1); err != nil {
			return nil, err
		}
	}
	_, err := p.d.Token() // the closing brace
	return members, err
}

func (p *parser) list(path string, depth int) (any, error) {
	items := []any{}
	for p.d.More() {
		item, err := p.value(path, depth+1)
		if err != nil {
			return nil, err
		}
		items = append(items, item)
	}
	_, err := p.d.Token() // the closing bracket
	return items, err
}

// join writes where a member stands, as in "amount.value".
func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}
