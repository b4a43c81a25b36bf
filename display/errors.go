package display

import "errors"

// What can come of a request, or of an act of a page's holder. Each means that
// this wish was not carried out.
var (
	ErrBusy        = errors.New("somebody else's request or charge is under way")
	ErrOut         = errors.New("takes no new charges now")
	ErrPrice       = errors.New("the price is no longer the one that was seen")
	ErrAmount      = errors.New("not an amount that can be reserved here")
	ErrUnreachable = errors.New("the post does not answer; whether it heard the wish is not known")
	ErrPass        = errors.New("not the pass of the code that the post's display shows")
	ErrOver        = errors.New("the holder has no charge under way here")
)

// ErrLocked says that too many wrong stop codes have been tried.
var ErrLocked = errors.New("too many wrong stop codes; none is taken for a while")

// CodeError says that a stop code was wrong.
type CodeError struct {
	Left int // tries before no code is taken for a while
}

// Error says so.
func (e CodeError) Error() string { return "wrong stop code" }
