package control

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
)

// callerOf is who is behind a request.
func (d door) callerOf(q *http.Request) Caller {
	v, _ := q.Context().Value(visitorKey{}).(*visitor)
	switch {
	case v == nil || !v.known:
		return Caller{UID: -1}
	case d.looking:
		return Caller{UID: v.uid}
	}
	return d.who(v.uid, v.gid)
}

// list is what there is, and what the caller may.
func (d door) list(who Caller) any {
	type row struct {
		Name     string `json:"name"`
		Method   string `json:"method"`
		Least    string `json:"least"`
		May      bool   `json:"may"` // the caller, through this socket
		Hardware bool   `json:"hardware,omitempty"`
		Follow   bool   `json:"follow,omitempty"`
	}
	var l struct {
		UID    int    `json:"uid"`
		Name   string `json:"name,omitempty"`
		Role   string `json:"role"`
		Routes []row  `json:"routes"`
	}
	l.UID, l.Name, l.Role = who.UID, who.Name, who.Role.String()
	for _, name := range slices.Sorted(maps.Keys(d.routes)) {
		r := d.routes[name]
		l.Routes = append(l.Routes, row{name, r.method(), r.Least.String(), who.Role >= r.Least, r.Hardware, r.Follow != nil})
	}
	return l
}

// forbidden says what a caller may not, and what to do about it.
func (d door) forbidden(r Route, who Caller) error {
	how := "use sudo"
	switch {
	case r.Least == Technician && d.people.gid >= 0:
		how = fmt.Sprintf("become a member (usermod -aG %s LOGIN, then log in again), or use sudo", d.Group)
	case r.Least == Technician:
		how = "use sudo: this machine has no group of technicians"
	case who.Role == Technician:
		how = "use sudo, or have the login name put into control.admins"
	}
	return Refuse(NotPermitted, "%s is for a role from %v on, and here this is a %v; %s", r.Name, r.Least, who.Role, how)
}

// bodyOf reads the arguments.
func bodyOf(w http.ResponseWriter, q *http.Request) (json.RawMessage, error) {
	if q.ContentLength == 0 {
		return nil, nil
	}
	c := http.NewResponseController(w)
	if err := c.SetReadDeadline(time.Now().Add(patient)); err != nil {
		return nil, err
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, q.Body, maxBody))
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return nil, Refuse(Invalid, "the arguments have more than %d bytes", maxBody)
	case err != nil:
		return nil, Refuse(Invalid, "the request did not come whole: %v", err)
	}
	if body = bytes.TrimSpace(body); string(body) == "null" {
		body = nil
	}
	if len(body) > 0 && (body[0] != '{' || !json.Valid(body)) {
		return nil, Refuse(Invalid, "arguments: want a JSON object")
	}
	return body, c.SetReadDeadline(time.Time{})
}

// maxAs is the longest name that somebody goes by, in characters. Chosen by us.
const maxAs = 32

func asOf(q *http.Request) (string, error) {
	as := q.Header.Get(asHeader)
	if CheckAs(as) != nil {
		return "", CheckAs(as)
	}
	return as, nil
}

// CheckAs says why nobody is called that. The error is a Refusal. The empty name is none.
func CheckAs(name string) error {
	plain := func(r rune) bool {
		return r < 'a' || r > 'z' && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("._-@", r)
	}
	if len(name) > maxAs || strings.ContainsFunc(name, plain) {
		return Refuse(Invalid, "as: want at most %d letters, digits and . _ - @", maxAs)
	}
	return nil
}
