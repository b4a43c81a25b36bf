package meters

import (
	"bytes"
	"math"
	"math/bits"
	"strconv"
)

// factor gives a scale as a decimal: 0.01 is 1 times ten to the power of -2. What
// is meant is the shortest number with that value, which is how it was written.
func factor(scale float64) (d decimal) {
	if scale == 0 {
		return decimal{digits: 1}
	}
	var space [32]byte
	text := strconv.AppendFloat(space[:0], scale, 'e', -1, 64) // such as 2.5e-01
	at := bytes.IndexByte(text, 'e')
	if at < 0 {
		return d // NaN or infinity, which the rules refuse
	}
	for _, c := range text[:at] {
		if c != '.' {
			d.digits = 10*d.digits + uint64(c-'0')
		}
	}
	d.exponent, _ = strconv.Atoi(string(text[at+1:]))
	d.exponent -= max(0, at-len("1."))
	return d
}

// tens is the powers of ten that fit into 64 bits: the last is 10^19.
func tens(n int) uint64 {
	p := uint64(1)
	for range n {
		p *= 10
	}
	return p
}

// mostTens is the largest n for tens.
const mostTens = 19

// times multiplies a number by the factor digits * 10^exponent and rounds it,
// half away from zero, to a whole one. It works with 128 bits, so the only
// rounding is the last. Not all of it fits: then ok is false.
func times(n, digits uint64, exponent int) (product uint64, ok bool) {
	if n == 0 || digits == 0 {
		return 0, true
	}
	if exponent < -mostTens || exponent > mostTens {
		return 0, false // no meter counts in such steps
	}
	high, low := bits.Mul64(n, digits)
	if exponent >= 0 {
		if high != 0 {
			return 0, false
		}
		high, low = bits.Mul64(low, tens(exponent))
		return low, high == 0 && low <= math.MaxInt64
	}
	return quotient(high, low, tens(-exponent))
}

// over is the way back: a number divided by the factor digits * 10^exponent.
func over(n, digits uint64, exponent int) (quot uint64, ok bool) {
	if exponent < -mostTens || exponent > mostTens {
		return 0, false
	}
	if exponent <= 0 {
		high, low := bits.Mul64(n, tens(-exponent))
		return quotient(high, low, digits)
	}
	high, divisor := bits.Mul64(digits, tens(exponent))
	if high != 0 {
		return 0, true
	}
	return quotient(0, n, divisor)
}

// quotient divides 128 bits by 64 and rounds half away from zero.
func quotient(high, low, divisor uint64) (quot uint64, ok bool) {
	if high >= divisor {
		return 0, false
	}
	quot, rest := bits.Div64(high, low, divisor)
	if quot >= math.MaxInt64 {
		return 0, false
	}
	if rest >= divisor-rest {
		quot++
	}
	return quot, true
}
