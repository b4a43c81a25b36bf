package modbus

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"stolpe/hal/modbus/meters"
)

// What is asked in other words is asked legally, and brings the same.
func TestEveryWordingIsLegalAndBringsTheBlock(t *testing.T) {
	varied := 0
	rapid.Check(t, func(t *rapid.T) {
		m := drawn(t)
		m.Limits.EvenCountOnly = false // then a register that nobody describes may be asked for
		image := meters.NewImage(m)
		var values []*value
		for _, q := range meters.Quantities() {
			if v := newValue(m, q); v != nil && len(values) < 2 {
				values = append(values, v)
			}
		}
		blocks, err := plan(m, nil, values...)
		if err != nil {
			t.Fatal(err)
		}
		if err := wording(m, encodeRTU, 1, true, blocks); err != nil {
			t.Fatal(err)
		}
		for _, b := range blocks {
			for i, s := range b.shapes {
				if _, refusal := image.Registers(nil, s.function, s.addr, s.count); refusal != 0 {
					t.Fatalf("%v is refused with exception %d", s.request, refusal)
				}
				if int(s.addr)+s.lead != int(b.addr) || int(s.addr)+int(s.count) < b.end {
					t.Fatalf("%v with %d registers before does not bring %v", s.request, s.lead, b.span)
				}
				if i > 0 && s.count == b.shapes[0].count {
					t.Fatalf("%v and %v are answered alike", b.shapes[0].request, s.request)
				}
			}
			varied += len(b.shapes) - 1
		}
	})
	if varied == 0 {
		t.Error("never asked in other words")
	}
}

// Most meters are asked for what is billed in two ways. For the others the map has
// nothing beside it that could be asked for as well.
func TestWhatIsBilledIsAskedForInTwoWays(t *testing.T) {
	b := newBus(place{scheme: schemeRTU}, func() time.Duration { return 0 })
	for _, m := range everyMap(t) {
		b.line = setting{}
		meter, err := b.Meter(m, 1)
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range meter.energy.blocks {
			block := meter.blocks[i]
			wider := slices.ContainsFunc(places(m, m.Registers), func(p span) bool {
				up, down := span{block.function, block.addr, p.end}, span{block.function, p.addr, block.end}
				return p.function == block.function && (up.count() > block.count() && legal(m, up) || down.count() > block.count() && legal(m, down))
			})
			if wider != (len(block.shapes) == 2) {
				t.Errorf("%s: asks for %v in %d ways", m.ID, block.span, len(block.shapes))
			}
		}
	}
}
