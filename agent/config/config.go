// Package config reads the configuration of a post: one YAML file, strictly. It
// knows every key, what may stand there and what holds when it is left out, and
// says what is wrong with file, line and remedy.
//
// # Why
//
// A post stands in the field and takes money. A key that is misspelt and
// therefore without effect, or "12abc" read as 0, would be found by a driver. So
// nothing is guessed: unknown keys, keys said twice, wrong types and impossible
// values are errors, all told at once. So is a key that does
// nothing beside the others: an option that is read and ignored is a lie.
//
// One table (schema) is the only place that knows the keys. Package strict reads
// the file by it, fills the structs, and looks up the secrets; here is what the
// keys mean to each other. What may be changed from afar is in Plan, and what somebody at
// the post changes in Amend; both leave the rest of the file as it stands. What of a
// change takes effect at once, and what with the next start, is in Compare.
//
// A file says which version of the format it is written in. One of an earlier version is
// made one of the newest as a tree, before it is read, so that errors have the lines of
// the file as it stands. What a post was commissioned with may be sealed; package seal
// says what that is good for.
package config

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"slices"
	"time"

	"stolpe/agent/config/strict"
	"stolpe/display"
	"stolpe/hal"
	"stolpe/payment"
)

// Config is a configuration that has been checked.
type Config struct {
	Post      display.Post // with its time zone loaded, and the name of the country's wallet
	Tenant    string       // whose fleet it belongs to; empty when not said
	Country   string       // NO, DK or FI
	StateDir  string       // absolute path
	MetersDir string       // absolute path of a folder with register maps; empty for the built-in ones only
	EVSEs     []EVSE       // at least one; ids and codes differ
	Price     payment.Price
	Reserve   Reserve
	Payment   Payment
	Gateway   Gateway // its key is empty unless Payment.Through is ThroughGateway
	MQTT      MQTT    // zero when the post has no broker
	Telemetry Telemetry
	Commands  Commands
	Control   Control

	Commissioning Commissioning
	Web           Web       // zero with ThroughGateway: the gateway serves the pages
	Displays      []Display // none where there are none
	Limits        Limits
	Metrics       string // where figures are served: host:port of this machine, or the absolute path of a socket; empty for nowhere
	Sum           string // the first 12 hexadecimal digits of the file's SHA-256

	from *strict.Reader // where everything stood, for Wrong
	keys []Entry        // all that hold something; nil where from says so
}

// EVSE is one meter, one contactor and one plug.
type EVSE struct {
	ID        int    // 1 to 99
	Code      string // on the sticker and in the address; in capitals, whatever the file has
	Meter     Meter
	Contactor Contactor
	Inputs    Inputs
	MaxPower  hal.Power // the most it can deliver, W
}

// Meter says which meter measures an EVSE, and where it answers.
type Meter struct {
	Model     string // register map; may be empty if URL is
	URL       string // empty for the simulated meter of a simulated contactor
	Unit      int    // Modbus address, 1 to 255
	Serial    string // empty for any meter
	MIDUntil  string `mapstructure:"mid_until"` // the last day on which it may bill, as 2034-12-31; empty if nobody has said
	Confirmed string // model of which a technician has compared what is read with the meter's own display; empty for none
}

// Contactor says what switches an EVSE: a simulated one or lines of the machine,
// never both. Lines are written GPIO17 or gpiochip0/17.
type Contactor struct {
	Sim       bool   // a simulated one, with a car on it
	Line      string // closes the contactor
	Sense     string // of the auxiliary contact; with ! in front it is made when low
	DeadMan   string // toggles for as long as the loop lives; empty for none
	ActiveLow bool   // Line closes the contactor when low
}

// Inputs are the loops of wire that an EVSE reads. One that begins with ! is made
// when low; an empty one is not there. A broken one is not made.
type Inputs struct {
	Plug   string // made while a cable is in the car
	Stop   string // made while nobody presses the stop button
	EStop  string // made while the emergency stop is not pressed
	RCD    string // made while the residual current device is on
	Hot    string // made while it is cool enough
	Accept string // made while somebody presses the button that accepts the terms
}

// Reserve is what a driver may reserve, in minor units.
type Reserve struct {
	Default payment.Amount   // one of the choices, minor units
	Choices []payment.Amount // rising, minor units
}

// Through is the way to the money.
type Through string

// The ways.
const (
	ThroughVipps   Through = "vipps"   // the post calls the ePayment API itself
	ThroughGateway Through = "gateway" // the post asks a gateway, which has the keys to the API
	ThroughSim     Through = "sim"     // a payment service inside the program
)

// Payment says how the post is paid.
type Payment struct {
	Through Through
	Vipps   Vipps // its secrets are empty unless Through is ThroughVipps
	Sim     Sim

	Push     bool // drivers may be asked in the app by their phone number
	Receipts bool // receipts go into the payer's app
}

// Vipps is the access to the ePayment API.
type Vipps struct {
	BaseURL         string // without a slash at the end
	MSN             string // number of the sales unit
	ClientID        Secret
	ClientSecret    Secret
	SubscriptionKey Secret
	Webhooks        bool // the service tells the post what happens to payments
}

