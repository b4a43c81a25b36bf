package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"

	"stolpe/agent/journal"
	"stolpe/agent/session"
	"stolpe/payment"
)

// unsettledBy are the charges of an EVSE that are not settled.
func unsettledBy(r *session.Rules, s *session.State) (all []unsettled) {
	trouble := map[payment.Ref]string{}
	for i := range s.Debts {
		trouble[r.Ref(s.Debts[i].Number)] = s.Debts[i].Trouble.String()
	}
	for _, o := range r.Open(s) {
		u := unsettled{Ref: o.Ref, EVSE: r.EVSE, Phase: session.Idle.String(), Due: o.Due, Reserved: o.Limit, Currency: o.Currency, Trouble: trouble[o.Ref]}
		if !o.Ended {
			u.Phase = s.Phase.String()
		}
		all = append(all, u)
	}
	return all
}

// balanced says whether a balance is clear.
func balanced(a balance) balance {
	a.Clear = len(a.Owed) == 0 && len(a.Unknown) == 0
	return a
}

// owedOnDisk reads what is not settled from the journals in a state folder, and changes
// nothing there. A daemon may be writing them. A folder that is not there, or empty, is
// that of a post that has never run. Those of some EVSEs are not asked for.
func owedOnDisk(dir string, but ...int) (balance, error) {
	a := balance{From: dir, Owed: []unsettled{}, Unknown: []string{}}
	evses, err := journalsIn(dir)
	if err != nil {
		return a, err
	}
	for _, evse := range evses {
		if slices.Contains(but, evse) {
			continue
		}
		owner, found, err := journal.Peek(dir, journalOf(evse))
		if errors.Is(err, fs.ErrPermission) {
			return a, err
		}
		if err != nil {
			a.Unknown = append(a.Unknown, err.Error())
			continue
		}
		owed, doubt := owedIn(evse, owner, found)
		a.Owed = append(a.Owed, owed...)
		if doubt != "" {
			a.Unknown = append(a.Unknown, fmt.Sprintf("the journal of EVSE %d: %s", evse, doubt))
		}
	}
	return balanced(a), nil
}

// owedIn reads what is not settled from what a journal held, and says why there may be
// more.
func owedIn(evse int, owner string, found journal.Recovered) (owed []unsettled, doubt string) {
	k := read(found)
	post, number, _ := cutOwner(owner)
	switch {
	case k.trust != session.Whole:
		doubt = k.detail
	case owner == "": // nothing was ever written
		return nil, ""
	case number != evse:
		doubt = fmt.Sprintf("it is that of %s", owner)
	}
	return unsettledBy(&session.Rules{Post: post, EVSE: evse}, &session.State{Kept: k.state}), doubt
}

// journalOf is the name of the journal of an EVSE.
func journalOf(evse int) string { return "evse-" + strconv.Itoa(evse) }

// ownerOf says whose a journal is.
func ownerOf(post string, evse int) string { return post + "/" + strconv.Itoa(evse) }

// cutOwner takes that apart.
func cutOwner(owner string) (post string, evse int, ok bool) {
	i := strings.LastIndexByte(owner, '/')
	if i < 0 {
		return "", 0, false
	}
	evse, err := strconv.Atoi(owner[i+1:])
	return owner[:i], evse, err == nil
}

// journalsIn lists the EVSEs of which there is a journal in a folder, or one file of it.
func journalsIn(dir string) (evses []int, err error) {
	files, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	for _, f := range files {
		name, is := strings.CutSuffix(f.Name(), ".a")
		if !is {
			name, is = strings.CutSuffix(f.Name(), ".b")
		}
		number, of := strings.CutPrefix(name, "evse-")
		if n, wrong := strconv.Atoi(number); is && of && wrong == nil && journalOf(n) == name && !slices.Contains(evses, n) {
			evses = append(evses, n)
		}
	}
	slices.Sort(evses)
	return evses, err
}
