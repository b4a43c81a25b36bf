// Package support is the bundle that a technician sends to whoever helps: what a post
// knows of itself, in one file that explains itself and tells no secrets.
//
// # Why
//
// Whoever helps has not been at the post and cannot log in. What they need is what
// happened, in order, as the post saw it: the ledger, the state, the log. What they must
// not get is what opens something (keys, pages of drivers) or says who somebody is
// (payments, phones, names). So what goes in is chosen by name and not what stays out: a
// member of a record that this package does not know is left out until somebody has
// thought about it. Free text, where nobody chooses, goes through Veil.Text.
//
// A charge stays the same charge all through a bundle, and from one bundle of a post to
// the next: its reference gives way to a keyed hash of it. The key never leaves the post.
//
// It is a tar.gz, since every desk can open one, and text, since every person can read
// that. The first file in it says what the others are.
package support

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/rand"
	"encoding/base32"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
)

// Limits, chosen by us: what a mail takes, and more than a bundle ever needs.
const (
	MaxBundle = 24 << 20 // bytes of all files together, unpacked
	MaxPieces = 200      // files
)

// Piece is a file of a bundle, or the next part of one: what has the same name is put
// together in order.
type Piece struct {
	Name  string `json:"name"`
	About string `json:"about,omitempty"` // what it is, for the index; of the first part
	Body  []byte `json:"body"`
}

// Missing is what was looked for and could not be had.
type Missing struct {
	What string `json:"what"`
	Why  string `json:"why"`
}

// Head says what a bundle is of.
type Head struct {
	Format  int       `json:"format"` // of the bundle; 1
	ID      string    `json:"id"`
	Made    time.Time `json:"made"`
	Post    string    `json:"post"`
	Version string    `json:"version"` // of the program that made it
	Source  string    `json:"source"`  // who told: the daemon, or the files of the post
	Veiled  bool      `json:"redacted"`
	Since   time.Time `json:"since"`
	Missing []Missing `json:"missing,omitempty"`
}

// Bundle is a head and files.
type Bundle struct {
	Head
	pieces []Piece
	size   int // bytes of all bodies
}

// format is the number of this form of bundles.
const format = 1

// New begins a bundle.
func New(h Head) *Bundle {
	h.Format, h.ID = format, newID()
	return &Bundle{Head: h}
}

// newID is a name that a person can say on the telephone: eight letters and digits in
// two groups, out of some 10^12.
func newID() string {
	var b [5]byte
	rand.Read(b[:]) //nolint:errcheck // it never fails
	text := base32.StdEncoding.EncodeToString(b[:])
	return text[:4] + "-" + text[4:]
}

// Add puts in a file, or the next part of one. A bundle that has become too large takes
// no more, and says so in its head.
func (b *Bundle) Add(p Piece) {
	at := len(b.pieces)
	for i := range b.pieces {
		if b.pieces[i].Name == p.Name {
			at = i
		}
	}
	if b.size+len(p.Body) > MaxBundle || at == MaxPieces {
		b.Lacks(p.Name, fmt.Sprintf("the bundle is full (%d MiB, %d files): what comes after is left out", MaxBundle>>20, MaxPieces))
		return
	}
	b.size += len(p.Body)
	if at == len(b.pieces) {
		b.pieces = append(b.pieces, p)
		return
	}
	b.pieces[at].Body = append(b.pieces[at].Body, p.Body...)
}

// Lacks writes down that something could not be had; once for each thing.
func (b *Bundle) Lacks(what, why string) {
	for _, m := range b.Head.Missing {
		if m.What == what {
			return
		}
	}
	b.Head.Missing = append(b.Head.Missing, Missing{what, why})
}

// Names lists the files, in their order.
func (b *Bundle) Names() []string {
	var all []string
	for _, p := range b.pieces {
		all = append(all, p.Name)
	}
	return all
}

// Each gives every file to fn, in their order.
func (b *Bundle) Each(fn func(Piece)) {
	for _, p := range b.pieces {
		fn(p)
	}
}

// File is what stands in a file; nil if there is none of that name.
func (b *Bundle) File(name string) []byte {
	for _, p := range b.pieces {
		if p.Name == name {
			return p.Body
		}
	}
	return nil
}

// Folder is the name of the folder that a bundle unpacks to.
func (h *Head) Folder() string {
	return fmt.Sprintf("stolpe-%s-%s", strings.ToLower(h.Post), h.Made.UTC().Format("20060102-1504"))
}

// Names of the two files that are about the bundle itself.
const (
	indexName = "README.txt"
	headName  = "bundle.json"
)

