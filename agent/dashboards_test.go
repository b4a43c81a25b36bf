package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/VictoriaMetrics/metricsql"
	"go.yaml.in/yaml/v3"

	"stolpe/agent/session"
	"stolpe/display"
	"stolpe/payment"
)

const fleetFiles = "../testdata/fleet/"

// query is one that stands in a dashboard or an alert.
type query struct{ where, text string }

// words are what labels can say; those of other labels may be anything.
func words() map[string][]string {
	w := map[string][]string{
		"step":   {"requested", "approved", "closed", "energy"},
		"result": {"ok", "interrupted", "no_energy", "start_failed", "not_approved", "no_payment"},
		"to":     {"contactor", "energy"}, "formula": {"nevi", "uk"}, "window": {"30d", "365d", "calendar_year"}, "excluded": {"true", "false"},
	}
	session.EachFault(func(f session.Faults) { w["code"] = append(w["code"], f.Code()) })
	for s := range display.LastState + 1 {
		w["state"] = append(w["state"], s.String())
	}
	for v := payment.Look; v <= payment.Inform; v++ {
		w["op"] = append(w["op"], v.String())
	}
	for s := payment.Unknown; s <= payment.Settled; s++ {
		w["outcome"] = append(w["outcome"], s.String())
	}
	w["outcome"] = append(w["outcome"], "ok", "failed") // of readings
	return w
}

// prometheus has these functions; the parser knows many more.
func functions() []string {
	return []string{"absent", "histogram_quantile", "increase", "rate", "scalar", "time", "vector", "sum", "count", "avg", "max", "topk", "bottomk"}
}

// check complains of a query that asks for what nothing serves, for labels that it does
// not have, or for words that are never said.
func (q query) check(complain func(string, ...any), list map[string]listed, said map[string][]string) {
	text := strings.NewReplacer("$__range", "1d", "$__rate_interval", "5m").Replace(q.text)
	expr, err := metricsql.Parse(text)
	if err != nil {
		complain("%s: %v", q.where, err)
		return
	}
	labels := []string{"le", "quantile", "instance", "job", "post", "tenant"} // of histograms and summaries, of whoever reads the figures, and of the fleet
	var asked []string
	metricsql.VisitAll(expr, func(e metricsql.Expr) {
		switch e := e.(type) {
		case *metricsql.MetricExpr:
			for _, filters := range e.LabelFilterss {
				f, ok := list[tailOfHistogram.ReplaceAllString(filters[0].Value, "")]
				if filters[0].Label != "__name__" || !ok {
					complain("%s: nothing serves %s", q.where, e.AppendString(nil))
					return
				}
				for _, l := range f.labels {
					labels = append(labels, strings.TrimSuffix(l, "?"))
				}
				for _, l := range filters[1:] {
					asked = append(asked, l.Label)
					checkWords(complain, q.where, l, said)
				}
			}
		case *metricsql.ModifierExpr:
			asked = append(asked, e.Args...)
		case *metricsql.FuncExpr:
			q.known(complain, e.Name)
		case *metricsql.AggrFuncExpr:
			q.known(complain, e.Name)
		}
	})
	for _, l := range asked {
		if !slices.Contains(labels, l) {
			complain("%s: nothing in it has %s", q.where, l)
		}
	}
}

func (q query) known(complain func(string, ...any), function string) {
	if !slices.Contains(functions(), function) {
		complain("%s: %s is no function of Prometheus that is known here", q.where, function)
	}
}

// checkWords looks whether each of the words that are looked for is ever said.
func checkWords(complain func(string, ...any), where string, l metricsql.LabelFilter, said map[string][]string) {
	all, limited := said[l.Label]
	if !limited {
		return
	}
	for alternative := range strings.SplitSeq(l.Value, "|") {
		pattern := regexp.MustCompile("^(?:" + alternative + ")$")
		if !slices.ContainsFunc(all, pattern.MatchString) {
			complain("%s: %s is never %s", where, l.Label, alternative)
		}
	}
}

