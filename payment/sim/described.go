package sim

import (
	"math"
	"regexp"

	"stolpe/payment"
)

// shapes are the requests of the APIs, written from their published descriptions:
// ePayment 1.8.1 where nothing else is said.
type shapes struct {
	create, change, cancel, approve shape
	receipt, category               shape // Order Management 2.1
	code, target                    shape // QR 1.0
	hook                            shape // Webhooks v1
	ref, msn, order, payer, uuid    shape // of what stands in headers and paths
}

func obj(m members) shape         { return shape{kind: object, members: m} }
func words(enum ...string) shape  { return shape{enum: enum} }
func length(min, max int64) shape { return shape{min: min, max: max} }

func (s shape) orNull() shape {
	s.nullable = true
	return s
}

func newShapes() shapes {
	any64 := shape{kind: whole, signed: true}
	money := obj(members{
		"!currency": currency(),
		"!value":    {kind: whole, max: int64(payment.MaxAmount)},
	})
	customer := shape{kind: object, oneOf: true, members: members{
		"phoneNumber":   {pattern: regexp.MustCompile(`^\d{9,15}$`)},
		"personalQr":    length(5, 255),
		"customerToken": {},
	}}
	ref := shape{pattern: regexp.MustCompile(`^[a-zA-Z0-9-]{8,64}$`)}
	orderID := regexp.MustCompile(`^[0-9A-Za-z-_\.]+$`)
	codeID := regexp.MustCompile(`^[-_+%æøåÆØÅ\w\s]*$`)
	target := shape{pattern: regexp.MustCompile(`^https:\/\/[\w\.]+([\w#!:.?+=&%@\-\/]+)?$`)}
	return shapes{
		create:  createShape(money, customer, ref, any64),
		change:  obj(members{"!modificationAmount": money}),
		cancel:  obj(members{"cancelTransactionOnly": {kind: flag}}),
		approve: obj(members{"customer": customer, "token": {}}),
		receipt: receiptShape(any64, words("NOK", "DKK", "EUR").orNull()),
		category: obj(members{
			"!category":        words("GENERAL", "RECEIPT", "ORDER_CONFIRMATION", "DELIVERY", "TICKET", "BOOKING").orNull(),
			"!orderDetailsUrl": {min: 1},
			"imageId":          shape{min: 1, max: 128, pattern: orderID}.orNull(),
		}),
		code: obj(members{
			"!id":          shape{min: 1, max: 128, pattern: codeID}.orNull(),
			"!redirectUrl": target.orNull(),
			"ttl":          shape{kind: whole, min: 300, max: math.MaxInt32}.orNull(),
		}),
		target: obj(members{"!redirectUrl": target}),
		hook:   obj(members{"!url": {}, "!events": {kind: list, each: &shape{}}}),
		ref:    ref,
		order:  shape{pattern: orderID},
		payer:  words("ECOM", "RECURRING", "ecom", "recurring"), // the guide writes it small
		uuid:   shape{pattern: regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)},
		msn:    shape{pattern: regexp.MustCompile(`^[0-9]{4,10}$`)},
	}
}

func currency() shape { return words("NOK", "DKK", "EUR", "SEK", "USD", "GBP") }

