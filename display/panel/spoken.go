package panel

import (
	"strings"
)

// Spoken is what the page shows, in words, for people who cannot see the picture; which is 0 or
// 1 for the first or the second language.
func (p Page) Spoken(which int) string {
	of := func(text Said) string {
		if which == 1 && text[1] == "" {
			return text[0] // the same in both
		}
		return text[which]
	}
	all := []string{of(p.Named), of(p.Title), of(p.Do), of(p.Within), p.Energy, p.Cost}
	if p.Named == (Said{}) {
		all = append([]string{of(p.Big)}, all...)
	}
	if p.Cost != "" && p.Reserved != "" {
		all[len(all)-1] += " / " + p.Reserved
	}
	all = append(all, p.Power, strings.TrimSpace(p.Price+" "+p.Unit), of(p.VAT))
	for _, fee := range p.Fees {
		all = append(all, of(fee))
	}
	for _, r := range p.Rows {
		all = append(all, strings.TrimSpace(r.Code+" "+of(r.Word)+" "+r.Figure))
	}
	all = append(all, of(p.Money), of(p.Notice), p.Domain, p.Fault, p.Help)
	var texts []string
	for _, t := range all {
		if t != "" {
			texts = append(texts, strings.TrimSuffix(t, "."))
		}
	}
	return strings.Join(texts, ". ")
}
