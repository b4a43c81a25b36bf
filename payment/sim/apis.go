package sim

import "net/http"

// api is one of the services behind the one host.
type api uint8

const (
	paymentAPI api = iota // ePayment, and the access token
	orderAPI              // Order Management
	codeAPI               // QR
	hookAPI               // Webhooks
	reportAPI             // Report, and the ledgers of settlement
)

// api tells to which service a call belongs.
func (c Call) api() api {
	switch c {
	case ReceiptCall, CategoryCall, OrderCall:
		return orderAPI
	case QRCall:
		return codeAPI
	case HookCall:
		return hookAPI
	case LedgerCall, ReportCall:
		return reportAPI
	}
	return paymentAPI
}

// base is a service's own prefix, before the paths of its description.
func (a api) base() string {
	return [...]string{base, "/order-management", "/qr", "/webhooks", ""}[a]
}

const base = "/epayment"

// routes are the operations of all services, and the Till's own pages.
func (t *Till) routes() *http.ServeMux {
	const payments, orders, codes, hooks = base + "/v1/payments", "/order-management/v2/{type}", "/qr/v1/merchant-redirect", "/webhooks/v1/webhooks"
	const ledger = "/report/v2/ledgers/{ledger}/{topic}"
	mux := http.NewServeMux()
	for path, call := range map[string]Call{
		"POST /accesstoken/get":                            TokenCall,
		"POST " + payments:                                 CreateCall,
		"GET " + payments + "/{ref}":                       GetCall,
		"GET " + payments + "/{ref}/events":                EventsCall,
		"POST " + payments + "/{ref}/capture":              CaptureCall,
		"POST " + payments + "/{ref}/cancel":               CancelCall,
		"POST " + payments + "/{ref}/refund":               RefundCall,
		"POST " + base + "/v1/test/payments/{ref}/approve": ApproveCall,
		"POST " + orders + "/receipts/{ref}":               ReceiptCall,
		"PUT " + orders + "/categories/{ref}":              CategoryCall,
		"GET " + orders + "/{ref}":                         OrderCall,
		"POST " + codes:                                    QRCall,
		"GET " + codes:                                     QRCall,
		"GET " + codes + "/{ref}":                          QRCall,
		"PUT " + codes + "/{ref}":                          QRCall,
		"DELETE " + codes + "/{ref}":                       QRCall,
		"POST " + hooks:                                    HookCall,
		"GET " + hooks:                                     HookCall,
		"DELETE " + hooks + "/{ref}":                       HookCall,
		"GET /settlement/v1/ledgers":                       LedgerCall,
		"GET " + ledger + "/dates/{date}":                  ReportCall,
		"GET " + ledger + "/feed":                          ReportCall,
	} {
		mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) { t.serve(w, r, call) })
	}
	mux.HandleFunc("GET /app/{token}", t.servePage)
	mux.HandleFunc("POST /app/{token}", t.serveAct)
	mux.HandleFunc("GET /code/{name}", t.servePicture)
	mux.HandleFunc("GET /scan/{name}", t.serveScan)
	if t.hands {
		mux.HandleFunc("GET /till", t.serveBoard)
		mux.HandleFunc("POST /till", t.serveHands)
	}
	// The gateway knows operations, not paths: a wrong method is not found either.
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		gateway(http.StatusNotFound, "Resource not found").write(w)
	})
	return mux
}
