package main

import (
	"fmt"
	"slices"
	"strings"

	"stolpe/agent/config"
	"stolpe/agent/config/strict"
	"stolpe/payment"
)

// check compares keys with each other. It leaves alone what is wrong already.
func check(r *strict.Reader, f file) {
	if r.Fine("listen", "status") && f.Listen == f.Status && !strings.HasSuffix(f.Listen, ":0") {
		r.Fail("status", strict.Quote(f.Status)+" again", "another address than that of listen")
	}
	config.MQTT{URL: f.MQTT.URL, CA: f.MQTT.CA, Cert: f.MQTT.Cert, Key: f.MQTT.Key}.Check(r)
	for i, u := range f.Units {
		at := fmt.Sprintf("units[%d]", i)
		if least := u.Currency.Minimum(); r.Fine(at+".currency", at+".max_amount") && u.Max < least {
			r.Fail(at+".max_amount", amount(u.Max, u.Currency), "at least "+amount(least, u.Currency)+", the smallest payment")
		}
		checkTwice(r, f, i)
	}
	checkPosts(r, f)
	if r.Given("fleet") {
		checkFleet(r, f)
	}
}

// checkTwice refuses a sales unit that stands there twice. Posts of two tenants
// may have the same id, and so the same references: in one unit, one could settle
// what the other has reserved.
func checkTwice(r *strict.Reader, f file, i int) {
	at := fmt.Sprintf("units[%d].msn", i)
	for j, other := range f.Units[:i] {
		before := fmt.Sprintf("units[%d]", j)
		if r.Fine(at, before+".msn") && f.Units[i].MSN == other.MSN {
			r.Fail(at, strict.Quote(other.MSN)+" again", "another sales unit than that of "+before+": one has the posts of one tenant, all in one place")
		}
	}
}

// claim is a pattern of posts and the key that it stands behind.
type claim struct{ key, pattern string }

// checkPosts refuses what is never reached, as the first unit that fits has the
// post.
func checkPosts(r *strict.Reader, f file) {
	before := map[string][]claim{} // by tenant
	for i, u := range f.Units {
		key := fmt.Sprintf("units[%d].posts", i)
		if !r.Fine(key, fmt.Sprintf("units[%d].tenant", i)) {
			continue
		}
		for k, p := range u.posts(r, fmt.Sprintf("units[%d]", i)) {
			mine := claim{key, p}
			if r.Given(key) {
				mine.key = fmt.Sprintf("%s[%d]", key, k)
			}
			if l := slices.IndexFunc(before[u.Tenant], func(c claim) bool { return covers(c.pattern, p) }); l >= 0 {
				had := before[u.Tenant][l]
				r.Fail(mine.key, fmt.Sprintf("%q behind the %q of %s", p, had.pattern, had.key), "posts that no unit above has: the first that fits has the post")
			}
			before[u.Tenant] = append(before[u.Tenant], mine)
		}
	}
}

// covers says whether every post that p fits is one that q fits.
func covers(q, p string) bool {
	start, open := strings.CutSuffix(q, "*")
	return q == p || open && strings.HasPrefix(p, start)
}

// amount writes an amount as it stands in the file and as people say it.
func amount(a payment.Amount, c payment.Currency) string { return fmt.Sprintf("%d (%v %s)", a, a, c) }
