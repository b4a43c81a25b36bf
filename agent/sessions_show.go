package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"stolpe/agent/ledger"
	"stolpe/hal"
	"stolpe/payment"
)

func sessionsShowCommand() *cobra.Command {
	var a archive
	c := &cobra.Command{
		Use:   "show ID",
		Short: "show a charge: what was used, what became of the money, and everything that happened",
		Long: `Shows one charge by its reference, as it stands on the receipt: energy and registers, the bill, what
became of the money, and every line that the ledger has about it, with the faults of its EVSE meanwhile.
What the payment service says of it: stolpe payment show.`,
		Example: `  stolpe sessions show A12-1-000042`,
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			ref, err := parseRef(args[0])
			if err != nil {
				return err
			}
			if err := a.open(c); err != nil {
				return err
			}
			s, err := a.find(ref)
			if err != nil {
				return err
			}
			a.tellDamage(s.Damage)
			if a.json {
				return failed(printJSON(a.out, s))
			}
			return failed(a.printShown(s))
		},
	}
	a.flags(c, "one JSON object")
	return c
}

// find finds a charge.
func (a *archive) find(ref payment.Ref) (s chargeShown, err error) {
	if a.daemon != nil {
		return s, answered(a.daemon.Get(a.ctx, "sessions/show", map[string]any{"id": ref}, &s))
	}
	c, err := a.chapter(ref)
	if err != nil {
		return s, err
	}
	s, found := c.shown(nil, false)
	if !found {
		return s, answered(noSession(ref))
	}
	return s, nil
}

// chapter is what the ledger on disk has of one charge.
func (a *archive) chapter(ref payment.Ref) (*chapter, error) {
	c := newChapter(ref)
	return c, a.browse(func(e ledger.Entry) error { c.take(e); return nil })
}

func (a *archive) printShown(s chargeShown) error {
	var b strings.Builder
	t := table(&b)
	row := func(nb, en, text string) {
		if text != "" && text != "-" {
			fmt.Fprintf(t, "%s\t%s\n", pick(a.lang, nb, en), text)
		}
	}
	r := &s.Session
	row("lading", "charge", fmt.Sprintf("%s, EVSE %d", r.Ref, r.EVSE))
	row("tilstand", "state", strings.TrimSuffix(string(r.State)+": "+a.troubleWords(r.Ref, r.Trouble), ": "))
	row("bestilt", "requested", a.local(r.Start, "2006-01-02 15:04:05"))
	row("slutt", "ended", strings.TrimSuffix(a.local(r.End, "2006-01-02 15:04:05")+", "+r.Why, ", "))
	row("måler", "meter", strings.Join(strings.Fields(s.Model+" "+s.Serial), " "))
	row("målerstand", "register", registers(r))
	row("energi", "energy", r.Energy.String())
	a.printMoney(row, &s)
	row("kvittering", "receipt", r.Receipt)
	if o := s.Owed; o != nil {
		row("oppgjør", "settlement", a.owedWords(o))
	}
	fmt.Fprintln(t, pick(a.lang, "\nTID\tHENDELSE\t", "\nTIME\tEVENT\t"))
	for _, e := range s.Events {
		fmt.Fprintf(t, "%s\t%s\t%s\n", a.local(e.At, "2006-01-02 15:04:05"), e.Kind, e.Text)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	_, err := io.WriteString(a.out, trimmed(b.String()))
	return err
}

// registers is from where to where the meter ran.
func registers(r *record) string {
	var words []string
	for _, e := range []*hal.Energy{r.StartWh, r.EndWh} {
		if e != nil {
			words = append(words, e.String())
		}
	}
	return strings.Join(words, " - ")
}

func (a *archive) printMoney(row func(nb, en, text string), s *chargeShown) {
	r := &s.Session
	for _, m := range []struct {
		nb, en string
		amount *payment.Amount
	}{
		{"reservert", "reserved", r.Reserved}, {"regning", "bill", r.Gross}, {"  av dette mva", "  of which VAT", r.VAT}, {"trukket", "captured", r.Captured},
		{"frigitt", "released", r.Released}, {"gitt tilbake", "given back", r.Refunded}, {"avskrevet", "written off", r.WrittenOff},
	} {
		if m.amount != nil && (*m.amount != 0 || m.amount == r.Captured || m.amount == r.Released) {
			row(m.nb, m.en, fmt.Sprintf("%v %s", *m.amount, r.Currency))
		}
		for i := 0; m.amount == r.VAT && i < len(s.Lines); i++ {
			row("  "+s.Lines[i].Kind, "  "+s.Lines[i].Kind, fmt.Sprintf("%v %s", s.Lines[i].Amount, r.Currency))
		}
	}
}

// troubleWords says what is wrong with a settlement, and what a person does about it.
func (a *archive) troubleWords(ref payment.Ref, word string) string {
	text, known := map[string][2]string{
		payment.Setup.String():     {"salgsstedet eller nøklene kan ikke brukes til å selge -> stolpe payment ping", "the sales unit or its keys are not fit to sell -> stolpe payment ping"},
		payment.NoPartial.String(): {"denne betalingen kan bare trekkes hel, så alt blir frigitt", "this payment can only be captured whole, so all of it is released"},
		payment.FundsGone.String(): {"banken har sluppet reservasjonen; den kan komme tilbake", "the bank has let the reservation go; it may come back"},
		payment.TooLate.String():   {"fristen for å trekke er ute", "the time for capturing is over"},
		payment.Conflict.String():  {"tjenesten kjenner nøkkelen med et annet innhold -> stolpe support bundle", "the service knows the key with another content -> stolpe support bundle"},
		payment.Rejected.String():  {"tjenesten avviser det -> stolpe payment show " + string(ref), "the service rejects it -> stolpe payment show " + string(ref)},
		payment.Meddled.String():   {"noen andre har flyttet på beløpene -> stolpe payment show " + string(ref), "somebody else has moved the amounts -> stolpe payment show " + string(ref)},
	}[word]
	if !known {
		return word
	}
	return word + ", " + pick(a.lang, text[0], text[1])
}

// owedWords says how a settlement stands.
func (a *archive) owedWords(o *owing) string {
	text := fmt.Sprintf(pick(a.lang, "%v %s skal trekkes", "%v %s to be taken"), o.Due, o.Currency)
	if o.Out {
		return text + pick(a.lang, ", tjenesten blir spurt nå", ", the service is being asked now")
	}
	return text + fmt.Sprintf(pick(a.lang, ", tjenesten blir spurt om %d s", ", the service is asked in %d s"), o.Next)
}
