package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"stolpe/agent/ledger"
	"stolpe/agent/mqtt"
	"stolpe/agent/telemetry"
	"stolpe/cross/schema"
	"stolpe/hal"
)

// toldPost is a post that tells its fleet, and is paid in the program.
const toldPost = `
post: {id: A12, tenant: acme, name: "Storgata 1", country: NO, timezone: Europe/Oslo, helpdesk: "+47 22 00 00 00"}
seller: {name: "Eksempel Lading AS", org_no: "999999999", vat_registered: true}
state_dir: STATE
control: {dir: STATE/run}
evses: [{id: 1, code: A12, contactor: {sim: true}, max_power_w: 22000}, {id: 2, code: B12, contactor: {sim: true}, max_power_w: 11000}]
price: {currency: NOK, vat_bp: 2500, kwh: 549}
reserve: {default: 35000, choices: [35000]}
payment: {through: sim}
mqtt: {url: "mqtt://BROKER"}
telemetry: {profile: standard}
web: {listen: "127.0.0.1:0"}
`

// hearUntil gives the payloads under each leaf, in order, until something is so.
func hearUntil(t *testing.T, came <-chan mqtt.Message, until func(order []string, all map[string][][]byte) bool) (order []string, all map[string][][]byte) {
	t.Helper()
	all = map[string][][]byte{}
	strict, err := schema.ReadStrictly("..")
	if err != nil {
		t.Fatal(err)
	}
	late := time.After(time.Minute)
	for !until(order, all) {
		select {
		case m := <-came:
			leaf := strings.TrimPrefix(m.Topic, postBase)
			if err := strict.Message(telemetry.Leaf(leaf), m.Payload); err != nil {
				t.Error(err)
			}
			order, all[leaf] = append(order, leaf), append(all[leaf], m.Payload)
		case <-late:
			t.Fatalf("waited in vain; heard %v", order)
		}
	}
	return order, all
}

// A daemon that has a broker tells its fleet: how it stands, then what stood in the
// ledger, and in the end that it is gone.
func TestDaemonTellsItsFleet(t *testing.T) {
	t.Parallel()
	address, dir := serveBroker(t), t.TempDir()
	book, _, err := ledger.Open(ledgerPath(dir))
	if err != nil {
		t.Fatal(err)
	}
	refund := ledger.Entry{At: 1_800_000_000, Clock: "synced", EVSE: 1, Ref: "A12-1-000001", Kind: ledger.Refunded, Refund: &ledger.Refund{Key: "k", Amount: 500, Currency: "NOK", Reason: "too much"}}
	for range 3 {
		if err := book.Append(refund); err != nil {
			t.Fatal(err)
		}
	}
	if err := book.Close(); err != nil {
		t.Fatal(err)
	}
	reader, came := listener(t, address, postBase+"#")
	const displays = `display: [{kind: png, url: "file://STATE/display.png?size=128x64"}, {kind: framebuffer, url: "fb://STATE/none", evses: [2]}]` + "\n"
	s := serve(t, write(t, "stolpe.yaml", strings.NewReplacer("STATE", dir, "BROKER", address).Replace(toldPost+displays)))
	order, all := hearUntil(t, came, func(_ []string, all map[string][][]byte) bool { return len(all["evt/payment"]) >= 3 })
	const first = "availability info evse/1/state evse/1/price evse/2/state evse/2/price evse/1/session evse/1/meter evse/2/session evse/2/meter health "
	if got := strings.Join(order, " "); !strings.HasPrefix(got, first) {
		t.Errorf("told %s\nwant it to begin with %s", got, first)
	}
	checkTold(t, all)
	_, all = hearUntil(t, came, func(_ []string, all map[string][][]byte) bool {
		states := all["evse/2/state"]
		return len(states) > 0 && len(all["evt/fault"]) > 0 && strings.Contains(string(states[len(states)-1]), `"state":"available"`)
	})
	if told := string(all["evt/fault"][0]); !strings.Contains(told, `"code":"DIS-001"`) || !strings.Contains(told, "framebuffer: ") || strings.Contains(told, `"evse"`) {
		t.Errorf("of a display that cannot be drawn: %s", told)
	}
	s.end()
	_, all = hearUntil(t, came, func(_ []string, all map[string][][]byte) bool { return len(all["availability"]) > 0 })
	if got := string(all["availability"][0]); got != "offline" {
		t.Errorf("at the end: %s", got)
	}
	if !reader.Connected() {
		t.Error("the reader was cut off")
	}
	if _, err := os.Stat(filepath.Join(dir, "ledger-sent.json")); err != nil {
		t.Errorf("what has been sent is not written down: %v", err)
	}
}

// checkTold looks at what is told of a post that has just started.
func checkTold(t *testing.T, all map[string][][]byte) {
	t.Helper()
	var info telemetry.Info
	var health telemetry.Health
	var event telemetry.Event
	for leaf, into := range map[string]any{"info": &info, "health": &health, "evt/payment": &event} {
		if err := json.Unmarshal(all[leaf][0], into); err != nil {
			t.Fatalf("%s: %v", leaf, err)
		}
	}
	if info.Post != "A12" || info.Tenant != "acme" || len(info.EVSEs) != 2 || info.EVSEs[1].MaxPower != 11_000 || info.EVSEs[0].Meter.Model == "" ||
		!regexp.MustCompile(`^[0-9a-f]{12}$`).MatchString(info.Config) || info.Zone != "Europe/Oslo" || info.Profile != telemetry.Standard || info.Boot == "" {
		t.Errorf("info: %s", all["info"][0])
	}
	if health.Disk == nil || *health.Disk < 0 || *health.Disk > 100 || len(health.Memory) != 2 || health.Memory[0] > health.Memory[1] || health.Restarts == nil || *health.Restarts != 0 {
		t.Errorf("health: %s", all["health"][0])
	}
	if fmt.Sprint(info.Displays) != "[{png png [1 2]} {framebuffer framebuffer [2]}]" || len(health.Displays) != 2 || health.Displays[1].Name != "framebuffer" {
		t.Errorf("displays: %s, %s", all["info"][0], all["health"][0])
	}
	if event.Seq == 0 || event.Type != "payment.refunded" || event.EVSE != 1 || event.Ref != "A12-1-000001" || len(event.ID) != 26 || event.At.Unix() != 1_800_000_000 || event.Clock != hal.ClockSynced.String() ||
		!strings.Contains(string(event.Data), `"amount":500`) {
		t.Errorf("event: %s", all["evt/payment"][0])
	}
}
