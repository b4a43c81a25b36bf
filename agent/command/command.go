// Package command is how a post is told to do something from afar: what a command
// says, how it is signed, and the desk at the post that checks each one, has it done
// and answers.
//
// # Why
//
// A broker passes on whatever it is given, and may be set up carelessly, so nothing is
// done because it came over one. A command is signed (Ed25519) with a key whose public
// half, and what it is good for, stand in the post's own configuration. What is signed
// is the text as it is sent, and the topic it is sent to: no other post and no other
// command can be made of it, and nobody has to agree how JSON is written.
//
// A command that was overheard is worth nothing: it ends within minutes, its id is
// taken once, also after a restart, and what a broker has kept is never done. Until its
// clock has been set, a post cannot tell old from new, and does only what harms nobody.
//
// There is no command that closes a contactor, and none that can lead to it but through
// a driver's approved payment.
//
// Whatever is refused is written down with the reason; but a stranger must not be able
// to fill the ledger, so of refusals only so many are, and the rest are counted.
package command

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"stolpe/agent/telemetry"
)

// Command is what a post is to do.
type Command struct {
	V       int             `json:"v"`               // telemetry.Version
	ID      string          `json:"id"`              // a ULID; a post does nothing twice
	Name    Name            `json:"name"`            // what is to be done
	EVSE    int             `json:"evse,omitempty"`  // its number; 0 for the post, or all of them
	Args    json.RawMessage `json:"args,omitempty"`  // an object, as the command has it; see Read
	Force   bool            `json:"force,omitempty"` // also while somebody charges; for Admin alone
	Issuer  string          `json:"iss"`             // name of the key
	Issued  time.Time       `json:"iat"`
	Expires time.Time       `json:"exp"` // at most Longest ahead
}

// Name is what a command does.
type Name string

// The commands.
const (
	Identify     Name = "identify"       // let the post show which it is
	Stop         Name = "stop"           // end a charge
	OutOfService Name = "out_of_service" // take no new driver
	InService    Name = "in_service"     // and serve again
	Restart      Name = "restart"        // start the program anew
	Selftest     Name = "selftest"       // look at everything, close nothing
	PriceSet     Name = "price.set"      // another price, for charges to come
	MessageSet   Name = "message.set"    // a sentence for drivers
	ConfigGet    Name = "config.get"     // the configuration, without secrets
	ConfigSet    Name = "config.set"     // plan, apply, confirm
	SettleRetry  Name = "settle.retry"   // try again what a person was needed for
	Replay       Name = "replay"         // send events again
)

// Role is what a key is good for.
type Role string

// The roles. Each may do what those before it may.
const (
	Reader   Role = "reader"
	Support  Role = "support"
	Operator Role = "operator"
	Admin    Role = "admin"
)

// ranks orders the roles.
func ranks() []Role { return []Role{Reader, Support, Operator, Admin} }

// least is the first role that may give a command.
func least() map[Name]Role {
	return map[Name]Role{
		Replay: Reader, ConfigGet: Reader,
		Identify: Support, Stop: Support, MessageSet: Support,
		OutOfService: Operator, InService: Operator, Restart: Operator, Selftest: Operator, SettleRetry: Operator, PriceSet: Operator,
		ConfigSet: Admin,
	}
}

// Known says whether there is such a role.
func (r Role) Known() bool { return slices.Contains(ranks(), r) }

// May says whether the role may give a command.
func (r Role) May(n Name) bool {
	from, ok := least()[n]
	return ok && slices.Index(ranks(), r) >= slices.Index(ranks(), from)
}

// Known says whether there is such a command.
func (n Name) Known() bool { _, ok := least()[n]; return ok }

// Names lists the commands.
func Names() []Name {
	return []Name{Identify, Stop, OutOfService, InService, Restart, Selftest, PriceSet, MessageSet, ConfigGet, ConfigSet, SettleRetry, Replay}
}

// Leaf is where a command is sent, below the base of a post.
func (n Name) Leaf() telemetry.Leaf { return telemetry.CommandLeaf + "/" + telemetry.Leaf(n) }

// ReplyLeaf is where its reply comes.
func (n Name) ReplyLeaf() telemetry.Leaf { return n.Leaf() + "/" + telemetry.ReplyLeaf }

// Chosen by us.
const (
	Longest = 5 * time.Minute // from now to the end of a command: what is remembered must outlive it
	Largest = 16 << 10        // bytes of a command on the wire
)

const (
	maxIssuer = 32 // characters
	maxEVSE   = 99 // as the configuration has it
)

// read reads the text of a command and says what is wrong with it. As much as was
// understood comes back in any case, for the answer.
func read(text []byte) (Command, error) {
	var c Command
	if err := strictly(text, &c); err != nil {
		return c, err
	}
	args := bytes.TrimSpace(c.Args)
	switch {
	case c.V != telemetry.Version:
		return c, fmt.Errorf("v is %d: want %d", c.V, telemetry.Version)
	case !telemetry.IsULID(c.ID):
		return c, errors.New("id: want a ULID")
	case c.EVSE < 0 || c.EVSE > maxEVSE:
		return c, fmt.Errorf("evse is %d: want 1 to %d, or none", c.EVSE, maxEVSE)
	case c.Issuer == "" || len(c.Issuer) > maxIssuer:
		return c, fmt.Errorf("iss: want the name of a key, at most %d characters", maxIssuer)
	case len(args) > 0 && args[0] != '{':
		return c, errors.New("args: want an object")
	case c.Issued.IsZero() || !c.Expires.After(c.Issued):
		return c, errors.New("iat, exp: want two times, one after the other")
	}
	return c, nil
}

// Read reads the arguments, which may have no other members than args has. The error
// is a Refusal.
func (c Command) Read(args any) error {
	text := []byte(c.Args)
	if len(text) == 0 {
		text = []byte("{}")
	}
	if err := strictly(text, args); err != nil {
		return Refuse(Invalid, "args: "+err.Error())
	}
	return nil
}

// strictly reads one JSON value and nothing else.
func strictly(text []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("there is something behind it")
	}
	return nil
}

// NewID makes an id for a command that is given at a time.
func NewID(now time.Time) string {
	var rest [10]byte
	rand.Read(rest[:]) // never fails
	return telemetry.ULID(uint64(now.UnixMilli()), rest)
}
