package envelope

import "testing"

func TestATopicIsTakenApart(t *testing.T) {
	for topic, want := range map[string][3]string{
		Base("acme", "A12") + "evse/1/state": {"acme", "A12", "evse/1/state"},
		Base("acme", "A12"):                  {"acme", "A12", ""},
	} {
		if tenant, post, leaf, ok := Split(topic); !ok || [3]string{tenant, post, leaf} != want {
			t.Errorf("%s: %q %q %q, %t", topic, tenant, post, leaf, ok)
		}
	}
	for _, topic := range []string{"", Root, Root + "acme/A12", Root + "/A12/info", Root + "acme//info", "stolpe/v2/acme/A12/info", "x/" + Base("acme", "A12")} {
		if _, _, _, ok := Split(topic); ok {
			t.Errorf("%s is taken for a post's", topic)
		}
	}
}