// Gateway says how the post asks a gateway.
type Gateway struct {
	Timeout time.Duration // for its answer
	Key     Secret        // of this post, 64 hexadecimal digits: seals what is said between the two
	Pages   string        // address of the pages it serves, without a slash at the end; empty when not said
}

// Payer is what a simulated payer does.
type Payer string

// The payers, in the words of the simulator.
const (
	payerApproves Payer = "approves"
	payerRefuses  Payer = "refuses"
	payerDawdles  Payer = "dawdles"  // approves when the payment has expired
	payerVanishes Payer = "vanishes" // never answers
	payerByHand   Payer = "by-hand"  // somebody decides on the simulator's own page
)

// Sim is the payer of a simulated payment service.
type Sim struct {
	Payer Payer
	After time.Duration // how long the payer thinks; of one who dawdles, how long after the expiry
}

// Web says where the driver's pages are.
type Web struct {
	Listen    string // host:port; port 0 is any free one
	PublicURL string // without a slash at the end; empty means the address listened on, which is then loopback
}

// Limits say how long each part of a charge may last.
type Limits struct {
	Approve  time.Duration // to approve the payment
	PlugIn   time.Duration // from approval to a cable in the car
	NoEnergy time.Duration // from closing to the first energy
	CarFull  time.Duration // without energy until the charge ends
	Longest  time.Duration // a whole charge
	Rest     time.Duration // from opening the contactor to closing it again, at least
	Closings int           // of the contactor in an hour, at most
}

// Names of the machinery that reads the file, for those who use a Config.
type (
	// Error is one thing that is wrong with a configuration.
	Error = strict.Error
	// Errors is everything that is wrong with a configuration.
	Errors = strict.Errors
	// Secret is a value that must never be seen.
	Secret = strict.Secret
	// Entry is one key as it holds.
	Entry = strict.Entry
	// Lookup finds the value of a secret.
	Lookup = strict.Lookup
)

// System finds a secret on the running system.
func System(kind, name string) (string, error) { return strict.System(kind, name) }

// Defaults gives what holds when nothing is said.
func Defaults() []Entry { return schema().Defaults() }

// CheckSecret says with an error, which does not contain it, what is wrong with a secret.
func CheckSecret(value string) error { return strict.CheckSecret(value) }

// Reference gives a table in Markdown of every key.
func Reference() string { return schema().Reference() }

// Load reads a configuration file, with secrets from the running system. What is
// wrong in the file comes back as Errors. A file that cannot be read gives
// another error, which wraps that of the operating system (fs.ErrNotExist,
// fs.ErrPermission).
func Load(path string) (Config, error) {
	f, err := strict.Open(path)
	if err != nil {
		return Config{}, err
	}
	defer f.Close()
	return Parse(path, f, System)
}

// Parse reads a configuration from in. The name stands for it in messages. Secrets
// are looked up only where the way to the money needs them; then nil is an error.
// Keys that have an environment variable take their value from there if it is
// set and not empty. What is wrong comes back as Errors; other errors are those
// of in.
func Parse(name string, in io.Reader, secrets Lookup) (Config, error) {
	return parse(name, in, secrets, (*reader).checkSeal)
}

// parse is Parse, with a check of the seal; nil where there is to be another.
func parse(name string, in io.Reader, secrets Lookup, check func(*reader, *file, []byte)) (Config, error) {
	var f file
	var text bytes.Buffer
	read, err := schema().Read(name, io.TeeReader(in, &text), &f)
	if err != nil {
		return Config{}, err
	}
	r := &reader{read}
	r.check(&f)
	if check != nil {
		check(r, &f, text.Bytes())
	}
	c := f.config()
	c.from, c.Sum = read, sumOf(text.Bytes())
	r.secrets(f, &c, secrets)
	c.Post.Brand = f.Web.Brand.Load(read, "web.brand")
	if err := read.Err(); err != nil {
		return Config{}, err
	}
	return c, nil
}

// sumOf is what a text is called.
func sumOf(text []byte) string {
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:6])
}

// Keys gives all keys that hold something, with where that comes from.
func (c Config) Keys() []Entry {
	if c.from == nil || c.keys != nil {
		return c.keys
	}
	return c.from.Entries()
}

// Old says whether the file is of an earlier version of the format.
func (c Config) Old() bool { return c.from != nil && c.from.Old }

// Uses says whether the post has a use for a line, however that is written.
func (c Config) Uses(line string) bool {
	for _, e := range c.EVSEs {
		k, in := e.Contactor, e.Inputs
		for _, used := range []string{k.Line, k.Sense, k.DeadMan, in.Plug, in.Stop, in.EStop, in.RCD, in.Hot, in.Accept} {
			if used != "" && lineOf(used) == lineOf(line) {
				return true
			}
		}
	}
	return slices.ContainsFunc(c.Displays, func(d Display) bool { return d.Uses(line) })
}

// Wrong is the error for a key of this configuration that only its user can
// judge, such as the model of a meter. The key is written as in Error.
func (c Config) Wrong(key, found, allowed string) Error {
	if c.from == nil {
		return Error{Key: key, Found: found, Allowed: allowed}
	}
	return c.from.Wrong(key, found, allowed)
}
