package telemetry

import (
	"encoding/json"
	"time"
)

// Info tells who a post is: its birth certificate, told at every connection.
type Info struct {
	Head
	Post     string    `json:"post"` // its id
	Tenant   string    `json:"tenant"`
	Name     string    `json:"name"` // where it stands, for people
	Version  string    `json:"fw"`   // of the program
	System   string    `json:"os"`   // as in linux/arm64
	Hardware string    `json:"hw,omitempty"`
	Boot     string    `json:"boot"` // another one after each start of the program
	Config   string    `json:"cfg"`  // the first 12 hex digits of the configuration's SHA-256
	Zone     string    `json:"tz"`
	Country  string    `json:"country"`
	EVSEs    []EVSE    `json:"evses"`
	Profile  Profile   `json:"profile"`
	Through  string    `json:"through,omitempty"`  // how it is paid: vipps, gateway or sim
	Commands []string  `json:"commands,omitempty"` // that somebody's key may give
	Displays []Display `json:"displays,omitempty"` // of the post
}

// EVSE tells what an EVSE is.
type EVSE struct {
	ID       int    `json:"evse"`  // its number
	Code     string `json:"code"`  // on the sticker
	MaxPower int64  `json:"max_w"` // W
	Meter    struct {
		Model  string `json:"model"`
		Serial string `json:"serial,omitempty"`
	} `json:"meter"`
}

// Health tells how the machine is. What is not known is nil.
type Health struct {
	Head
	Up       int64           `json:"up_s"`                 // of the program, s
	Heat     *float64        `json:"cpu_c,omitempty"`      // °C
	Memory   []int64         `json:"mem_mb,omitempty"`     // used and all of the machine's, MB
	Disk     *int            `json:"disk_pct,omitempty"`   // of the state folder's file system in use, percent
	Radio    *int            `json:"rssi_dbm,omitempty"`   // dBm
	Offset   *int64          `json:"clk_off_ms,omitempty"` // of the clock, ms
	Outbox   Outbox          `json:"outbox"`
	Wire     *int64          `json:"modbus_err_ppm,omitempty"`     // readings that failed, in a million
	Restarts *int            `json:"restarts,omitempty"`           // of the program since the post last ran for long
	Debts    int             `json:"unsettled"`                    // charges whose reservation is not settled yet
	Oldest   int64           `json:"oldest_unsettled_s,omitempty"` // age, s
	Ledger   string          `json:"ledger,omitempty"`             // what is wrong with the ledger, in words
	Displays []DisplayHealth `json:"displays,omitempty"`           // in the order of Info
}

// Display tells what a display is.
type Display struct {
	Name  string `json:"name"` // as in DisplayHealth
	Kind  string `json:"kind"`
	EVSEs []int  `json:"evses"` // that it is for, by number
}

// DisplayHealth tells how a display is doing. What is wrong with one keeps nobody from
// charging, so no State has it among its faults.
type DisplayHealth struct {
	Name     string `json:"name"`
	Fault    string `json:"fault,omitempty"` // a code, as in DIS-001; empty where all is well
	Text     string `json:"text,omitempty"`  // what went wrong
	Pages    uint64 `json:"pages"`           // drawn since the program started
	Failures uint64 `json:"failures"`        // of drawing since then
}

// Outbox tells what has not been sent yet.
type Outbox struct {
	Events int   `json:"events"`   // how many
	Oldest int64 `json:"oldest_s"` // age of the oldest, s
}

// Fault is something that is wrong.
type Fault struct {
	Code  string    `json:"code"`  // as in MET-001
	Class string    `json:"class"` // see ClassOf
	Since time.Time `json:"since"`
	Text  string    `json:"text"`
}

// State tells how an EVSE stands.
type State struct {
	Head
	Seq       uint64    `json:"seq"`   // number of the newest event
	State     string    `json:"state"` // a display.State's word
	Since     time.Time `json:"since"`
	Session   *string   `json:"session"`   // reference of the charge under way; null when there is none
	Contactor string    `json:"contactor"` // open, closed, mismatch or unknown
	Plug      string    `json:"plug"`      // in, out or unknown
	Faults    []Fault   `json:"faults"`    // the gravest first
}

// Price is the price of an EVSE, VAT included, in the order in which prices are shown
// by law (AFIR): per kWh, per minute, per charge, others.
type Price struct {
	Head
	Currency string       `json:"cur"`
	VAT      int          `json:"vat_bp"`  // of the net price, basis points
	KWh      int64        `json:"kwh"`     // minor units
	Minute   int64        `json:"min"`     // minor units
	Start    int64        `json:"session"` // minor units
	Other    []OtherPrice `json:"other,omitempty"`
}

// OtherPrice is a component of a price that is neither of the three: the idle fee.
type OtherPrice struct {
	Kind   string `json:"kind"`          // idle
	Minute int64  `json:"min"`           // minor units
	After  int64  `json:"free_s"`        // that are free, s
	Cap    int64  `json:"cap,omitempty"` // the most it can come to, minor units
}

// Session tells of the charge under way. Everything but Phase is left out when there
// is none.
type Session struct {
	Head
	ID       *string    `json:"id"`    // reference; null when there is none
	Phase    string     `json:"phase"` // none, or a display.State's word
	Start    *time.Time `json:"start,omitempty"`
	Energy   *int64     `json:"e_wh,omitempty"`
	Seconds  *int64     `json:"dur_s,omitempty"`
	Cost     *int64     `json:"cost,omitempty"`     // so far, minor units
	Reserved *int64     `json:"reserved,omitempty"` // minor units
	Currency string     `json:"cur,omitempty"`
}

// Meter tells what the meter said last.
type Meter struct {
	Head
	Energy  *int64 `json:"e_wh,omitempty"` // the register
	Power   *int64 `json:"p_w,omitempty"`
	Quality string `json:"q"` // ok, stale, missing or implausible
}

// Event tells of something that has happened.
type Event struct {
	Head
	ID   string          `json:"id"`  // a ULID: that of an event never changes, and no two events have the same
	Seq  uint64          `json:"seq"` // 1, 2, 3 ... of the post
	Type string          `json:"type"`
	EVSE int             `json:"evse,omitempty"` // its number; 0 for the post
	Ref  string          `json:"ref,omitempty"`  // of the payment that it is about
	Data json.RawMessage `json:"data"`
}

// Leaf is where an event is published: by the first word of its type.
func (e *Event) Leaf() Leaf { return EventLeaf + "/" + Leaf(KindOf(e.Type)) }
