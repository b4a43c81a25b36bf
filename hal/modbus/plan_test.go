package modbus

import (
	"testing"

	"stolpe/hal/modbus/meters"
)

func TestReadsAreJoinedAsFarAsTheMeterBears(t *testing.T) {
	type span struct {
		function byte
		addr     uint16
		count    uint16
	}
	at := func(addr uint16) meters.Register { return meters.Register{Addr: addr, Type: meters.Float32} }
	holding := at(0x48)
	holding.Function = 3
	for _, c := range []struct {
		name          string
		limits        meters.Limits
		energy, power meters.Register
		want          []span
	}{
		{"across a gap", meters.Limits{MaxRegisters: 80, AcrossGaps: true}, at(0x48), at(0x34), []span{{4, 0x34, 22}}},
		{"as many as are allowed", meters.Limits{MaxRegisters: 22, AcrossGaps: true}, at(0x48), at(0x34), []span{{4, 0x34, 22}}},
		{"too far apart", meters.Limits{MaxRegisters: 21, AcrossGaps: true}, at(0x48), at(0x34), []span{{4, 0x34, 2}, {4, 0x48, 2}}},
		{"gaps are refused", meters.Limits{MaxRegisters: 80}, at(0x48), at(0x34), []span{{4, 0x34, 2}, {4, 0x48, 2}}},
		{"side by side", meters.Limits{MaxRegisters: 80}, at(0x34), at(0x36), []span{{4, 0x34, 4}}},
		{"another function", meters.Limits{MaxRegisters: 80, AcrossGaps: true}, holding, at(0x34), []span{{4, 0x34, 2}, {3, 0x48, 2}}},
		{"an even count only", meters.Limits{MaxRegisters: 80, AcrossGaps: true, EvenCountOnly: true}, at(0x37), at(0x34), []span{{4, 0x34, 6}}},
		{"any count", meters.Limits{MaxRegisters: 80, AcrossGaps: true}, at(0x37), at(0x34), []span{{4, 0x34, 5}}},
	} {
		energy, power := &value{Register: c.energy}, &value{Register: c.power}
		blocks, err := plan(&meters.Map{Function: 4, Limits: c.limits}, 1, energy, power)
		if err != nil || len(blocks) != len(c.want) {
			t.Errorf("%s: %v, %v; want %+v", c.name, blocks, err, c.want)
			continue
		}
		for i, b := range blocks {
			if got := (span{b.function, b.addr, b.count}); got != c.want[i] {
				t.Errorf("%s: request %d is %+v, want %+v", c.name, i, got, c.want[i])
			}
		}
		for _, v := range []*value{energy, power} {
			if b := blocks[v.block]; int(b.addr)+v.offset/2 != int(v.Addr) {
				t.Errorf("%s: the value at %#x is looked for at %#x", c.name, v.Addr, int(b.addr)+v.offset/2)
			}
		}
	}
}
