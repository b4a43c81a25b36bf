package evse

import "stolpe/hal"

// live tells whoever kills a program that hangs that this loop does not: it has come round
// once more. A meter, a disk, a sense line or a payment service that is silent is no reason
// to be killed: a start anew gives none of them back, and takes from the loop what it would
// finish from memory. A contactor that takes no order to open is one: whoever is started
// after the program asks the kernel for the line anew.
func (l *loop) live() {
	stuck := l.power && l.commanded == hal.Open && !l.sure
	if l.parts.Lives != nil && !stuck {
		l.parts.Lives()
	}
}
