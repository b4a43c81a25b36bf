// Package modbus reads energy meters over Modbus: TCP, RTU on a serial port, and
// RTU through a gateway that passes bytes on. A Bus is the wire; a Meter on it
// gives the import register, the power, the supply and the serial, as often as it
// is asked; Scan finds meters whose settings nobody knows.
//
// # Why
//
// What is read here is billed, so a reading is either whole, from the right
// meter, and the answer to this very request, or it is an error. It is never a
// zero standing for "unknown", and never an older answer.
//
// goburrow/modbus makes the requests and verifies the frames; the transport is
// ours. Its own transport takes the rest of an earlier exchange for the answer
// to a later one or never recovers, accepts answers shorter than what was asked,
// knows no deadline for a whole answer, and never returns from an adapter that
// has been pulled out.
//
// A request for a meter never changes, so it is encoded once, when the meter is
// opened, and over TCP only its transaction id is written per exchange. Going
// through goburrow's client for every exchange would allocate seven times; this
// way a read allocates nothing and takes less time (BenchmarkTransaction).
//
// Any error closes the connection, except an exception answer: that is a whole
// and timely answer, and gateways give it each second while a meter is off. The
// next read connects again by itself, so a caller only ever calls Read again.
//
// An RTU frame has no transaction id, so there a late answer is kept from being
// taken for a new one by four things that do not depend on each other: after a
// failure the line is left alone for as long as an answer can take; before each
// request the line is listened to until it is silent; an answer must begin at the
// first byte and have exactly the length asked for; and consecutive readings ask
// for different lengths.
//
// Meters on one bus share it through one owner, one request at a time. The
// silence a meter needs before a request is kept over TCP too, because a gateway
// passes a request on at once.
package modbus
