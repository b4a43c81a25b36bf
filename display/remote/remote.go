// Package remote lets the driver's pages of a gateway see posts that are somewhere
// else, over messages: both ends of the wire, the post's (Post) and the gateway's
// (Gateway), in one package, so that they cannot come to mean different things.
//
//	post                                        gateway
//	who and where -- <base>/page/post --------> retained
//	public view   -- <base>/page/evse/<n> ----> retained, at each change
//	              <- <base>/page/ask ---------- look, request, act, claim
//	answer        -- <base>/page/answer/<g> --> to the gateway that asked
//
// # Why
//
// A page asks the post first. A charge is only requested when the post itself has
// agreed and written it down, and it is the post that then has the reservation made:
// a gateway that dies, or two that serve one driver, leave nothing behind. All that a
// gateway knows of a post it has heard from it, and it may forget it: what everybody
// may see is retained by the broker, what only a driver may see is asked for when a
// page is drawn. Nobody looks, nothing is sent.
//
// The secret of a session page stays on the gateway; the post is told its hash, as
// when it serves the pages itself.
//
// A post that does not answer is not known to be dead: its driver is shown what was
// last heard, and for how long nothing has been.
//
// A post whose display shows a code with a pass says so in its view, and takes the pass
// with a request; it tells no gateway which pass holds. A post that knows nothing of
// passes goes on without, and a gateway that knows nothing of them is told that the post
// takes no charges: it cannot bring the pass, and its drivers shall not pay.
//
// An asking names the life of the post's program that it is meant for, and is taken
// once: whatever is kept and sent again later means nothing.
package remote

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"stolpe/display"
	"stolpe/payment"
)

// The leaves of a post's topics.
const (
	PostLeaf   = "page/post" // retained
	ViewLeaf   = "page/evse" // and below it the number of the EVSE; retained
	AskLeaf    = "page/ask"
	AnswerLeaf = "page/answer" // and below it the name of the gateway
)

// version of the messages.
const version = 1

// maxMessage bytes are the most a message may have. Chosen by us: the longest, a
// view with a bill, has 2 KiB.
const maxMessage = 16 << 10

// Posts is what a post can tell of itself, and do. Session pages are only for their
// holders.
type Posts interface {
	Session(ctx context.Context, code string, h payment.Holder) (display.View, bool)
	Request(ctx context.Context, code string, r display.Request) error
	Act(ctx context.Context, code string, h payment.Holder, a display.Act) error
	Claim(ctx context.Context, code, digits string, h payment.Holder) error
}

// errMessage is what reading a message wraps.
var errMessage = errors.New("not a message of ours")

func read(text []byte, into any) error {
	if len(text) > maxMessage {
		return fmt.Errorf("%w: it has %d bytes, at most %d are taken", errMessage, len(text), maxMessage)
	}
	var head struct {
		V int `json:"v"`
	}
	if err := json.Unmarshal(text, &head); err != nil {
		return fmt.Errorf("%w: %w", errMessage, err)
	}
	if head.V != version {
		return fmt.Errorf("%w: version %d, this program speaks %d", errMessage, head.V, version)
	}
	if err := json.Unmarshal(text, into); err != nil {
		return fmt.Errorf("%w: %w", errMessage, err)
	}
	return nil
}

// write is for messages made of our own types, which can always be written.
func write(message any) []byte {
	b, err := json.Marshal(message)
	if err != nil {
		panic(err) // no type of ours can fail
	}
	return b
}

// What an asking wants.
const (
	wantLook    = "look"
	wantRequest = "request"
	wantAct     = "act"
	wantClaim   = "claim"
)

