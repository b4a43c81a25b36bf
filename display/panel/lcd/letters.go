package lcd

import "slices"

// slots is how many letters of one's own the controller has room for.
const slots = 8 // letters

// drawn is a letter that is not among those of every display.
type drawn struct {
	letter rune
	dots   [8]byte // rows from the top, five dots each; the last is that of the cursor
	plain  byte    // what stands for it where there is no room: a code of the set A00
}

// alphabet is all of them, those first that nothing resembles.
var alphabet = [...]drawn{
	{'å', [8]byte{0x04, 0x0a, 0x0e, 0x01, 0x0f, 0x11, 0x0f, 0x00}, 'a'},
	{'ø', [8]byte{0x00, 0x01, 0x0e, 0x13, 0x15, 0x19, 0x0e, 0x10}, 'o'},
	{'æ', [8]byte{0x00, 0x00, 0x1a, 0x05, 0x0f, 0x14, 0x0b, 0x00}, 'a'},
	{'Å', [8]byte{0x04, 0x0a, 0x04, 0x0e, 0x11, 0x1f, 0x11, 0x00}, 'A'},
	{'Ø', [8]byte{0x01, 0x0e, 0x13, 0x15, 0x15, 0x19, 0x0e, 0x10}, 'O'},
	{'Æ', [8]byte{0x0f, 0x14, 0x14, 0x1e, 0x14, 0x14, 0x17, 0x00}, 'A'},
	{'€', [8]byte{0x07, 0x08, 0x1e, 0x08, 0x1e, 0x08, 0x07, 0x00}, 'E'},
	{'Ä', [8]byte{0x0a, 0x0e, 0x11, 0x11, 0x1f, 0x11, 0x11, 0x00}, 'A'},
	{'Ö', [8]byte{0x0a, 0x0e, 0x11, 0x11, 0x11, 0x11, 0x0e, 0x00}, 'O'},
	{'Ü', [8]byte{0x0a, 0x11, 0x11, 0x11, 0x11, 0x11, 0x0e, 0x00}, 'U'},
	{'ä', [8]byte{0x0a, 0x00, 0x0e, 0x01, 0x0f, 0x11, 0x0f, 0x00}, 0xe1},
	{'ö', [8]byte{0x0a, 0x00, 0x0e, 0x11, 0x11, 0x11, 0x0e, 0x00}, 0xef},
	{'ü', [8]byte{0x0a, 0x00, 0x11, 0x11, 0x11, 0x13, 0x0d, 0x00}, 0xf5},
	{'ß', [8]byte{0x0c, 0x12, 0x12, 0x16, 0x11, 0x11, 0x16, 0x00}, 0xe2},
	{'é', [8]byte{0x02, 0x04, 0x0e, 0x11, 0x1f, 0x10, 0x0e, 0x00}, 'e'},
	{'█', [8]byte{0x1f, 0x1f, 0x1f, 0x1f, 0x1f, 0x1f, 0x1f, 0x1f}, 0xff},
	{'°', [8]byte{0x0c, 0x12, 0x12, 0x0c, 0x00, 0x00, 0x00, 0x00}, 0xdf},
	{'·', [8]byte{0x00, 0x00, 0x00, 0x0c, 0x0c, 0x00, 0x00, 0x00}, 0xa5},
}

// drawing gives the place of a letter in the alphabet, or -1.
func drawing(r rune) int {
	if r < 0x80 {
		return -1
	}
	return slices.IndexFunc(alphabet[:], func(d drawn) bool { return d.letter == r })
}

// plain gives the code of a letter that needs no drawing. What is no letter of this
// display is written as the one that is most like it.
func plain(r rune) byte {
	const like = "\\/~-–-—-−-‑-×x’'‘'“\"”\"„\"«\"»\"…. \u202f \u2009 \tàaáaâaãaèeêeëeìiíiîiïiòoóoôoõoùuúuûuñnçcšsžzðdþt" +
		"ÀAÁAÂAÃAÈEÉEÊEËEÌIÍIÎIÏIÒOÓOÔOÕOÙUÚUÛUÑNÇCŠSŽZÐDÞT\u00a0 " +
		"ýyÿyÝY²2³3¹1ºoªa§Sµu±+÷/´'¨\"¸,¯-\u00ad-¡!¿?¢c£L¤*¥Y¦|©c®r¬-¶P¼/½/¾/"
	if r >= 0x20 && r < 0x7e && r != '\\' { // the set A00 has other signs there
		return byte(r)
	}
	found := false
	for i, c := range []rune(like) { // pairs: a letter, and what stands for it
		if found {
			return byte(c)
		}
		found = i%2 == 0 && c == r
	}
	return '?'
}

// letters are the ones that the controller has room for.
type letters struct {
	slot [slots]rune // 0: nothing
}

// encode gives the codes of a page, every row as wide as the display, and the slots that
// were given to another letter for it.
func (l *letters) encode(lines []string, o Options) (rows [][]byte, changed []int) {
	page := make([][]rune, o.Rows)
	for y := range page {
		if y < len(lines) {
			page[y] = []rune(lines[y])
		}
	}
	changed = l.give(page)
	for _, line := range page {
		row := make([]byte, o.Columns)
		for x := range row {
			row[x] = ' '
			if x < len(line) {
				row[x] = l.code(line[x])
			}
		}
		rows = append(rows, row)
	}
	return rows, changed
}

// give gives slots to the letters of a page. What has one keeps it, so that nothing that
// stands on the display changes its look.
func (l *letters) give(page [][]rune) (changed []int) {
	var on [len(alphabet)]bool
	for _, line := range page {
		for _, r := range line {
			if i := drawing(r); i >= 0 {
				on[i] = true
			}
		}
	}
	var wanted []rune
	for i, is := range on {
		if is && len(wanted) < slots {
			wanted = append(wanted, alphabet[i].letter)
		}
	}
	for _, r := range wanted {
		if slices.Contains(l.slot[:], r) {
			continue
		}
		for i, has := range l.slot {
			if !slices.Contains(wanted, has) {
				l.slot[i], changed = r, append(changed, i)
				break
			}
		}
	}
	return changed
}

// code gives the code of a letter at present.
func (l *letters) code(r rune) byte {
	i := drawing(r)
	if i < 0 {
		return plain(r)
	}
	if slot := slices.Index(l.slot[:], r); slot >= 0 {
		return byte(slot)
	}
	return alphabet[i].plain
}

// used lists the slots that hold a letter.
func (l *letters) used() (all []int) {
	for i, r := range l.slot {
		if r != 0 {
			all = append(all, i)
		}
	}
	return all
}

// dots gives the dots of the letter in a slot.
func (l *letters) dots(slot int) []byte {
	return alphabet[drawing(l.slot[slot])].dots[:]
}