func createShape(money, customer, ref, any64 shape) shape {
	return obj(members{
		"!amount":             money,
		"customer":            customer,
		"minimumUserAge":      shape{kind: whole, max: 100}.orNull(),
		"customerInteraction": words("CUSTOMER_PRESENT", "CUSTOMER_NOT_PRESENT"),
		"industryData": obj(members{"airlineData": obj(members{
			"!agencyInvoiceNumber":   length(1, 6),
			"!airlineCode":           length(3, 3),
			"!airlineDesignatorCode": length(2, 2),
			"!passengerName":         length(1, 49),
			"ticketNumber":           length(1, 150),
		})}),
		"!paymentMethod": obj(members{
			"!type":          words("WALLET", "CARD", "CARD_PASSTHROUGH"),
			"blockedSources": {kind: list, each: ptr(words("COMMERCIAL_CARDS"))},
		}),
		"profile":    obj(members{"scope": {}}),
		"!reference": ref,
		"returnUrl":  length(0, 2500),
		"!userFlow":  words("PUSH_MESSAGE", "NATIVE_REDIRECT", "WEB_REDIRECT", "QR"),
		"expiresAt": {nullable: true, pattern: regexp.MustCompile(
			`^((?:(\d{4}-\d{2}-\d{2})(T|t)(\d{2}:\d{2}:\d{2}(?:\.\d+)?))(Z|z|([+-](?:2[0-3]|[01][0-9]):[0-5][0-9])))$`)},
		"qrFormat": obj(members{
			"!format": words("TEXT/TARGETURL", "IMAGE/SVG+XML", "IMAGE/PNG"),
			"size":    shape{kind: whole, min: 100, max: 2000}.orNull(),
		}).orNull(),
		"paymentDescription": length(3, 100),
		"receipt":            receiptShape(any64, currency()),
		// How many pairs and how long is a matter of codes 4100 to 4130, not of shape.
		"metadata":   {kind: object, nullable: true, each: &shape{}},
		"receiptUrl": shape{}.orNull(),
		"shipping":   shippingShape(money, any64),
		"cardPassthrough": obj(members{
			"!pspReference":    length(0, 64),
			"!cardCallbackUrl": {},
			"!allowedCardTypes": {kind: list,
				each: ptr(words("VISA_DEBIT", "VISA_CREDIT", "MC_CREDIT", "MC_DEBIT", "DANKORT"))},
			"preferVisaPartOfVisaDankort": {kind: flag},
			"publicEncryptionKeyId":       {},
		}),
	})
}

func ptr(s shape) *shape { return &s }

func receiptShape(any64, currency shape) shape {
	atLeast0 := shape{kind: whole}.orNull()
	yesNo := shape{kind: flag}.orNull()
	free := shape{}.orNull()
	line := obj(members{
		"!name": {}, "!id": {},
		"!totalAmount": any64, "!totalAmountExcludingTax": any64, "!totalTaxAmount": any64,
		"taxPercentage": shape{kind: whole, max: 100}.orNull(),
		"taxRate":       shape{kind: whole, max: 10_000}.orNull(),
		"unitInfo": obj(members{
			"!unitPrice":   atLeast0,
			"!quantity":    {max: 10, pattern: regexp.MustCompile(`^\d+([\.]\d{1,8})?$`)},
			"quantityUnit": words("PCS", "KG", "KM", "MINUTE", "LITRE", "KWH").orNull(),
		}),
		"discount": atLeast0, "productUrl": free, "isReturn": yesNo, "isShipping": yesNo,
	})
	percent := shape{kind: whole, max: 100}.orNull()
	source := any64.orNull()
	bottom := obj(members{
		"!currency": currency,
		"tipAmount": atLeast0, "giftCardAmount": atLeast0, "posId": free, "totalAmount": source,
		"totalTax": atLeast0, "totalDiscount": atLeast0, "shippingAmount": atLeast0,
		"shippingInfo": obj(members{
			"!amount": atLeast0, "!amountExcludingTax": atLeast0, "!taxAmount": atLeast0, "!taxPercentage": percent,
		}),
		"paymentSources": obj(members{"giftCard": source, "card": source, "voucher": source, "cash": source}),
		"barcode":        obj(members{"!format": words("EAN-13", "CODE 39", "CODE 128").orNull(), "!data": free}),
		"receiptNumber":  free, "terminalId": free,
	})
	return obj(members{"!orderLines": {kind: list, min: 1, each: &line}, "!bottomLine": bottom})
}

func shippingShape(money, any64 shape) shape {
	option := obj(members{
		"!id": {}, "isDefault": {kind: flag}, "!amount": money, "!name": {},
		"priority": any64, "meta": {}, "estimatedDelivery": {},
	})
	group := obj(members{
		"isDefault": {kind: flag}, "priority": any64,
		"!type": words("HOME_DELIVERY", "PICKUP_POINT", "MAILBOX", "IN_STORE", "OTHER"),
		"!brand": words("POSTEN", "BRING", "POSTNORD", "HELTHJEM", "PORTERBUDDY", "DHL", "INSTABOX", "FEDEX",
			"MATKAHUOLTO", "GLS", "POSTI", "GORDON", "OTHER"),
		"!options": {kind: list, each: &option},
	})
	return obj(members{
		"dynamicOptions": obj(members{"!callbackUrl": {}, "callbackAuthorizationToken": {}}),
		"fixedOptions":   {kind: list, each: &group},
	})
}
