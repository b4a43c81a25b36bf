package doctor

// Facts are all that was found out. What nobody could find out is zero or nil.
type Facts struct {
	Machine  Machine   `json:"machine"`
	File     File      `json:"file"`
	Daemon   *Daemon   `json:"daemon,omitempty"`   // what the daemon says; nil if there is none
	Bare     []EVSE    `json:"bare,omitempty"`     // what is seen of the meters without one
	Displays []Display `json:"displays,omitempty"` // what is seen of them without one
	Absent   string    `json:"absent,omitempty"`   // why there is none
	Refused  bool      `json:"refused,omitempty"`  // there is one, and it does not tell
	Version  string    `json:"version"`            // of whoever asks
	Commit   string    `json:"commit,omitempty"`
}

// Machine is the computer.
type Machine struct {
	Board  string `json:"board,omitempty"`  // its name
	Pi     bool   `json:"pi"`               // a Raspberry Pi
	Kernel string `json:"kernel,omitempty"` // its release
	OS     string `json:"system,omitempty"` // name and version

	Now    int64  `json:"now"`                 // the wall clock, s since 1970
	Clock  string `json:"clock"`               // synced, holdover or unknown
	Offset *int64 `json:"offset_ms,omitempty"` // from its source, ms

	RTC        *int64   `json:"rtc,omitempty"`        // what the battery clock says, s since 1970; nil without one
	RTCName    string   `json:"rtc_name,omitempty"`   // what it is
	ClockFile  string   `json:"clock_file,omitempty"` // which program keeps the time over a power cut
	Throttled  *uint32  `json:"throttled,omitempty"`  // what the firmware says of power and heat, bit by bit
	Watchdog   *Dog     `json:"watchdog,omitempty"`   // nil where the machine has none
	Persist    string   `json:"persist,omitempty"`    // Y where released outputs keep their level, N where not; empty if the kernel does not say
	Strict     bool     `json:"strict"`               // config.txt or the command line asks for that not to be
	BootConfig string   `json:"boot_config,omitempty"`
	BootI2C    bool     `json:"i2c"`                 // config.txt asks for I2C
	BootSPI    bool     `json:"spi"`                 // and for SPI
	Lines      []Line   `json:"lines,omitempty"`     // that switch contactors
	Serial     []Port   `json:"serial,omitempty"`    // of the board itself, on which there are meters
	Disk       *Disk    `json:"disk,omitempty"`      // of the state folder
	System     *Mount   `json:"system_fs,omitempty"` // what the system lies on; nil if it is not known
	State      *Mount   `json:"state_fs,omitempty"`  // what the state folder lies on
	Swap       []Swap   `json:"swap,omitempty"`
	Away       []string `json:"not_mounted,omitempty"` // where fstab mounts what a post needs, and nothing is
	Logs       *Logs    `json:"logs,omitempty"`        // of the program; nil where it has no journal of its own
	Flash      []Flash  `json:"flash,omitempty"`
}

// Dog is a hardware watchdog.
type Dog struct {
	Name    string `json:"name"`
	Armed   bool   `json:"armed"`
	Seconds int    `json:"timeout_s"`          // until it resets the machine, s
	Wanted  int    `json:"wanted_s,omitempty"` // by the service manager, s
	Other   bool   `json:"other,omitempty"`    // the service manager wants none: another program keeps it calm
}

// Port is a serial line of the board itself on which there are meters.
type Port struct {
	EVSE    int    `json:"evse"` // whose meter it is
	Name    string `json:"name"`
	Device  string `json:"device,omitempty"`  // what the name leads to; empty if it is not there
	Parity  bool   `json:"parity,omitempty"`  // the meter wants one
	Mini    bool   `json:"mini,omitempty"`    // it is the small UART, which has no parity
	Console string `json:"console,omitempty"` // by which name the kernel talks there
	Next    bool   `json:"next,omitempty"`    // it will after the next boot as well
	On      bool   `json:"on,omitempty"`      // config.txt switches it on
	RP1     bool   `json:"rp1,omitempty"`     // on a board that has it on other lines
}

// Mount is what a folder lies on.
type Mount struct {
	At       string `json:"at"`
	Kind     string `json:"kind"` // of file system
	ReadOnly bool   `json:"read_only,omitempty"`
	NoATime  bool   `json:"noatime,omitempty"`    // reading writes nothing
	NoFlush  bool   `json:"no_barrier,omitempty"` // what must be on the card need not be there
	Own      bool   `json:"own,omitempty"`        // it is another one than that of the system
}

// Swap is where memory is put aside.
type Swap struct {
	Name string `json:"name"`
	RAM  bool   `json:"ram,omitempty"` // in memory, packed
}

