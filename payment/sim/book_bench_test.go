package sim

import (
	"testing"
	"time"

	"stolpe/payment"
)

// BenchmarkCharge measures what the simulator does for one charge: 16 calls.
func BenchmarkCharge(b *testing.B) {
	const calls = 16
	refs, creates, captures := names()
	book, n := NewBook(), 0
	now := time.Duration(0)
	b.ReportAllocs()
	for b.Loop() {
		if n == len(refs) {
			book, n = NewBook(), 0
		}
		ref := refs[n]
		now += time.Second
		book.Create(now, Request{Key: creates[n], Ref: ref, Amount: 35_000, Currency: payment.NOK})
		book.Approve(now, ref)
		for range calls - 4 {
			now += 2 * time.Second
			book.Get(now, ref)
		}
		book.Capture(now, Change{captures[n], ref, 6_808, payment.NOK})
		if f, p := book.Cancel(now, ref, false); p != nil || f.Taken+f.Freed != 35_000 {
			b.Fatalf("%+v %+v", f, p)
		}
		n++
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/calls, "ns/call")
}

// names are made before the clock runs: they are the caller's, not the Book's.
func names() (refs []payment.Ref, creates, captures []string) {
	for n := range uint64(1000) {
		o := payment.Order{Ref: payment.NewRef("A12", 1, n)}
		refs = append(refs, o.Ref)
		creates = append(creates, o.Key(payment.Create))
		captures = append(captures, o.Key(payment.Capture))
	}
	return refs, creates, captures
}

func BenchmarkGet(b *testing.B) {
	book, now := NewBook(), time.Duration(0)
	book.Create(now, Request{Key: "k", Ref: "A12-1-000001", Amount: 35_000, Currency: payment.NOK})
	book.Approve(now, "A12-1-000001")
	b.ReportAllocs()
	for b.Loop() {
		now += time.Second
		if _, p := book.Get(now, "A12-1-000001"); p != nil {
			b.Fatal(p)
		}
	}
}
