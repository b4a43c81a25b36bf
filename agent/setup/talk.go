package setup

// Request is what a setup wants of the wizard: a line of JSON.
type Request struct {
	Do    string   `json:"do"` // ask, confirm or secret
	Title string   `json:"title"`
	Help  string   `json:"help,omitempty"`
	Word  string   `json:"word,omitempty"`  // that is to be typed; empty for a yes or a no
	Keys  []string `json:"keys,omitempty"`  // of the questions
	Must  []string `json:"must,omitempty"`  // keys of those that need an answer
	Known Answers  `json:"known,omitempty"` // what holds without an answer
}

// What a Request wants.
const (
	DoAsk     = "ask"
	DoConfirm = "confirm"
	DoSecret  = "secret"
)

// Said is what the wizard says: a line of JSON. The first has its version. While it asks,
// it has answers checked, each with a Said that has Check, for which a Verdict comes.
type Said struct {
	Version string  `json:"version,omitempty"`
	Check   *Given  `json:"check,omitempty"`
	Answers Answers `json:"answers,omitempty"`
	Yes     bool    `json:"yes,omitempty"`
	Typed   string  `json:"typed,omitempty"`
	Left    bool    `json:"left,omitempty"`  // the person has left
	Error   string  `json:"error,omitempty"` // the terminal did not do as it should
}

// Given is an answer that is to be checked.
type Given struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

// Verdict is what is wrong with an answer; empty for nothing.
type Verdict struct {
	Wrong string `json:"wrong"`
}
