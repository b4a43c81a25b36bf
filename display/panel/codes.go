package panel

import (
	"sync"

	"stolpe/display/qr"
)

// Codes remembers codes: to make one takes forty times as long as all the rest of a page,
// and a page is made each second for each display. It may be used by several goroutines.
type Codes struct {
	mu   sync.Mutex
	made map[string]*Code // by what they say; nil where that is too long for any
}

// codesMost is how many are remembered. Chosen by us: one for each EVSE of a post, with
// the next one of each.
const codesMost = 32

// of gives the code of an address; nil where that is too long for any.
func (c *Codes) of(link string) *Code {
	if c == nil {
		return codeOf(link)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	code, ok := c.made[link]
	if !ok {
		if code = codeOf(link); c.made == nil || len(c.made) >= codesMost {
			c.made = map[string]*Code{}
		}
		c.made[link] = code
	}
	return code
}

// codeOf makes the code of an address; nil where that is too long for any.
func codeOf(link string) *Code {
	c, err := qr.Small(link)
	if err != nil {
		return nil
	}
	return drawn(link, c)
}

// drawn is a code that can be compared with another, as pages are.
func drawn(text string, c qr.Code) *Code {
	code := &Code{Text: text, Size: c.Size(), bits: make([]bool, c.Size()*c.Size())}
	for i := range code.bits {
		code.bits[i] = c.Dark(i%code.Size, i/code.Size)
	}
	return code
}
