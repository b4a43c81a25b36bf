package bench

import (
	"os"
	"path/filepath"
	"slices"

	"stolpe/cross/build"
)

// probes lists what is measured, in the order in which it is printed.
func probes() []probe { return slices.Concat(ofThePost(), ofItsMeter(), ofItsPeople()) }

// ofThePost are its program, its reflexes and its card.
func ofThePost() []probe {
	return []probe{
		{"idle", idle},
		{"armv6", emulated},
		{"binary", binary},
		{"start", start},
		{"stop", goBench("./agent/evse", "^Benchmark(Stop|Trip)$",
			benchRow{
				Row:   Row{What: "stop to open, median, disk, network and meter hung", Unit: "µs", FloorIs: "a value through a channel, a call"},
				ours:  metric{"BenchmarkStop/ours", "p50-ns/op"},
				floor: metric{"BenchmarkStop/bare", "p50-ns/op"},
				per:   1e3,
			},
			benchRow{
				Row:   Row{What: "stop to open, p99.9, disk, network and meter hung", Unit: "µs", Budget: "<= 1000 µs", FloorIs: "a value through a channel, a call"},
				ours:  metric{"BenchmarkStop/ours", "p99.9-ns/op"},
				floor: metric{"BenchmarkStop/bare", "p99.9-ns/op"},
				per:   1e3,
			},
			benchRow{
				Row:   Row{What: "emergency stop to open, p99.9, the loop hung as well", Unit: "µs", Budget: "<= 1000 µs", FloorIs: "a value through a channel, a call"},
				ours:  metric{"BenchmarkTrip", "p99.9-ns/op"},
				floor: metric{"BenchmarkStop/bare", "p99.9-ns/op"},
				per:   1e3,
			})},
		{"journal", goBench("./agent/journal", "^BenchmarkDurable$", benchRow{
			Row:   Row{What: "journal, one record durable", Unit: "ms", FloorIs: "4 KiB written and one fdatasync"},
			ours:  metric{"BenchmarkDurable/append", "ns/op"},
			floor: metric{"BenchmarkDurable/bare", "ns/op"},
			per:   1e6,
		})},
		{"writes", goTest("./agent", "^TestACardIsSpared$",
			benchRow{
				Row:  Row{What: "journal, records a charge", Unit: "records", Budget: "<= 30"},
				ours: metric{"BenchmarkWrites", "records/charge"},
				per:  1,
			},
			benchRow{
				Row:  Row{What: "written in an hour without a driver, all files", Unit: "bytes", Budget: "0"},
				ours: metric{"BenchmarkWrites", "bytes/hour"},
				per:  1,
			})},
	}
}

// ofItsMeter are readings over both kinds of wire.
func ofItsMeter() []probe {
	return []probe{
		{"modbus", goBench("./hal/modbus", "^BenchmarkTransaction$/^(ours|goburrow)$",
			benchRow{
				Row:   Row{What: "Modbus TCP, a meter read", Unit: "µs", Budget: "ratio <= 1.05", FloorIs: "goburrow's own client, same registers"},
				ours:  metric{"BenchmarkTransaction/ours", "ns/op"},
				floor: metric{"BenchmarkTransaction/goburrow", "ns/op"},
				per:   1e3,
			},
			benchRow{
				Row:   Row{What: "Modbus TCP, allocations a read", Unit: "allocs", Budget: "0", FloorIs: "goburrow's own client, same registers"},
				ours:  metric{"BenchmarkTransaction/ours", "allocs/op"},
				floor: metric{"BenchmarkTransaction/goburrow", "allocs/op"},
				per:   1,
			},
			benchRow{
				Row:   Row{What: "Modbus TCP, processor a poll, with the simulated meter", Unit: "µs", FloorIs: "goburrow's own client, same registers"},
				ours:  metric{"BenchmarkTransaction/ours", "cpu-ns/op"},
				floor: metric{"BenchmarkTransaction/goburrow", "cpu-ns/op"},
				per:   1e3,
			})},
		{"rtu", goBench("./hal/modbus", "^BenchmarkRTU$",
			benchRow{
				Row:   Row{What: "Modbus RTU at 9600 baud, 40 registers", Unit: "ms", Budget: "<= 104.6 ms: wire, T3.5, 3 ms", FloorIs: "goburrow's own client, same registers"},
				ours:  metric{"BenchmarkRTU/ours", "ns/op"},
				floor: metric{"BenchmarkRTU/goburrow", "ns/op"},
				per:   1e6,
			},
			benchRow{
				Row:   Row{What: "Modbus RTU, bytes on the line a poll of 40 registers", Unit: "bytes", FloorIs: "goburrow's own client, same registers"},
				ours:  metric{"BenchmarkRTU/ours", "wire-B/op"},
				floor: metric{"BenchmarkRTU/goburrow", "wire-B/op"},
				per:   1,
			})},
	}
}

// ofItsPeople are what drivers see, and what becomes of their money.
func ofItsPeople() []probe {
	return []probe{
		{"page", goTest("./display/web", "^TestInABrowser$/^all$/^slow_visit$",
			benchRow{
				Row:  Row{What: "phone page, the first, with its headers and all it needs", Unit: "kB", Budget: "<= 30 kB"},
				ours: metric{"BenchmarkFirstPage", "bytes/page"},
				per:  1e3,
			},
			benchRow{
				Row:  Row{What: "phone page, readable on slow 4G (150 ms, 1.6 Mbit/s), connection and all", Unit: "s", Budget: "<= 1.5 s"},
				ours: metric{"BenchmarkFirstPage", "ms/readable"},
				per:  1e3,
			})},
		{"display", displays},
		{"reservation", goBench("./agent/session/script", "^BenchmarkReservation$",
			benchRow{
				Row:  Row{What: "energy past the reservation, the worst of all powers up to 22 kW", Unit: "øre", Budget: "0 øre"},
				ours: metric{"BenchmarkReservation", "past-øre"},
				per:  1,
			},
			benchRow{
				Row:  Row{What: "left of a reservation of 200 kr that runs out, at most", Unit: "øre"},
				ours: metric{"BenchmarkReservation", "left-øre"},
				per:  1,
			})},
		{"worlds", goBench("./cross/worlds", "^BenchmarkCharges$", benchRow{
			Row:  Row{What: "simulated charges with faults", Unit: "per CPU-second", Budget: ">= 15000"},
			ours: metric{"BenchmarkCharges", "charges/cpu-s"},
			per:  1,
		})},
	}
}

// binary compares the size of the agent for a Raspberry Pi Zero with that of the
// floor program.
func binary(l *lab) ([]Row, error) {
	row := Row{What: "program, stripped, armv6", Unit: "MB", Budget: "<= 13 MB", FloorIs: "a bare TLS and HTTP client"}
	for pkg, samples := range map[string]*[]float64{agentPackage: &row.Ours, floorPackage: &row.Floor} {
		file, err := l.programFor(build.ARMv6(), filepath.Base(pkg), pkg)
		if err != nil {
			return nil, err
		}
		info, err := os.Stat(file)
		if err != nil {
			return nil, err
		}
		*samples = append(*samples, float64(info.Size())/1e6)
	}
	return []Row{row}, nil
}
