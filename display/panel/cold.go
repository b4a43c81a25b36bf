package panel

import "errors"

// ErrCold is for a page that is not drawn because the panel would suffer: too cold. It is
// no failure, and is tried again.
var ErrCold = errors.New("too cold to be drawn")