type dashboard struct {
	UID, Title, Description string
	Templating              struct {
		List []struct{ Name, Query string }
	}
	Panels []chart
}

type chart struct {
	ID                       int
	Type, Title, Description string
	GridPos                  struct{ X, Y, W, H int }
	Targets                  []struct {
		Expr         string
		LegendFormat string
	}
}

func TestDashboardsShowWhatIsServed(t *testing.T) {
	list, said := theList(t), words()
	files, err := filepath.Glob(fleetFiles + "grafana/*.json")
	if err != nil || len(files) != 2 {
		t.Fatalf("%v, %v", files, err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var d dashboard
		if err := json.Unmarshal(text, &d); err != nil || d.UID == "" || d.Title == "" || d.Description == "" {
			t.Fatalf("%s: %v, %+v", file, err, d)
		}
		for _, v := range d.Templating.List {
			if asks, ok := strings.CutPrefix(v.Query, "label_values("); ok {
				i := strings.LastIndexByte(asks, ',')
				query{file + ": variable " + v.Name, asks[:i]}.check(t.Errorf, list, said)
			}
		}
		taken, ids := map[[2]int]bool{}, map[int]bool{}
		for _, p := range d.Panels {
			where := fmt.Sprintf("%s: %s", filepath.Base(file), p.Title)
			if ids[p.ID] || p.Title == "" || p.Type != "row" && len(p.Targets) == 0 {
				t.Errorf("%s: a panel without a number of its own, a title or a query", where)
			}
			ids[p.ID] = true
			for x := range p.GridPos.W {
				for y := range p.GridPos.H {
					at := [2]int{p.GridPos.X + x, p.GridPos.Y + y}
					if taken[at] || at[0] >= 24 {
						t.Fatalf("%s: there is no room at %v", where, at)
					}
					taken[at] = true
				}
			}
			for _, q := range p.Targets {
				query{where, q.Expr}.check(t.Errorf, list, said)
			}
		}
	}
}

type rule struct {
	Alert, Expr, For    string
	Labels, Annotations map[string]string
}

func TestAlertsAskForWhatIsServed(t *testing.T) {
	text, err := os.ReadFile(fleetFiles + "alerts.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Groups []struct {
			Name  string
			Rules []rule
		}
	}
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	decoder.KnownFields(true)
	if err := decoder.Decode(&file); err != nil {
		t.Fatal(err)
	}
	list, said, seen := theList(t), words(), map[string]bool{}
	for _, g := range file.Groups {
		for _, r := range g.Rules {
			if severity := r.Labels["severity"]; seen[r.Alert] || !strings.HasPrefix(r.Alert, "Stolpe") || severity != "page" && severity != "ticket" ||
				r.Annotations["summary"] == "" || r.Annotations["description"] == "" || len(r.Annotations) != 2 {
				t.Errorf("%s: %s: want a name of its own, a severity, a summary and a description", g.Name, r.Alert)
			}
			seen[r.Alert] = true
			if r.For != "" && !regexp.MustCompile(`^\d+[mhd]$`).MatchString(r.For) {
				t.Errorf("%s: for %q", r.Alert, r.For)
			}
			query{r.Alert, r.Expr}.check(t.Errorf, list, said)
		}
	}
	if len(seen) < 20 {
		t.Errorf("%d alerts", len(seen))
	}
}

// The checks find what they are there for.
func TestQueriesThatAskForNothingAreFound(t *testing.T) {
	for _, bad := range []string{
		"stolpe_nothing_total", "sum(stolpe_post_up", `sum by (evse) (stolpe_post_up)`, `stolpe_fault_active{colour="red"}`, `stolpe_fault_active{code="CON-999"}`,
		`stolpe_evse_state{state=~"charging|dancing"}`, `range_median(stolpe_post_up)`, `{post="A12"}`,
	} {
		found := ""
		query{"probe", bad}.check(func(format string, args ...any) { found += fmt.Sprintf(format, args...) }, theList(t), words())
		if found == "" {
			t.Errorf("%s is taken", bad)
		}
	}
}