// ask is what a page wants of a post.
type ask struct {
	V       int            `json:"v"`
	ID      string         `json:"id"`
	Life    string         `json:"life"` // of the post's program, as it said in its introduction
	Gateway string         `json:"gateway"`
	Want    string         `json:"want"`
	Code    string         `json:"code"`
	Holder  string         `json:"holder"` // in hex
	Reserve payment.Amount `json:"reserve,omitempty"`
	Seen    *price         `json:"seen,omitempty"`
	Return  string         `json:"return,omitempty"`
	Way     string         `json:"way,omitempty"`
	Phone   string         `json:"phone,omitempty"`
	Act     string         `json:"act,omitempty"`
	Digits  string         `json:"digits,omitempty"`
	Pass    string         `json:"pass,omitempty"` // as the driver has it; the post knows whether it holds
}

// answer is what came of it.
type answer struct {
	V    int    `json:"v"`
	ID   string `json:"id"`
	No   string `json:"no,omitempty"`   // why it was not done, in a word
	Left int    `json:"left,omitempty"` // tries, with a wrong code
	Pass bool   `json:"pass,omitempty"` // the pass was why: a gateway that knows none says that the post is out
	View *view  `json:"view,omitempty"` // to a look; left out where the holder has no charge
}

// refusals are the words of what can be wrong.
func refusals() map[string]error {
	return map[string]error{
		"busy": display.ErrBusy, "out": display.ErrOut, "price": display.ErrPrice, "amount": display.ErrAmount,
		"over": display.ErrOver, "locked": display.ErrLocked, "unreachable": display.ErrUnreachable,
	}
}

func refusalOf(err error) (word string, left int) {
	var wrong display.CodeError
	switch {
	case err == nil:
		return "", 0
	case errors.As(err, &wrong):
		return "code", wrong.Left
	}
	if errors.Is(err, display.ErrPass) {
		err = display.ErrOut // beside answer.Pass
	}
	for word, is := range refusals() {
		if errors.Is(err, is) {
			return word, 0
		}
	}
	return "unreachable", 0
}

func (a answer) err() error {
	if a.No == "" {
		return nil
	}
	if a.Pass {
		return display.ErrPass
	}
	if a.No == "code" {
		return display.CodeError{Left: a.Left}
	}
	if err := refusals()[a.No]; err != nil {
		return err
	}
	return display.ErrUnreachable
}

// introduction is who and where a post is.
type introduction struct {
	V        int            `json:"v"`
	Life     string         `json:"life"` // of its program: another with every start
	Name     string         `json:"name"`
	Helpdesk string         `json:"helpdesk"`
	Pay      string         `json:"pay,omitempty"`
	Zone     string         `json:"zone"`
	Seller   seller         `json:"seller"`
	Codes    map[int]string `json:"codes"` // of the EVSEs, by number
}

type seller struct {
	Name    string `json:"name"`
	OrgNo   string `json:"org_no"`
	VAT     bool   `json:"vat"`
	Address string `json:"address,omitempty"`
	Email   string `json:"email,omitempty"`
}

func introduce(p display.Post, life string, codes map[int]string) introduction {
	zone := "UTC"
	if p.Zone != nil {
		zone = p.Zone.String()
	}
	return introduction{V: version, Life: life, Name: p.Name, Helpdesk: p.Helpdesk, Pay: p.Pay, Zone: zone, Codes: codes,
		Seller: seller{p.Seller.Name, p.Seller.OrgNo, p.Seller.VATRegistered, p.Seller.Address, p.Seller.Email}}
}

func (w introduction) post(id string) (display.Post, error) {
	zone, err := time.LoadLocation(w.Zone)
	if err != nil || w.Life == "" || w.Name == "" || len(w.Codes) == 0 {
		return display.Post{}, fmt.Errorf("%w: a post without a place: %w", errMessage, err)
	}
	return display.Post{ID: id, Name: w.Name, Helpdesk: w.Helpdesk, Pay: w.Pay, Zone: zone,
		Seller: display.Seller{Name: w.Seller.Name, OrgNo: w.Seller.OrgNo, VATRegistered: w.Seller.VAT, Address: w.Seller.Address, Email: w.Seller.Email}}, nil
}
