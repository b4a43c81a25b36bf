package web

import (
	"errors"
	"strconv"
	"strings"
	"time"

	"stolpe/payment"
)

// errPrice is what parsePrice returns for anything writePrice cannot have
// written.
var errPrice = errors.New("web: not a price of ours")

// writePrice writes a price as a form value: the price the driver sees goes
// along with the request, so that nobody pays one he did not see.
func writePrice(p payment.Price) string {
	parts := []string{string(p.Currency)}
	for _, n := range []int64{int64(p.VAT), int64(p.KWh), int64(p.Minute), int64(p.Session),
		int64(p.Idle.After / time.Second), int64(p.Idle.Minute), int64(p.Idle.Cap)} {
		parts = append(parts, strconv.FormatInt(n, 10))
	}
	return strings.Join(parts, ".")
}

func parsePrice(s string) (payment.Price, error) {
	parts := strings.SplitN(s, ".", 9)
	if len(parts) != 8 {
		return payment.Price{}, errPrice
	}
	var n [7]int64
	for i := range n {
		var err error
		if n[i], err = strconv.ParseInt(parts[i+1], 10, 32); err != nil || n[i] < 0 {
			return payment.Price{}, errPrice
		}
	}
	p := payment.Price{Currency: payment.Currency(parts[0]), VAT: int(n[0]), KWh: payment.Amount(n[1]),
		Minute: payment.Amount(n[2]), Session: payment.Amount(n[3]),
		Idle: payment.Idle{After: time.Duration(n[4]) * time.Second, Minute: payment.Amount(n[5]), Cap: payment.Amount(n[6])}}
	if p.Check() != nil || writePrice(p) != s {
		return payment.Price{}, errPrice
	}
	return p, nil
}
