package config

import (
	"fmt"
	"slices"

	"stolpe/agent/config/strict"
)

// checkPages wants the address of the pages where a display or a button cannot do without:
// with a gateway, nothing else in the file says it.
func (r *reader) checkPages(f *file) {
	if f.Payment.Through != ThroughGateway || f.Payment.Gateway.Pages != "" || !r.Fine("payment.through", "payment.gateway", "payment.gateway.pages") {
		return
	}
	const want = ", or payment.gateway.pages given: the address of the pages that it leads to"
	for i, d := range f.Display {
		if at := fmt.Sprintf("display[%d].code", i); r.Given(at) && r.Fine(at) && d.Code != CodeNone {
			r.Fail(at, string(d.Code), string(CodeNone)+want)
		}
	}
	for i, e := range f.EVSEs {
		if at := fmt.Sprintf("evses[%d].inputs.accept", i); e.Inputs.Accept != "" && r.Fine(at) {
			r.Fail(at, strict.Quote(e.Inputs.Accept), "it left out"+want)
		}
	}
}

// checkAccept wants a display at a button: what is accepted by it must be shown, and so
// must the code that it makes. On one that is for several EVSEs nobody could tell which
// of them the button is for.
func (r *reader) checkAccept(f *file) {
	all := f.displays()
	for i, e := range f.EVSEs {
		at := fmt.Sprintf("evses[%d].inputs.accept", i)
		if e.Inputs.Accept == "" || !r.Fine(at, "display", fmt.Sprintf("evses[%d].id", i)) {
			continue
		}
		alone := func(d Display) bool { return d.Code != CodeNone && slices.Equal(d.EVSEs, []int{e.ID}) }
		if !slices.ContainsFunc(all, alone) {
			r.Fail(at, strict.Quote(e.Inputs.Accept), fmt.Sprintf("it left out, as no display with a code is for EVSE %d alone: nobody could see what is accepted, nor pay", e.ID))
		}
	}
}
