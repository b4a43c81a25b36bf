package web

import (
	"bytes"
	"net/http"
	"strconv"

	"stolpe/display"
)

// document answers with the sales document of a holder's charge, as a page or as
// a file, or says that there is none.
func (p *pages) document(w http.ResponseWriter, r *http.Request, at place, post display.Post, v display.View) {
	d, ok := at.lang.Document(post, at.code, v.Charge)
	switch {
	case !ok:
		p.show(w, r, http.StatusNotFound, p.unsold(at, post, v))
	case at.leaf == document:
		s := p.sheet(at, post, true)
		s.Doc, s.Style = &d, p.sober
		p.show(w, r, http.StatusOK, s)
	case p.pdf == nil:
		http.Redirect(w, r, at.in(at.lang).with(document).path(), http.StatusSeeOther)
	default:
		p.file(w, r, d)
	}
}

// file sends a document as a file to keep. It is written as a whole before any of
// it is sent.
func (p *pages) file(w http.ResponseWriter, r *http.Request, d display.Document) {
	p.files.Lock()
	defer p.files.Unlock()
	var b bytes.Buffer
	if err := p.pdf(&b, d); err != nil {
		panic(err) // whatever stands in it, a document can be drawn: our bug, told by catch
	}
	w.Header().Set("Content-Type", "application/pdf")
	w.Header().Set("Content-Disposition", `attachment; filename="`+d.FileName("pdf")+`"`)
	w.Header().Set("Content-Length", strconv.Itoa(b.Len()))
	if r.Method != http.MethodHead {
		w.Write(b.Bytes()) // a phone that has gone needs no file
	}
}

// unsold is the page of a charge that has no sales document.
func (p *pages) unsold(at place, post display.Post, v display.View) sheet {
	s, c := p.sheet(at, post, true), v.Charge
	s.Push = v.Push
	s.Scene, s.Tone, s.Head, s.Say = none, dim, string(s.W.NoReceipt), string(s.W.NothingSold)
	if c.End == display.NotEnded || (!c.Settled && (c.Due() > 0 || c.Captured > 0)) {
		s.Say = string(s.W.ReceiptLater)
	}
	return s
}
