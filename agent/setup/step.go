package setup

// Step is a part of the work. Each is done once, and a setup that was broken off goes on
// at the first that is not.
type Step string

// The steps, in the order in which they are done.
const (
	Post      Step = "post"      // who the post is
	Seller    Step = "seller"    // who sells
	Meter     Step = "meter"     // which meter, and does it say what its display says
	Contactor Step = "contactor" // what switches
	Inputs    Step = "inputs"    // what is read
	Panel     Step = "panel"     // the post's own display
	Price     Step = "price"
	Payment   Step = "payment" // how the post is paid
	Network   Step = "network" // the driver's page and the broker
	Config    Step = "config"  // the configuration is written
	Display   Step = "display" // what a driver will see
	Close     Step = "close"   // the contactor closes and opens
	Press     Step = "press"   // each input does what it should
	Pay       Step = "pay"     // the payment service answers, and lets part of a sum be taken
	Sticker   Step = "sticker"
	Selftest  Step = "selftest"
	Charge    Step = "charge" // the first charge of a simulated post
	Seal      Step = "seal"   // what must not be changed any more
	Report    Step = "report"
)

// Steps are all of them, in order.
func Steps() []Step {
	return []Step{Post, Seller, Meter, Contactor, Inputs, Panel, Price, Payment, Network, Config, Display, Close, Press, Pay, Sticker, Selftest, Charge, Seal, Report}
}

// MaySkip lists the steps that can be left out; the report says so.
func MaySkip() []Step { return []Step{Meter, Close, Press, Pay, Sticker, Selftest} }

// Title is what the step is called.
func (s Step) Title() Words {
	return map[Step]Words{
		Post:      {"Posten", "The post"},
		Seller:    {"Selgeren", "The seller"},
		Meter:     {"Måleren", "The meter"},
		Contactor: {"Kontaktoren", "The contactor"},
		Inputs:    {"Inngangene", "The inputs"},
		Panel:     {"Displayet", "The display"},
		Price:     {"Prisen", "The price"},
		Payment:   {"Betalingen", "Payment"},
		Network:   {"Siden og megleren", "Page and broker"},
		Config:    {"Konfigurasjonen", "The configuration"},
		Display:   {"Det føreren ser", "What the driver sees"},
		Close:     {"Kontaktorprøve", "Contactor test"},
		Press:     {"Prøve av innganger", "Input test"},
		Pay:       {"Betalingsprøve", "Payment test"},
		Charge:    {"Første lading", "First charge"},
		Sticker:   {"Klistremerket", "The sticker"},
		Selftest:  {"Selvtest", "Self-test"},
		Seal:      {"Forsegling", "Seal"},
		Report:    {"Rapporten", "The report"},
	}[s]
}
