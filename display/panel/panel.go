// Package panel says what a post's own display shows: it turns what is known of the
// post's EVSEs into one page of short texts, and a page into a picture for each size of
// display. It does no I/O; the packages below it own the devices.
//
// # Why
//
// A driver stands in front of the display, in the rain, for some seconds. So there is one
// Page for every display: which face it has (free, charging, out of order ...), few words
// in two languages, and numbers that are already formatted. A renderer decides places
// and letters only, a device moves dots only; neither can show a number or a state that
// another one does not. A page never has a secret of a charge: no stop code, no address of a
// session; an address to pay at only where it is the one-time code of a post with a button.
package panel

import (
	"image"
	"time"

	"stolpe/display"
	"stolpe/display/qr"
	"stolpe/hal"
	"stolpe/payment"
)

// Face is what a page is about.
type Face uint8

// The faces. The zero value is that of a display whose program does not run: it is the
// only one that may stay on when nobody looks after it.
const (
	OutOfOrder  Face = iota // the program has ended, or nothing is known
	Boot                    // the program has just started
	Free                    // may be used; with a code to scan
	FreeButton              // may be used; a button accepts the terms and pays
	Busy                    // in use, and there is nothing to show of it
	PayCode                 // a one-time code to pay by, after the button
	Paying                  // waiting for approval in the app
	Authorised              // plug in
	Closing                 // about to charge
	Charging                //
	Suspended               // the car draws nothing
	NearLimit               // the reservation is nearly used
	Stopping                //
	Finished                // over, some of the reservation taken
	NoEnergy                // over, nothing taken
	Occupied                // over, and the car is still there
	Interrupted             // over, because power or a device was lost
	Faulted                 // out of order, with a code
	Emergency               // the emergency stop
	PayOffline              // the payment service cannot be asked
	Unavailable             // withdrawn
	Updating                // a new version is put in
	Here                    // somebody looks for this post
	TooCold                 // the display rests; nothing on it may become untrue
	Several                 // one row for each of several EVSEs
	faces
)

// LastFace is the last of them.
const LastFace = faces - 1

// Scene is all that a display may show, at one instant.
type Scene struct {
	Post    display.Post
	Langs   [2]display.Lang // what is said first, and second; the same twice for one language
	EVSEs   []EVSE          // that the display is for, at least one
	Off     bool            // the program ends: whatever is shown now stays
	Update  bool            // a new version is being put in
	Cold    bool            // the display is too cold to be drawn after this
	Version string          // of the program
	Now     hal.Stamp       // when this was so
	Codes   *Codes          // of whoever makes scenes one after the other; nil makes each code anew
}

// EVSE is what is known of one of them.
type EVSE struct {
	View   display.View  // as for the post's own screen: with the charge under way, or while Over is set the last one
	Link   string        // where the code leads, "https://lad.example.no/A12"; empty where there is none to show
	NoPay  bool          // the payment service cannot be asked at present
	Stop   bool          // the emergency stop is pressed
	Button bool          // there is a button that accepts the terms
	Parked bool          // a car is plugged in, as the plug input tells; false where there is none
	Over   time.Duration // since the charge in View ended; 0 while none has, and once the plug has been out since
}

// Said is a text in the two languages of a display. The second is empty where it would
// only repeat the first.
type Said [2]string

// Row is one EVSE among several.
type Row struct {
	Code   string // as on its sticker
	Face   Face
	Word   Said   // its state, in a word of at most BigMost characters
	Figure string // what it costs so far, or a kWh costs; empty without either
	Scan   *Code  // to scan, where it may be used; for a display with room for several
	Light  Light
}

