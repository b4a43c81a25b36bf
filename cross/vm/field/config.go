package field

import "fmt"

// Wiring is how the post is built: what its configuration says of the machine.
type Wiring struct {
	Meter     string // URL of the meter, as in rtu:///dev/ttyS1?baud=9600&parity=N
	Contactor string // YAML of the section, as in {line: GPIO17, sense: GPIO27}
	Inputs    string // YAML of the section; empty: none
	State     string // folder of the state
	Control   string // folder of the sockets
	Listen    string // address of the pages
	Secrets   string // in front of the name of each secret, as in credential: or file:/etc/stolpe/
}

// Config is the post's configuration.
func (s *Site) Config(w Wiring) string {
	inputs := ""
	if w.Inputs != "" {
		inputs = "\n    inputs: " + w.Inputs
	}
	return fmt.Sprintf(`version: 2
post: {id: %[1]s, name: "Storgata 1", country: NO, timezone: Europe/Oslo, helpdesk: "+47 22 00 00 00"}
seller: {name: "Eksempel Lading AS", org_no: "999999999", vat_registered: true}
state_dir: %[2]s
control: {dir: %[3]s}
evses:
  - id: 1
    code: %[1]s
    meter: {model: eastron_sdm630, url: "%[4]s", unit: 1, serial: "%[5]s"}
    contactor: %[6]s%[7]s
    max_power_w: %[8]d
price: {currency: NOK, vat_bp: 2500, kwh: %[9]d}
reserve: {default: %[10]d, choices: [%[10]d]}
payment:
  through: vipps
  vipps:
    base_url: "http://127.0.0.1:%[11]d"
    msn: "%[12]s"
    client_id: "%[13]svipps-client-id"
    client_secret: "%[13]svipps-client-secret"
    subscription_key: "%[13]svipps-subscription-key"
web: {listen: "%[14]s", public_url: "https://lad.example.no"}
limits: {rest: 1s, closings_an_hour: 1000}
`, PostID, w.State, w.Control, w.Meter, serial, w.Contactor, inputs, most, kwh, reserve, PaymentPort, s.keys.MSN, w.Secrets, w.Listen)
}
