package setup

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
)

// Progress is how far a setup has come. It is kept in a file, so that one that is broken
// off goes on where it was.
type Progress struct {
	Version int      `json:"version"` // of this form
	Answers Answers  `json:"answers"`
	Done    []Result `json:"done"` // in the order in which they were done

	Registers map[int]int64 `json:"registers_wh,omitempty"` // of the meters, when they were compared, Wh, by EVSE from 1
}

// progressVersion is the form that this program writes.
const progressVersion = 1

// Result is what came of a step.
type Result struct {
	Step   Step   `json:"step"`
	Status Status `json:"status"`
	Text   string `json:"text,omitempty"`
	At     int64  `json:"at"` // s since 1970
}

// Status is how a step ended.
type Status string

// The ways in which a step ends. One that failed is not done.
const (
	Passed  Status = "pass"
	Warned  Status = "warn"    // done, and somebody should know
	Skipped Status = "skipped" // because somebody said so
	Nothing Status = "none"    // there was nothing to do, as things are
)

// NewProgress is that of a setup which begins.
func NewProgress() Progress { return Progress{Version: progressVersion, Answers: Answers{}} }

// Has says whether a step is done.
func (p Progress) Has(s Step) bool {
	return slices.ContainsFunc(p.Done, func(r Result) bool { return r.Step == s })
}

// Note notes the end of a step, again if it was noted before.
func (p *Progress) Note(r Result) {
	p.Forget(r.Step)
	p.Done = append(p.Done, r)
}

// Forget lets a step be done again.
func (p *Progress) Forget(s Step) {
	p.Done = slices.DeleteFunc(p.Done, func(r Result) bool { return r.Step == s })
}

// Read notes what the register of a meter had, in Wh.
func (p *Progress) Read(evse int, register int64) {
	if p.Registers == nil {
		p.Registers = map[int]int64{}
	}
	p.Registers[evse] = register
}

// Encode writes it down.
func (p Progress) Encode() ([]byte, error) {
	b, err := json.MarshalIndent(p, "", "  ")
	return append(b, '\n'), err
}

// ParseProgress reads what Encode has written. Answers to questions that this version
// does not have are an error, and so is anything else that is not known.
func ParseProgress(b []byte) (Progress, error) {
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	p := NewProgress()
	if err := d.Decode(&p); err != nil {
		return Progress{}, fmt.Errorf("not the file of a setup: %w", err)
	}
	if p.Version != progressVersion {
		return Progress{}, fmt.Errorf("of version %d, and this program knows %d", p.Version, progressVersion)
	}
	if p.Answers == nil {
		return Progress{}, errors.New("without answers")
	}
	for key := range p.Answers {
		if _, ok := Find(key); !ok && !slices.Contains([]string{Confirmed(1), Confirmed(2)}, key) {
			return Progress{}, fmt.Errorf("answers %.60q, which is no question", key)
		}
	}
	for _, r := range p.Done {
		if !slices.Contains(Steps(), r.Step) {
			return Progress{}, fmt.Errorf("has done %.60q, which is no step", r.Step)
		}
	}
	return p, nil
}