// Page is what a display shows, in words. Empty fields are not shown.
type Page struct {
	Face    Face
	Post    string // what is printed on the post or its EVSE: "A12"; empty with Several
	Named   Said   // the same as people say it: "Stolpe A12"; at most LineMost characters
	Big     Said   // the state in a word, capitals, at most BigMost characters
	Title   Said   // the state in some words, at most LineMost characters
	Long    Said   // the same with more room, at most LongMost characters
	Do      Said   // what to do now, at most LongMost characters
	ShortDo Said   // the same with less room, at most LineMost characters
	Within  Said   // how long there is for it, in whole minutes: "innen 9 min"; at most LineMost characters
	Money   Said   // what becomes of the rest: "Resten er frigitt"; at most LineMost characters

	Energy   string // "12,40 kWh"
	Cost     string // "68,08 kr"; what is paid
	Reserved string // "350 kr"
	Used     int    // of the reservation, in thousandths; shown with Cost and Reserved
	Power    string // "7,2 kW"
	Time     string // "1:44", hours and minutes
	Left     string // "9:12", minutes and seconds until the wait ends
	Minutes  string // "9", the same in whole minutes, for a display that is seldom drawn
	At       string // "12:41", when the figures were so; where the clock is not known empty, or "-8 min" with Stale
	Updated  Said   // the same as a text: "Målt 12:41"; at most LineMost characters
	Stale    bool   // the figures are older than may pass for the present: At must be shown

	Price string // of a kWh, as a big number: "5,49"
	Unit  string // of it: "kr/kWh"
	VAT   Said   // "inkl. mva."; at most LineMost characters
	Fees  []Said // other parts of the price, in the order of the law, each at most LineMost characters; with FreeButton first what is reserved

	Offer payment.Price // what pressing the button accepts, as above; zero where it accepts nothing

	Fault  string // code for the technician: "MET-003"
	Help   string // telephone number
	Where  string // the post's name
	Notice Said   // of the owner, not limited in length; a renderer cuts it at a word

	Code    *Code  // to scan; nil hides it
	Caption Said   // at the code
	Domain  string // that the code leads to, as printed beside it

	Rows    []Row  // of Several
	Version string // of Boot

	Light Light // what a status light shows
}

// Code is a matrix code, ready to be drawn: Size modules wide, without its quiet zone.
type Code struct {
	Text string // what it says, for tests and for people
	Size int    // modules

	bits []bool // dark ones, row after row
}

// Dark says whether a module is dark. None outside is.
func (c *Code) Dark(x, y int) bool {
	return x >= 0 && y >= 0 && x < c.Size && y < c.Size && c.bits[y*c.Size+x]
}

// Tough is the same code with as much error correction as fits into that many modules of
// width: for a display that has room for more of them. Where none fits it is c itself.
func (c *Code) Tough(most int) *Code {
	tough, err := qr.Tough(c.Text, most)
	if err != nil || tough.Size() > most {
		return c
	}
	return drawn(c.Text, tough)
}

// Widths of texts, in characters: what the smallest display has room for.
const (
	BigMost  = 10 // 12 pixels each on 128
	LineMost = 21 // 6 pixels each on 128
	LongMost = 31 // 8 pixels each on 250
)

// Light is what one light of three colours shows.
type Light struct {
	Red, Green, Blue uint8         // 0 to 255
	Period           time.Duration // of pulsing between this and dark; 0 is steady
}

// Frame is one page as a device may show it: each takes what it can.
type Frame struct {
	Page  Page
	Image image.Image // of the device's size; nil where it has no dots
	Lines []string    // of a display of letters; nil where it has dots
	Night bool        // it is dark outside: dim
	Whole bool        // every dot is drawn, also those that seem to be right; see Stroke
}

// Pulsing is what a device also has that must be called again while its frame stands, as
// devices have no goroutine: a light. It is called at once after Show, and from then on
// after each next; since is the time since Show. A next of 0 is never.
type Pulsing interface {
	Pulse(since time.Duration) (next time.Duration, err error)
}

// Amounts and energies beyond these do not occur on a display: a charge is limited.
const (
	MostCost   payment.Amount = 999_999 // 9 999,99 kr, minor units
	MostEnergy hal.Energy     = 999_990 // 999,99 kWh, Wh
)
