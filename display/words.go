package display

import "stolpe/payment"

// Words are all sentences of one language. A test finds a field that a language
// leaves empty, and a name in braces that another language does not have.
//
// A sentence that says that nothing has been taken is a fact about the payment
// service and stands in NothingTaken alone; only Lang.Taken uses it.
type Words struct {
	States    [states]Text     // what the EVSE does, in a word or two
	Ends      [ends]Text       // why a charge ended; empty for NotEnded
	Troubles  [troubles]Advice // what a driver is told when something is wrong
	BillLines [4]Text          // what a line of a bill is for, by payment.LineKind

	// The frame of a page.
	Post, CheckPost, Languages, Help, Seller, OrgNo, VATMark, Privacy, TermsTitle, Code, OurFault, NoContact, Expired Text
	FindTitle, FindPost, FindGo, Here                                                                                 Text

	// The price, and how much to reserve.
	PowerUpTo, PerKWh, PerMinute, PerSession, PerIdle, PerIdleCap, WithVAT     Text
	Phone, PhoneWhy, BadPhone, PrivacyPhone, TermsPhone                        Text
	HowMuch, About, OneAmount, Reserve, StopsAtLimit, ByPaying, PayWith, InUse Text
	InUseSince, InUseYours, CheckAgain, OneMoment, PriceList, IdleMeaning      Text
	NearFree, ChargeAt, PriceAsk, PriceWas, PriceYes, PriceNo, OwnTerms        Text
	ScanDisplay, ScanWhy                                                       Text // where a request needs the code on the display

	// The stop code of a charge, for whoever has lost its page.
	StopCode, StopCodeKeep, StopCodeAsk, StopCodeGo, BadStopCode Text

	// A charge before and while it runs.
	Preparing, WaitingFor, OpenIfNothing, OpenPay, StillToReserve, Cancel, TimeLeft                        Text
	Approved, PlugIn, MoreTime, Undo, UndoWhy, Usually, Restarting                                         Text
	IsCharging, NotDrawing, NearLimit, AtLimit, Stale, IdleStarts, IdleRuns, Used, UsedLabel               Text
	StopCharging, StopAsk, StopYes, StopNo, StopSoFar, Finishing, KeepPage, Offline, Measured, MeasuredNow Text
	EnergyLabel, CostLabel, PowerLabel, TimeLabel                                                          Text

	// A charge that is over.
	Finished, Cancelled, Broken, NotBegun, PayOnly, Unplug, TryAgain, FaultCode Text

	// The money sentences: see Lang.Taken.
	NothingTaken, AllReleased, TooLittle, Took, RestReleased, BankDays Text
	WillTake, RestGoes, AllGoes, IfReserved, CannotTake, CannotRelease Text

	// The receipt.
	Receipt, Print, Total, OfWhichVAT, Reserved, TakenLabel, ReleasedLabel, Reference           Text
	Place, Started, Ended, MeterLabel, SerialNo, MeterStart, MeterEnd, MeterWait, Sold, PerUnit Text
	Number, Issued, Net, VAT, PostID, Reduced, AllWithVAT, SellerTitle, ChargeTitle, PaidTitle  Text
	ShowReceipt, SavePDF, ToCharge, NoReceipt, NothingSold, ReceiptLater                        Text

	Promise Text // what the payer's app says of a reservation: see Lang.Reservation

	// The sticker on a post.
	Scan, SameAddress, HelpShort Text

	// Times told by a clock that may be wrong.
	ClockHoldover, ClockUnknown Text

	Terms [9]Clause // the short terms of sale
}

// Advice is what a driver is told when something is wrong: what happened, what
// that means for the money, and what to do. For a charge that has ended, what
// happened is told by Words.Ends as well, and the money by Lang.Taken alone.
type Advice struct {
	What, Money, Do Text
}

// Clause is one paragraph of the terms.
type Clause struct {
	Title, Body Text
}

// The clauses of the terms that are not the same at every post.
const (
	idleClause    = 4 // only with an idle fee
	privacyClause = 8 // Words.TermsPhone instead, where a phone number may be given
)

// Terms are the terms of sale at a post with that price. push says that drivers
// may give a phone number there.
func (l Lang) Terms(p Post, price payment.Price, push bool) []Clause {
	w := l.Words()
	var all []Clause
	for i, c := range w.Terms {
		if i == idleClause && price.Idle.Minute == 0 {
			continue
		}
		if i == privacyClause && push {
			c.Body = w.TermsPhone
		}
		c.Body = Text(c.Body.With("seller", p.Seller.Name, "tel", p.Helpdesk, "pay", p.Wallet(),
			"time", l.Time(price.Idle.After), "price", l.Money(price.Idle.Minute, price.Currency)))
		all = append(all, c)
	}
	return all
}