// Logs are the journal of the program.
type Logs struct {
	Kept bool `json:"kept"` // over a power cut
}

// Line is a line that closes a contactor.
type Line struct {
	EVSE      int    `json:"evse"` // whose contactor it switches
	Name      string `json:"name"`
	ActiveLow bool   `json:"active_low,omitempty"` // closes when low
	Known     bool   `json:"known"`                // it is known what it does at boot
	PulledUp  bool   `json:"pulled_up,omitempty"`  // from power-on until the program takes it
	Written   string `json:"written,omitempty"`    // what config.txt makes of it: up, down or empty
	Driven    bool   `json:"driven,omitempty"`     // it does so with force
}

// Disk is a file system.
type Disk struct {
	Dir      string `json:"dir"`
	Used     int    `json:"used_percent"` // percent
	Free     int64  `json:"free"`         // bytes
	ReadOnly bool   `json:"read_only,omitempty"`
	Wrong    string `json:"wrong,omitempty"` // what happened when something was written there
}

// Flash is a card, or flash on the board.
type Flash struct {
	Name  string `json:"name"`
	Used  int    `json:"used_percent,omitempty"` // of its life, at most; 0 if it does not tell
	Spare int    `json:"spare,omitempty"`        // of its spare blocks: 1 enough, 2 few, 3 hardly any; 0 if it does not tell
}

// File is the configuration as it stands.
type File struct {
	Path   string   `json:"path"`
	Wrong  []string `json:"wrong,omitempty"`  // all that is wrong with it
	Unread bool     `json:"unread,omitempty"` // who asks may not read it
	Sum    string   `json:"sum,omitempty"`    // its name
	Zone   string   `json:"zone,omitempty"`   // of the post
	Trial  string   `json:"trial,omitempty"`  // the sum of the one on trial
	Seal   string   `json:"seal,omitempty"`   // when it was sealed and by whom; empty for not
	Pay    string   `json:"pay,omitempty"`    // payment.through of it
}

// Daemon is what a running post says of itself.
type Daemon struct {
	Post     string    `json:"post"`
	Version  string    `json:"version"`
	Commit   string    `json:"commit,omitempty"`
	Sum      string    `json:"sum"`    // of the configuration that runs
	File     string    `json:"file"`   // from which it was read
	Clock    string    `json:"clock"`  // as in Machine
	Ledger   string    `json:"ledger"` // what is wrong with it
	Disk     string    `json:"disk"`   // what happened when it wrote into the state folder
	StateDir string    `json:"state_dir"`
	Seal     string    `json:"seal"`    // what is wrong with the seal, seen by a post that remembers another
	Unheard  string    `json:"unheard"` // an EVSE whose loop does not answer
	EVSEs    []EVSE    `json:"evses"`
	Pay      Pay       `json:"pay"`
	Broker   Broker    `json:"broker"`
	Hooks    Hooks     `json:"hooks"`
	Displays []Display `json:"displays,omitempty"`
	Lacks    []Lack    `json:"missing,omitempty"` // what it started without, and still does
	Guest    bool      `json:"guest,omitempty"`   // who asks may look only, so some of it is left out
}

// EVSE is one of a post.
type EVSE struct {
	ID     int      `json:"id"` // its number on the post
	Phase  string   `json:"phase"`
	Since  int64    `json:"since_s"` // how long it has been in it, s
	Quiet  bool     `json:"quiet"`   // a car is plugged in and takes nothing
	Plug   string   `json:"plug"`    // in, out or unknown; empty without an input
	Faults []string `json:"faults"`  // their codes, the gravest first
	Young  bool     `json:"young"`   // it has just started and need not know anything yet
	Dead   bool     `json:"dead"`    // nothing is live behind the contactor: it may be closed

	Meter     Meter     `json:"meter"`
	Contactor Contactor `json:"contactor"`
	Journal   string    `json:"journal,omitempty"` // what was wrong with it when it was opened
	Debts     []Debt    `json:"debts,omitempty"`
	Most      int       `json:"most_debts"` // with so many no driver is served
	Inputs    Inputs    `json:"inputs"`     // lines of the wires, for whoever looks for a broken one
}

// Inputs are the lines of an EVSE's wires; empty ones are not there.
type Inputs struct {
	Stop, EStop, RCD, Hot string
}

