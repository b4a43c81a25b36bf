// Package web draws a display.View as the pages a driver sees on the phone. One
// handler serves the gateway, the direct mode and the demo.
//
// # Why
//
// The pages are drawn on the server and work without script, because a phone in
// the rain has a slow network and an old browser more often than one would
// like. Script adds live numbers and nothing else. Style and script stand in the
// page itself: a first visit is one request, small enough for the first burst
// of packets a server may send (about 14 kB).
//
// There is no account and no cookie. The address of a session page carries a
// secret of 128 bits; knowing it is the right to see that charge and to stop it.
// The secret is never kept and never logged: its hash, the payment.Holder, goes
// with the charge. As no cookie exists, a browser adds no right of its own to a
// request, so a foreign page has nothing to borrow: to stop a charge it must
// know the secret, and to request one it can only do what anybody may do.
// Requests that browsers say come from elsewhere are refused all the same, so
// that no link makes a driver's phone request a charge.
//
// A phone that comes back in another browser has lost that address. Its driver
// scans the post again and tells the stop code, four digits that stood on the page of
// the charge; the page it leads to has a secret of its own. Four digits can be
// guessed, so the post counts wrong ones and then takes none for a while: what a
// guesser could win is to stop a charge, which the cable does as well.
//
// A post with a display may want to see its drivers before it lets them begin: its code
// then has a pass that changes, and the page of the printed code shows the price and
// where to scan. Whether a pass holds is for the post to say, with each request; the pages
// only carry it, in every address of the post that they lead to, and never into a session.
//
// The payment page is reached by a link the driver taps, at the top level, as
// the payment service demands. No page of ours ever asks for a card number.
package web

import (
	"context"
	"fmt"
	"html/template"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"sync"

	"stolpe/display"
	"stolpe/payment"
)

// Posts is what the pages need of the posts behind them. Codes arrive in
// capitals.
type Posts interface {
	// Post tells who and where; false for a code nobody has.
	Post(code string) (display.Post, bool)
	// Public is what everybody may see; false while the post cannot be reached.
	Public(code string) (display.View, bool)
	// Session is one driver's charge, current or past; false if the holder has
	// none here, or the post cannot be reached. View.Silent says beside a no that
	// nobody knows.
	Session(ctx context.Context, code string, h payment.Holder) (display.View, bool)
	// Request asks for a charge. Once it has returned nil, Session knows the
	// holder. It returns display.ErrBusy, ErrOut, ErrPrice, ErrAmount, ErrPass or
	// ErrUnreachable.
	Request(ctx context.Context, code string, r display.Request) error
	// Act does what the holder of a session page may do. It returns
	// display.ErrOver or ErrUnreachable.
	Act(ctx context.Context, code string, h payment.Holder, a display.Act) error
	// Claim gives h the rights of the holder of the charge under way, if digits are
	// its stop code. It returns display.CodeError, ErrLocked, ErrOver or ErrUnreachable.
	Claim(ctx context.Context, code, digits string, h payment.Holder) error
	// Changed is closed at the next change of anything above.
	Changed(code string) <-chan struct{}
}

// Options say how the pages are served.
type Options struct {
	// PublicURL is scheme and host as phones know them. Addresses given to the
	// payment service are made of it, never of what a request claims.
	PublicURL string
	// Log gets one line for each request and act; nil means none. Codes of posts
	// are logged, secrets are not.
	Log *slog.Logger
	// Streams is how many live streams may be open at a time; 0 means 64. Phones
	// beyond that reload the page instead.
	Streams int
	// PDF writes a sales document as a file to keep; nil means that there are no
	// such files.
	PDF func(io.Writer, display.Document) error
}

// defaultStreams is chosen by us: far more than can stand around one post, and
// at about 10 kB each still nothing on the smallest board.
const defaultStreams = 64

// pages is the handler.
type pages struct {
	posts   Posts
	public  string // scheme and host, no slash at the end
	log     *slog.Logger
	draw    func() *template.Template
	style   template.CSS
	sober   template.CSS // of documents
	script  template.JS
	policy  string // Content-Security-Policy
	origin  *http.CrossOriginProtection
	streams chan struct{} // a place for each live stream
	limits  limits
	pdf     func(io.Writer, display.Document) error
	files   sync.Mutex // one file at a time: a small board has little memory
}

// New makes the handler. It returns an error when o.PublicURL is not a scheme
// and a host.
func New(posts Posts, o Options) (http.Handler, error) {
	u, err := url.Parse(o.PublicURL)
	if err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Host == "" || (u.Path != "" && u.Path != "/") || u.RawQuery != "" || u.User != nil {
		return nil, fmt.Errorf("web: public URL %q: want https://host", o.PublicURL)
	}
	p := &pages{posts: posts, public: u.Scheme + "://" + u.Host, log: o.Log, pdf: o.PDF, origin: http.NewCrossOriginProtection()}
	if err := p.origin.AddTrustedOrigin(p.public); err != nil {
		return nil, fmt.Errorf("web: public URL %q: %w", o.PublicURL, err)
	}
	if p.log == nil {
		p.log = slog.New(slog.DiscardHandler)
	}
	if o.Streams <= 0 {
		o.Streams = defaultStreams
	}
	p.streams = make(chan struct{}, o.Streams)
	return p, p.load()
}
