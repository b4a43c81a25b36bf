package support

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Veil takes out of what goes into a bundle what opens something or says who somebody
// is.
type Veil struct {
	key     []byte
	secrets []string // values that must not be seen, longest first
	open    bool     // references, numbers and names may be seen
	find    []*regexp.Regexp
	word    *regexp.Regexp
	people  map[string]*regexp.Regexp // names that are known, and how they are found

	charges, documents map[int]int64 // what is taken off the numbers of an EVSE
}

// leastSecret is the length from which on a value can be looked for in a text, in bytes.
// Chosen by us: shorter ones are no keys, and would be found in every other word.
const leastSecret = 6

// NewVeil makes a veil. The key is the post's own; secrets are values that never may be
// seen, open or not.
func NewVeil(key []byte, secrets []string, open bool) *Veil {
	v := &Veil{key: key, open: open, people: map[string]*regexp.Regexp{}, charges: map[int]int64{}, documents: map[int]int64{}, word: regexp.MustCompile(longWord)}
	for _, p := range patterns() {
		v.find = append(v.find, regexp.MustCompile(p.find)) // here, and not at each start of each command
	}
	for _, s := range secrets {
		if s = strings.TrimSpace(s); len(s) >= leastSecret {
			v.secrets = append(v.secrets, s)
		}
	}
	slices.SortFunc(v.secrets, func(a, b string) int { return len(b) - len(a) })
	return v
}

// beginning is what the newest number of charges, or documents, is in a bundle. Chosen by
// us: higher than what a bundle reaches back.
const beginning = 1_000_000

// Counts says which numbers are the newest of an EVSE, so that others can be told by
// their distance from them.
func (v *Veil) Counts(evse int, charge, document uint64) {
	if v.open {
		return
	}
	v.charges[evse], v.documents[evse] = int64(charge)-beginning, int64(document)-beginning
}

// Charge is the number of a charge as the bundle has it; 0 stays 0.
func (v *Veil) Charge(evse int, n uint64) uint64 { return shifted(n, v.charges[evse]) }

// Document is the number of a sales document as the bundle has it; 0 stays 0.
func (v *Veil) Document(evse int, n uint64) uint64 { return shifted(n, v.documents[evse]) }

func shifted(n uint64, by int64) uint64 {
	if n == 0 {
		return 0
	}
	return uint64(max(1, int64(n)-by))
}

// markLetters are those of marks, for each half of a byte: no digits, as eight of them may be
// a phone number, which would be marked again; no vowels, as they may make somebody's name.
const markLetters = "bcdfghjklmnpqrst"

// mark is what stands for a word.
func (v *Veil) mark(letter, word string) string {
	said := []byte(letter + "-")
	for _, b := range v.Hash(word)[:4] {
		said = append(said, markLetters[b>>4], markLetters[b&0xf])
	}
	return string(said)
}

// Hash is the keyed hash of a word.
func (v *Veil) Hash(word string) []byte {
	h := hmac.New(sha256.New, v.key)
	h.Write([]byte(word))
	return h.Sum(nil)
}

// Ref is what stands for the reference of a payment.
func (v *Veil) Ref(ref string) string {
	if v.open || ref == "" {
		return ref
	}
	return v.mark("c", ref)
}

// Know tells the veil names of people, so that it finds them in a text. Those of a machine
// are not of people.
func (v *Veil) Know(names ...string) {
	for _, name := range names {
		if name = strings.TrimSpace(name); len(name) > 1 && name != "root" && name != "stolpe" {
			v.people[name] = regexp.MustCompile(`(?i)(^|[^\pL\pN])` + regexp.QuoteMeta(name) + `($|[^\pL\pN])`)
		}
	}
}

// Named is a text in which marks stand for the names that are known.
func (v *Veil) Named(text string) string {
	if v.open {
		return text
	}
	for name, find := range v.people {
		text = find.ReplaceAllString(text, "${1}"+v.mark("n", name)+"${2}")
	}
	return text
}

// Name is what stands for a name: of somebody who has logged in, say.
func (v *Veil) Name(name string) string {
	if v.open || name == "" {
		return name
	}
	way, who, found := strings.Cut(name, ":")
	if !found {
		return v.mark("n", name)
	}
	return way + ":" + v.mark("n", who)
}

// pattern is something that is looked for in a text, and the letter of what stands for it.
type pattern struct{ letter, find string }

// patterns are looked for in this order. References and numbers of documents are found
// inside other words, too. Phones are those of Norway, or have their country's number in
// front.
func patterns() []pattern {
	return []pattern{
		{"c", `[A-Za-z][A-Za-z0-9-]*-\d{1,2}-\d{6,19}`},
		{"d", `[A-Za-z][A-Za-z0-9-]*/\d{1,2}-\d{6,19}`},
		{"n", `\blocal:[\w.@-]+`},
		{"n", `[\w.+-]+@[\w-]+\.[\w.]+`},
		{"n", `\+\d{2}[ \d]{7,14}\d`},
		{"n", `\b(?:0047|47)?[49]\d{7}\b`},
		{"n", `\b[49]\d{2} \d{2} \d{3}\b`},
	}
}

