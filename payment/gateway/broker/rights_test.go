package broker

import (
	"crypto/tls"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	paho "github.com/eclipse/paho.mqtt.golang"
	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// everything is every kind of topic there is or may be, of posts that exist, that
// do not, and that exist in another tenant.
func everything() []string {
	all := []string{"stolpe/v1/acme", "stolpe/v1/acme/A12", "stolpe/v2/acme/A12/pay/ask", "elsewhere", "homeassistant/status", "homeassistant/device/stolpe-acme_A12/config", "homeassistant/device/stolpe-acme_B12/config", "homeassistant/device/stolpe-other_C12/config", "homeassistant/device/x/config"}
	for _, post := range []string{"acme/A12", "acme/B12", "other/C12", "other/A12", "acme/C12", "acme/nobody", "nobody/A12"} {
		for _, topic := range []string{
			"availability", "pay", "pay/ask", "pay/answer", "pay/nudge", "pay/open", "pay/open/1", "pay/open/1/2", "page/post", "page/evse/1", "page/ask",
			"page/answer/gateway-1", "page/answer/gateway-2", "page/answer/gateway-1/2", "pay/else", "page/else", "else",
			"info", "health", "evse/1/state", "evse/2/meter", "evse/1", "evse/1/state/x", "evt/session", "evt", "evt/a/b", "cmd/stop", "cmd/stop/res", "cmd", "cmd/stop/x",
		} {
			all = append(all, "stolpe/v1/"+post+"/"+topic)
		}
	}
	return all
}

// picked gives the topics below a post that end as wanted.
func picked(posts, topics []string) map[string]bool {
	set := make(map[string]bool)
	for _, p := range posts {
		for _, topic := range topics {
			set["stolpe/v1/"+p+"/"+topic] = true
		}
	}
	return set
}

// and adds topics that are below no post.
func and(set map[string]bool, topics ...string) map[string]bool {
	for _, topic := range topics {
		set[topic] = true
	}
	return set
}

// told is what a post tells its fleet.
func told() []string {
	return []string{"availability", "info", "health", "evse/1/state", "evse/2/meter", "evt/session"}
}

// acme are the trees of a tenant.
func acme() []string {
	return slices.DeleteFunc(trees(), func(tree string) bool { return !strings.HasPrefix(tree, "acme/") })
}

func trees() []string {
	return []string{"acme/A12", "acme/B12", "other/C12", "other/A12", "acme/C12", "acme/nobody", "nobody/A12"}
}

// overseen starts a broker with one gateway that may say and hear all.
func overseen(t *testing.T) (*mosquitto, *client) {
	t.Helper()
	dir := fleet(t)
	must(t, AddGateway(dir, "gateway-all"))
	acl, err := os.OpenFile(filepath.Join(dir, brokerFolder, aclFile), os.O_APPEND|os.O_WRONLY, 0)
	must(t, err)
	_, err = acl.WriteString("\nuser gateway-all\ntopic readwrite #\n")
	must(t, err)
	must(t, acl.Close())
	m := serve(t, dir)
	return m, m.join(t, "gateway-all")
}

func TestWhoMaySayWhat(t *testing.T) {
	post := append(told(), "pay/ask", "pay/open/1", "page/post", "page/evse/1", "page/answer/gateway-1", "page/answer/gateway-2", "cmd/stop/res")
	gateway := []string{"pay/answer", "pay/nudge", "page/ask"}
	m, all := overseen(t)
	all.subscribe(t, "#")
	for _, c := range []struct {
		name string
		may  map[string]bool
		last string // something it may say
	}{
		{"A12", and(picked([]string{"acme/A12"}, post), "homeassistant/device/stolpe-acme_A12/config"), "stolpe/v1/acme/A12/pay/open/9"},
		{"B12", and(picked([]string{"acme/B12"}, post), "homeassistant/device/stolpe-acme_B12/config"), "stolpe/v1/acme/B12/pay/open/9"},
		{"C12", and(picked([]string{"other/C12"}, post), "homeassistant/device/stolpe-other_C12/config"), "stolpe/v1/other/C12/pay/open/9"},
		{"gateway-1", picked(trees(), gateway), "stolpe/v1/last/last/pay/nudge"},
		{"gateway-2", picked(trees(), gateway), "stolpe/v1/last/last/pay/nudge"},
		{"commander-bo", picked(acme(), []string{"cmd/stop"}), "stolpe/v1/acme/last/cmd/last"},
	} {
		t.Run(c.name, func(t *testing.T) {
			member := m.join(t, c.name)
			member.say(t, false, everything()...)
			member.say(t, false, "$SYS/broker/version", c.last)
			if diff := cmp.Diff(c.may, all.hears(t, c.last)); diff != "" {
				t.Errorf("may say (-want +got):\n%s", diff)
			}
		})
	}
}

func TestWhoMayHearWhat(t *testing.T) {
	post := []string{"pay/answer", "pay/nudge", "page/ask", "cmd/stop"}
	gateway := append(told(), "pay/ask", "pay/open/1", "page/post", "page/evse/1")
	person := append(told(), "cmd/stop/res")
	m, all := overseen(t)
	for _, retained := range []bool{true, false} {
		for _, c := range []struct {
			name string
			may  map[string]bool
			last string // something it may hear, and nothing else is said there
		}{
			{"A12", and(picked([]string{"acme/A12"}, post), "homeassistant/status"), "stolpe/v1/acme/A12/cmd/last"},
			{"B12", and(picked([]string{"acme/B12"}, post), "homeassistant/status"), "stolpe/v1/acme/B12/cmd/last"},
			{"C12", and(picked([]string{"other/C12"}, post), "homeassistant/status"), "stolpe/v1/other/C12/cmd/last"},
			{"gateway-1", picked(trees(), append(gateway, "page/answer/gateway-1")), "stolpe/v1/last/last/availability"},
			{"gateway-2", picked(trees(), append(gateway, "page/answer/gateway-2")), "stolpe/v1/last/last/availability"},
			{"reader-ann", and(picked(acme(), person), "homeassistant/device/stolpe-acme_A12/config", "homeassistant/device/stolpe-acme_B12/config"), "stolpe/v1/acme/last/availability"},
			{"commander-bo", and(picked(acme(), person), "homeassistant/device/stolpe-acme_A12/config", "homeassistant/device/stolpe-acme_B12/config"), "stolpe/v1/acme/last/availability"},
		} {
			delete(c.may, c.last)
			topics := slices.DeleteFunc(everything(), func(topic string) bool { return topic == c.last })
			name := c.name + " as it is said"
			if retained {
				name = c.name + " later"
			}
			t.Run(name, func(t *testing.T) {
				member := m.join(t, c.name)
				if retained {
					all.say(t, true, topics...)
				}
				// A wildcard is no way around, nor is another post's topic by its name.
				member.subscribe(t, "#", "+/+/+/+/#", "stolpe/v1/+/+/pay/ask", "$SYS/#", "stolpe/v1/acme/A12/#", "stolpe/v1/acme/B12/pay/answer")
				if !retained {
					all.say(t, false, topics...)
				}
				all.say(t, false, c.last)
				if diff := cmp.Diff(c.may, member.hears(t, c.last)); diff != "" {
					t.Errorf("may hear (-want +got):\n%s", diff)
				}
			})
		}
	}
}

// A post that knew the name of the gateways' group would make every second ask
// vanish: Mosquitto gives it its turn, and then drops what it may not hear.
func TestGatewaysShareTheAsksAndPostsTakeNone(t *testing.T) {
	const asks, asked, end = 20, "stolpe/v1/acme/A12/pay/ask", "stolpe/v1/acme/A12/availability"
	m := serve(t, fleet(t))
	thief := m.join(t, "B12")
	thief.subscribe(t, "$share/gateway/stolpe/v1/+/+/pay/ask", "$share/+/stolpe/v1/+/+/pay/ask", "stolpe/v1/+/+/pay/ask")
	var gateways []*client
	for _, name := range []string{"gateway-1", "gateway-2"} {
		g := m.join(t, name)
		g.subscribe(t, "$share/gateway-3f9a/stolpe/v1/+/+/pay/ask", end)
		gateways = append(gateways, g)
	}
	post := m.join(t, "A12")
	for range asks {
		post.say(t, false, asked)
	}
	post.say(t, false, end)
	heard := 0
	for _, g := range gateways {
		for msg := range g.heard {
			if msg.Topic() == end {
				break
			}
			heard++
		}
	}
	if heard != asks {
		t.Errorf("the gateways heard %d of %d asks", heard, asks)
	}
}

// A reader may say nothing at all, not even to a post of its own tenant.
func TestAReaderOnlyReads(t *testing.T) {
	m, all := overseen(t)
	all.subscribe(t, "#")
	reader := m.join(t, "reader-ann")
	reader.say(t, false, everything()...)
	reader.say(t, true, everything()...)
	all.say(t, false, "stolpe/v1/acme/A12/else")
	if heard := all.hears(t, "stolpe/v1/acme/A12/else"); len(heard) > 0 {
		t.Errorf("a reader said %v", heard)
	}
}

func TestStrangersStayOut(t *testing.T) {
	dir := fleet(t)
	m := serve(t, dir)
	foreign := filepath.Join(t.TempDir(), "foreign")
	must(t, Init(foreign, "127.0.0.1"))
	must(t, AddPost(foreign, "acme", "A12"))
	stolen := credentials(t, filepath.Join(foreign, postFolder, "A12"))
	stolen.RootCAs = roots(t, dir)
	for name, c := range map[string]*tls.Config{
		"no certificate":           {RootCAs: roots(t, dir)},
		"another fleet's A12":      stolen,
		"the broker's certificate": credentials(t, filepath.Join(dir, brokerFolder)),
	} {
		t.Run(name, func(t *testing.T) {
			if k, err := m.connect(c, "A12"); err == nil {
				k.Disconnect(0)
				t.Error("is let in")
			}
		})
	}
	t.Run("no TLS", func(t *testing.T) {
		plain := func(o *paho.ClientOptions) { o.Servers = nil; o.AddBroker("tcp://" + m.addr) }
		if k, err := m.connect(nil, "A12", plain); err == nil {
			k.Disconnect(0)
			t.Error("is let in")
		}
	})
	m.join(t, "A12") // nor did they break anything
}

func TestAClientIDIsWorthNothing(t *testing.T) {
	m, all := overseen(t)
	all.subscribe(t, "#")
	a := m.join(t, "A12")
	forger, err := m.connect(credentials(t, m.folder("B12")), "A12")
	must(t, err)
	defer forger.Disconnect(0)
	forger.say(t, false, "stolpe/v1/acme/A12/pay/ask", "stolpe/v1/acme/B12/pay/ask")
	if heard := all.hears(t, "stolpe/v1/acme/B12/pay/ask"); len(heard) > 0 {
		t.Errorf("B12 under A12's client id said %v", heard)
	}
	a.say(t, false, "stolpe/v1/acme/A12/pay/ask") // it was not thrown out
	all.hears(t, "stolpe/v1/acme/A12/pay/ask")
}

func TestALastWillIsOnesOwn(t *testing.T) {
	m, all := overseen(t)
	all.subscribe(t, "#")
	for _, of := range []string{"A12", "B12"} {
		k, err := m.connect(credentials(t, m.folder("B12")), "B12", func(o *paho.ClientOptions) {
			o.SetWill("stolpe/v1/acme/"+of+"/availability", "offline", 1, true)
		})
		must(t, err) // Mosquitto looks at a will when it is due
		again := m.join(t, "B12")
		k.isLost(t) // thrown out by the second, so the will is due
		again.Disconnect(0)
	}
	if heard := all.hears(t, "stolpe/v1/acme/B12/availability"); len(heard) > 0 {
		t.Errorf("B12 died, and said %v", heard)
	}
}

func TestMessagesHaveASize(t *testing.T) {
	m := serve(t, fleet(t))
	g := m.join(t, "gateway-1")
	g.subscribe(t, "#")
	post := m.join(t, "A12")
	must(t, await(post.Publish("stolpe/v1/acme/A12/page/post", 1, false, strings.Repeat("x", 64*1024))))
	g.hears(t, "stolpe/v1/acme/A12/page/post")
	must(t, await(post.Publish("stolpe/v1/acme/A12/page/post", 1, false, strings.Repeat("x", 64*1024+1))))
	post.say(t, false, "stolpe/v1/acme/A12/pay/ask")
	if heard := g.hears(t, "stolpe/v1/acme/A12/pay/ask"); len(heard) > 0 {
		t.Error("a message of more than 64 kB was passed on")
	}
	post.Publish("stolpe/v1/acme/A12/page/post", 1, false, strings.Repeat("x", 1<<20))
	post.isLost(t)
}

func TestTheBrokerRemembersOverItsOwnEnd(t *testing.T) {
	m := serve(t, fleet(t))
	m.join(t, "A12").say(t, true, "stolpe/v1/acme/A12/pay/open/1")
	m.stop(t)
	m.start(t)
	g := m.join(t, "gateway-1")
	g.subscribe(t, "stolpe/v1/+/+/pay/open/+")
	g.hears(t, "stolpe/v1/acme/A12/pay/open/1")
}

// A gateway that starts is sent all that the posts of a fleet have said.
func TestAGatewayIsSentAllThatIsKept(t *testing.T) {
	const many = 3000 // more than Mosquitto lets wait unless told to
	m := serve(t, fleet(t))
	post := m.join(t, "A12")
	for n := range many {
		post.Publish(fmt.Sprintf("stolpe/v1/acme/A12/pay/open/%d", n), 1, true, "x")
	}
	post.say(t, true, "stolpe/v1/acme/A12/availability")
	g := m.join(t, "gateway-1")
	g.subscribe(t, "stolpe/v1/+/+/pay/open/+", "stolpe/v1/+/+/availability")
	if heard := g.hears(t, "stolpe/v1/acme/A12/availability"); len(heard) != many {
		t.Errorf("heard %d of %d", len(heard), many)
	}
}

func TestWhoIsRemovedIsOutAndWhoIsAddedIsIn(t *testing.T) {
	m := serve(t, fleet(t))
	g := m.join(t, "gateway-1")
	g.subscribe(t, "#")
	removed, kept := m.join(t, "B12"), m.join(t, "A12")
	old := credentials(t, m.folder("B12"))
	must(t, Remove(m.dir, "C12")) // the list must be newer than one that is just as old
	must(t, Remove(m.dir, "B12"))
	must(t, AddPost(m.dir, "acme", "D12"))
	m.reload(t)
	removed.Publish("stolpe/v1/acme/B12/pay/ask", 1, false, "") // it may be cut off instead
	kept.say(t, false, "stolpe/v1/acme/A12/pay/ask")
	if heard := g.hears(t, "stolpe/v1/acme/A12/pay/ask"); len(heard) > 0 {
		t.Errorf("after it was removed, B12 says %v", heard)
	}
	if k, err := m.connect(old, "B12"); err == nil {
		k.Disconnect(0)
		t.Error("B12 is let in after it was removed")
	}
	m.join(t, "D12").say(t, false, "stolpe/v1/acme/D12/pay/ask")
	g.hears(t, "stolpe/v1/acme/D12/pay/ask")
}
