package setup

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"stolpe/display"
)

// Commissioning is the report of a setup. Its name is the SHA-256 of its JSON, which
// stands in the ledger.
type Commissioning struct {
	Version  int       `json:"version"` // of this form
	Post     string    `json:"post"`
	Place    string    `json:"place"`
	Seller   string    `json:"seller"`
	OrgNo    string    `json:"org_no"`
	At       time.Time `json:"at"`
	Clock    string    `json:"clock"` // how good the clock was
	By       string    `json:"by"`
	Program  string    `json:"program"`
	System   string    `json:"system"`             // as in linux/arm64
	Config   string    `json:"config"`             // the sum of the configuration
	Previous string    `json:"previous,omitempty"` // the report before, by its name; empty for the first
	After    uint64    `json:"after"`              // number of the ledger's newest line when it was written
	EVSEs    []Unit    `json:"evses"`
	Price    string    `json:"price"`
	Paid     string    `json:"paid"` // through what
	Results  []Result  `json:"results"`

	zone *time.Location
}

// Unit is an EVSE in a report.
type Unit struct {
	ID        int    `json:"id"` // number on the post
	Code      string `json:"code"`
	Meter     string `json:"meter"`            // model
	Serial    string `json:"serial,omitempty"` // of the meter
	At        string `json:"meter_at"`         // address and unit
	Register  int64  `json:"register_wh"`      // Wh, when it was read
	Shown     string `json:"shown,omitempty"`  // by the meter's own display, kWh
	Contactor string `json:"contactor"`
	Inputs    string `json:"inputs,omitempty"`
	MaxPower  int64  `json:"max_power_w"` // W
}

// ReportVersion is the form of a Commissioning.
const ReportVersion = 1

// In says in which zone people read the times.
func (c Commissioning) In(zone *time.Location) Commissioning {
	c.zone = zone
	return c
}

// Encode writes the report as it is named by.
func (c Commissioning) Encode() ([]byte, error) {
	b, err := json.MarshalIndent(c, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("report: %w", err)
	}
	return append(b, '\n'), nil
}

// Name is what a report is called, by the bytes that Encode has written.
func Name(encoded []byte) string {
	sum := sha256.Sum256(encoded)
	return hex.EncodeToString(sum[:])
}

// Section is a part of a report, for people.
type Section struct {
	Title string
	Rows  []display.Row
}

// Title is what stands above a report.
func (c Commissioning) Title(l display.Lang) string {
	return Words{"Idriftsettelse av post ", "Commissioning of post "}.In(l) + c.Post
}

// Sections are the report for people.
func (c Commissioning) Sections(l display.Lang) []Section {
	say := func(nb, en string) string { return Words{nb, en}.In(l) }
	zone := c.zone
	if zone == nil {
		zone = time.UTC
	}
	head := Section{say("Posten", "The post"), []display.Row{
		{Label: say("Sted", "Place"), Value: c.Place},
		{Label: say("Selger", "Seller"), Value: c.Seller + ", " + c.OrgNo},
		{Label: say("Tidspunkt", "Time"), Value: c.At.In(zone).Format("2006-01-02 15:04 MST") + " (" + c.Clock + ")"},
		{Label: say("Utført av", "Done by"), Value: c.By},
		{Label: say("Program", "Program"), Value: c.Program + ", " + c.System},
		{Label: say("Konfigurasjon", "Configuration"), Value: c.Config},
		{Label: say("Pris", "Price"), Value: c.Price},
		{Label: say("Betaling", "Payment"), Value: c.Paid},
	}}
	all := []Section{head}
	for _, u := range c.EVSEs {
		all = append(all, u.section(l))
	}
	done := Section{Title: say("Prøver", "Tests")}
	for _, r := range c.Results {
		value := r.Status.Word(l)
		if r.Text != "" {
			value += ": " + r.Text
		}
		done.Rows = append(done.Rows, display.Row{Label: r.Step.Title().In(l), Value: value})
	}
	return append(all, done)
}

func (u Unit) section(l display.Lang) Section {
	say := func(nb, en string) string { return Words{nb, en}.In(l) }
	s := Section{Title: "EVSE " + fmt.Sprint(u.ID)}
	row := func(label, value string) {
		if value != "" {
			s.Rows = append(s.Rows, display.Row{Label: label, Value: value})
		}
	}
	row(say("Kode", "Code"), u.Code)
	row(say("Måler", "Meter"), strings.TrimSpace(u.Meter+" "+u.Serial))
	row(say("Svarer på", "Answers at"), u.At)
	if u.Register > 0 {
		row(say("Målerstand", "Register"), fmt.Sprintf("%d.%03d kWh", u.Register/1000, u.Register%1000))
	}
	if u.Shown != "" {
		row(say("Målerens display", "Meter's display"), u.Shown+" kWh")
	}
	row(say("Kontaktor", "Contactor"), u.Contactor)
	row(say("Innganger", "Inputs"), u.Inputs)
	row(say("Største effekt", "Most power"), fmt.Sprintf("%d W", u.MaxPower))
	return s
}

// Word says how a step ended.
func (s Status) Word(l display.Lang) string {
	return map[Status]Words{
		Passed:  {"bestått", "passed"},
		Warned:  {"bestått med merknad", "passed, with a remark"},
		Skipped: {"HOPPET OVER", "SKIPPED"},
		Nothing: {"ikke aktuelt", "nothing to do"},
	}[s].In(l)
}

// Text writes the report for people. The error is the writer's.
func (c Commissioning) Text(w io.Writer, l display.Lang, name string) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n", c.Title(l))
	for _, s := range c.Sections(l) {
		fmt.Fprintf(&b, "\n%s\n", s.Title)
		for _, r := range s.Rows {
			fmt.Fprintf(&b, "  %-22s %s\n", r.Label, strings.Map(visible, r.Value))
		}
	}
	fmt.Fprintf(&b, "\n%s\n", c.Sealed(l, name))
	_, err := io.WriteString(w, b.String())
	return err
}

// visible leaves out what would move the cursor.
func visible(r rune) rune {
	if r < ' ' || r >= 0x7f && r < 0xa0 {
		return '?'
	}
	return r
}

// Sealed says by what the report is known.
func (c Commissioning) Sealed(l display.Lang, name string) string {
	return Words{"SHA-256 av rapporten (JSON), som står i postens loggbok: ", "SHA-256 of this report (JSON), as in the post's ledger: "}.In(l) + name
}