// Write writes the bundle as a tar.gz.
func (b *Bundle) Write(w io.Writer) error {
	head, err := json.MarshalIndent(b.Head, "", "  ")
	if err != nil {
		return err
	}
	packed := gzip.NewWriter(w)
	t := tar.NewWriter(packed)
	files := append([]Piece{{Name: indexName, Body: []byte(b.Index())}, {Name: headName, Body: append(head, '\n')}}, b.pieces...)
	for _, p := range files {
		h := tar.Header{Name: b.Folder() + "/" + p.Name, Mode: 0o600, Size: int64(len(p.Body)), ModTime: b.Made, Format: tar.FormatPAX}
		if err := t.WriteHeader(&h); err != nil {
			return err
		}
		if _, err := t.Write(p.Body); err != nil {
			return err
		}
	}
	return errors.Join(t.Close(), packed.Close())
}

// Index is the text that explains the bundle.
func (b *Bundle) Index() string {
	var t strings.Builder
	fmt.Fprintf(&t, "Support bundle %s of post %s, made %s by stolpe %s from %s.\n", b.ID, b.Post, b.Made.UTC().Format(time.RFC3339), b.Version, b.Source)
	fmt.Fprintf(&t, "It reaches back to %s. All times are UTC, amounts in øre or cent, energy in Wh.\n\n", b.Since.UTC().Format(time.RFC3339))
	if b.Veiled {
		t.WriteString(veiled)
	} else {
		t.WriteString("NOT REDACTED: references of payments, numbers of documents and names are in it. Keys are not.\nGive it only to who may see whose payments these are.\n")
	}
	t.WriteString("\nWhat is inside\n\n")
	for _, p := range b.pieces {
		fmt.Fprintf(&t, "%-16s %s (%d bytes)\n", p.Name, p.About, len(p.Body))
	}
	if len(b.Head.Missing) > 0 {
		t.WriteString("\nWhat could not be had\n\n")
		for _, m := range b.Head.Missing {
			fmt.Fprintf(&t, "%-16s %s\n", m.What, m.Why)
		}
	}
	t.WriteString("\nTo see on a desk what the post did: stolpe sessions replay FILE\n")
	return t.String()
}

const veiled = `Redacted: no keys, no references of payments, no pages of drivers, no phone numbers or names of people
but those that drivers are shown (post.helpdesk, seller).
  c-drgtkbpl  stands for a payment, d-... for a sales document, n-... for a name, x-... for any
              other word that might be a key. The same word gives the same mark in every bundle
              of this post, and nobody but the post can tell which word it was.
  Numbers of charges and documents do not begin where those of the post do; their order and
  their distances are true.
`

// maxUnpacked is how much is unpacked at most, bytes: all files of the largest bundle, and
// what a tar has around each of them.
const maxUnpacked = MaxBundle + (MaxPieces+4)*4096

var errTooLarge = fmt.Errorf("support bundle: more than %d MiB or %d files; it was not written by stolpe", MaxBundle>>20, MaxPieces)

// Read reads a bundle that Write wrote, with the same limits.
func Read(r io.Reader) (*Bundle, error) {
	packed, err := gzip.NewReader(r)
	if err != nil {
		return nil, fmt.Errorf("not a support bundle: %w", err)
	}
	b := &Bundle{}
	little := &io.LimitedReader{R: packed, N: maxUnpacked} // also of what is stepped over
	for t := tar.NewReader(little); ; {
		h, err := t.Next()
		if little.N == 0 {
			return nil, errTooLarge
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("support bundle: %w", err)
		}
		_, name, inside := strings.Cut(h.Name, "/")
		if !inside || h.Typeflag != tar.TypeReg {
			continue
		}
		body, err := io.ReadAll(io.LimitReader(t, MaxBundle+1))
		if err != nil {
			return nil, fmt.Errorf("support bundle: %s: %w", name, err)
		}
		if b.size += len(body); b.size > MaxBundle || len(b.pieces) > MaxPieces {
			return nil, errTooLarge
		}
		b.pieces = append(b.pieces, Piece{Name: name, Body: body})
	}
	if err := json.NewDecoder(bytes.NewReader(b.File(headName))).Decode(&b.Head); err != nil {
		return nil, fmt.Errorf("support bundle: %s: %w", headName, err)
	}
	if b.Format != format {
		return nil, fmt.Errorf("support bundle: form %d, and this program reads form %d: use stolpe %s", b.Format, format, b.Version)
	}
	return b, nil
}
