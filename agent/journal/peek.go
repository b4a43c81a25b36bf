package journal

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"stolpe/agent/plain"
)

// peeks is how often a journal is looked at that seems to be damaged. Chosen by us: who
// writes it meanwhile does so for microseconds, and what is still so the third time is.
const peeks = 3

// Peek says what the journal name in dir holds, and whose it is: empty where nothing was
// ever written. It is for whoever has no part in it: it takes any owner, changes nothing,
// and does not mind who has the journal open. It is an error if neither file is there
// (fs.ErrNotExist), or if one cannot be opened.
func Peek(dir, name string) (owner string, r Recovered, err error) {
	for range peeks {
		if owner, r, err = peek(dir, name); err != nil {
			return "", Recovered{}, fmt.Errorf("journal: look at %s in %s: %w", name, dir, err)
		}
		if r.Doubt == Sound || r.Doubt == New {
			break
		}
	}
	return owner, r, nil
}

func peek(dir, name string) (string, Recovered, error) {
	names := filenames(name)
	s := survey{names: names}
	zeros := true
	var missing error
	var buf [SlotSize]byte
	for i := range names {
		f, err := plain.Open(filepath.Join(dir, names[i]), os.O_RDONLY)
		if errors.Is(err, fs.ErrNotExist) && missing == nil {
			missing = err
			continue
		}
		if err != nil {
			return "", Recovered{}, err
		}
		s.look(i, f, buf[:])
		zeros = zeros && checkEmpty(f, Slots) == nil
		_ = f.Close() // it was only read
	}
	if zeros { // an installation that was cut short: see Install
		return "", Recovered{Doubt: New, Detail: "nothing was ever written"}, nil
	}
	v := s.verdict()
	return string(s.owner), Recovered{Payload: s.newest.payload, Doubt: v.doubt, Detail: v.detail}, nil
}

// adopt takes the owner of the first record for that of the journal, where none was named.
func (s *survey) adopt(r record) {
	if s.owner == nil {
		s.owner = bytes.Clone(r.owner)
	}
}