// longWord is a word that may be a key or the address of a page.
const longWord = `[A-Za-z0-9_+~-]{12,}`

// suspicious says whether a long word looks like one: digits, and large and small letters
// between each other, or very long. Names of meters and files mostly do not.
func suspicious(word string) bool {
	const small, large, veryLong = "abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ", 20 // letters
	mixed := strings.ContainsAny(word, small) && strings.ContainsAny(word, large)
	return strings.ContainsAny(word, "0123456789") && strings.ContainsAny(word, small+large) && (mixed || len(word) >= veryLong)
}

// Text is a text without what must not be seen.
func (v *Veil) Text(text string) string {
	text = v.Secrets(text)
	if v.open {
		return text
	}
	text = v.Named(v.marked(text, len(v.find)))
	return v.word.ReplaceAllStringFunc(text, func(word string) string {
		if suspicious(word) {
			return v.mark("x", word)
		}
		return word
	})
}

// marked is a text in which marks stand for what the first of the patterns find.
func (v *Veil) marked(text string, first int) string {
	for i, p := range patterns()[:first] {
		text = v.find[i].ReplaceAllStringFunc(text, func(word string) string { return v.mark(p.letter, word) })
	}
	return text
}

// ours is a word that the program chose. It names nobody, but may name a payment.
func (v *Veil) ours(word string) string {
	const references = 2 // of the patterns
	return v.marked(v.Secrets(word), references)
}

// Secrets is a text without the values that never may be seen, and otherwise as it is.
func (v *Veil) Secrets(text string) string {
	for _, s := range v.secrets {
		text = strings.ReplaceAll(text, s, "(secret)")
	}
	return text
}

// handling is what becomes of a member of a record.
type handling uint8

const (
	leftOut handling = iota
	kept             // a number, a word of ours, or a section of such
	asText           // written by somebody
	asRef
	asName
	asHash
	asDocument // as printed
	asCharge   // a number
	asNumber   // of a document
)

// members says what becomes of each member of a line of the ledger. One that is not
// here is left out.
func members() map[string]handling {
	all := map[string]handling{
		"ref": asRef, "holder": asHash, "key": asHash, "iss": asName, "receipt": asDocument,
		"number": asCharge, "document": asNumber, "reason": asText, "text": asText, "why": asText,
	}
	for _, name := range strings.Fields(`
		seq at clock kind evse sale gap told refund session fault command post
		price reserved approved start_wh seen_wh end_wh elapsed_ns idle_ns started ended closed unix why_text writes guaranteed
		gathered due attempt captured released written_off trouble trouble_text meter_model meter_serial
		currency vat_bp kwh minute idle_after_ns idle_minute idle_cap cur min idle_min idle_free_s
		start end dur_s m_start_wh m_end_wh e_wh gross vat amount from to
		code class id name expires fw os boot cfg jump_s clk_was`) {
		all[name] = kept
	}
	return all
}

// Line is a line of the ledger without what must not be seen.
func (v *Veil) Line(line []byte) ([]byte, error) {
	if v.open {
		return []byte(v.Text(string(line))), nil
	}
	var e map[string]any
	d := json.NewDecoder(strings.NewReader(string(line)))
	d.UseNumber()
	if err := d.Decode(&e); err != nil {
		return nil, fmt.Errorf("line of a ledger: %w", err)
	}
	evse := 0
	if n, ok := e["evse"].(json.Number); ok {
		i, _ := n.Int64()
		evse = int(i)
	}
	v.section(e, evse, e["kind"] == "receipt.void", members())
	return json.Marshal(e)
}

// section works through a section and those in it. In that of a void, from and to are
// numbers of documents.
func (v *Veil) section(e map[string]any, evse int, void bool, all map[string]handling) {
	for name, value := range e {
		how := all[name]
		if void && (name == "from" || name == "to") {
			how = asNumber
		}
		if inner, is := value.(map[string]any); is && how == kept {
			v.section(inner, evse, void, all)
			continue
		}
		if e[name] = v.member(value, evse, how); e[name] == nil {
			delete(e, name)
		}
	}
}

// member is a value as it may be seen; nil for not at all.
func (v *Veil) member(value any, evse int, how handling) any {
	word, isWord := value.(string)
	number, isNumber := value.(json.Number)
	n, _ := number.Int64()
	switch {
	case isWord && how == kept:
		return v.ours(word)
	case isWord && how == asText:
		return v.Text(word)
	case isWord && how == asRef:
		return v.Ref(word)
	case isWord && how == asName:
		return v.Name(word)
	case isWord && how == asHash:
		return v.mark("x", word)
	case isWord && how == asDocument:
		return v.mark("d", word)
	case isNumber && how == asCharge:
		return v.Charge(evse, uint64(n))
	case isNumber && how == asNumber:
		return v.Document(evse, uint64(n))
	case isWord, how != kept && how != asText:
		return nil
	}
	if _, list := value.([]any); list {
		return nil
	}
	return value // a number, or yes or no
}