// Meter is what measures an EVSE.
type Meter struct {
	Model    string  `json:"model"`
	URL      string  `json:"url"`               // empty for a simulated one
	Unit     int     `json:"unit"`              // Modbus address
	Serial   string  `json:"serial,omitempty"`  // the configuration wants
	Pinned   string  `json:"pinned,omitempty"`  // the EVSE goes by
	Told     string  `json:"told,omitempty"`    // the meter said last
	Age      *int64  `json:"age_s,omitempty"`   // of the newest reading that is believed, s; nil for none
	Heard    bool    `json:"heard"`             // the last asking was answered
	Took     int64   `json:"took_ms,omitempty"` // the last answer, ms // the last answer, ms
	Trouble  Trouble `json:"trouble,omitempty"` // why it was not
	Wrong    string  `json:"wrong,omitempty"`   // in the words of whoever read it
	MID      string  `json:"mid_until,omitempty"`
	Index    int     `json:"index"`                // of the EVSE in the configuration
	FoundURL string  `json:"found_url,omitempty"`  // where a meter answers instead
	FoundAt  int     `json:"found_unit,omitempty"` // Modbus address
	Looked   bool    `json:"looked"`               // it was looked for elsewhere
}

// Trouble is why a meter did not answer.
type Trouble string

// The troubles.
const (
	NoAdapter  Trouble = "no_adapter"  // the serial line is not there
	NoPort     Trouble = "no_port"     // its path leads to something else
	NoRights   Trouble = "no_rights"   // the line must not be opened
	LineHeld   Trouble = "line_held"   // another program has it
	NoName     Trouble = "no_name"     // its host is not known
	NoListener Trouble = "no_listener" // the host is there, and nobody listens
	Gateway    Trouble = "gateway"     // a gateway got no answer from it
	OtherModel Trouble = "other_model" // something answers, and is another
	Garbled    Trouble = "garbled"     // something comes, and is no answer
	Silent     Trouble = "silent"      // nothing comes
)

// Contactor is what switches an EVSE.
type Contactor struct {
	Sim       bool   `json:"sim"`
	Line      string `json:"line,omitempty"`
	ActiveLow bool   `json:"active_low,omitempty"`
	Sense     string `json:"sense,omitempty"`
	Want      string `json:"want"` // open or closed
	As        bool   `json:"as"`   // it is sensed like that
	Wear      uint64 `json:"wear"` // closings
}

// Debt is a charge that is not settled.
type Debt struct {
	Ref     string `json:"ref,omitempty"`
	Due     string `json:"due,omitempty"` // in words
	Age     *int64 `json:"age_s,omitempty"`
	Left    *int64 `json:"left_s,omitempty"` // until the bank may let the reservation go, s
	Trouble string `json:"trouble,omitempty"`
}

// Pay is the way to the money.
type Pay struct {
	Through string   `json:"through"` // vipps, gateway or sim
	Where   string   `json:"where,omitempty"`
	MSN     string   `json:"msn,omitempty"`
	Wrong   string   `json:"wrong,omitempty"`   // what came of the last asking, if it failed
	Advice  string   `json:"advice,omitempty"`  // about that
	Kind    Kind     `json:"kind,omitempty"`    // of that
	Well    *int64   `json:"well_s,omitempty"`  // since something was answered, s; nil for not since the start
	Took    int64    `json:"took_ms,omitempty"` // the last answer, ms
	Pinged  []Pinged `json:"pinged,omitempty"`  // what a ping saw
	Asked   bool     `json:"asked"`             // it was asked just now
}

// Kind is what kind of failure an asking ended with.
type Kind string

// The kinds.
const (
	Unreached Kind = "unreached" // nobody answered
	BadKeys   Kind = "keys"      // the keys are not taken
	BadUnit   Kind = "unit"      // the sales unit is not
	Ill       Kind = "ill"       // the service has a fault of its own
)

// Hooks are the webhooks of the payment service.
type Hooks struct {
	Wanted bool   `json:"wanted"`
	URL    string `json:"url,omitempty"`
	Held   int    `json:"held"`            // registrations
	Wrong  string `json:"wrong,omitempty"` // how they were last looked after, if that failed
}

// Broker is the connection to the fleet.
type Broker struct {
	URL       string `json:"url,omitempty"` // empty for none
	Connected bool   `json:"connected"`
	Since     int64  `json:"since_s,omitempty"` // s
	Wrong     string `json:"wrong,omitempty"`   // why there is no connection
	Rejected  bool   `json:"rejected,omitempty"`
	Waiting   int    `json:"waiting"` // events that have not been sent
}

// Pinged is what a ping of the payment service saw: how it is with the clock, the sales
// unit or the webhook.
type Pinged struct {
	What  string `json:"what"`
	State string `json:"state"` // ok, warn, fail, or off for what need not be
	Text  string `json:"text"`
}
