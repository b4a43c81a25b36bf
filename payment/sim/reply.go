package sim

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// The content types of answers, as the description lists them. That a capture,
// cancel or refund which succeeds calls itself a problem is no slip of ours.
const (
	plainJSON   = "application/json"
	problemJSON = "application/problem+json"
	tokenJSON   = "application/json;charset=UTF-8"
)

// reply is an answer that has not been sent yet.
type reply struct {
	status int
	kind   string // content type
	body   any    // sent as JSON, but for a document; nil sends nothing
	after  time.Duration
	code   string // of a problem, for the log
}

// document is a body that is sent as it stands.
type document string

func (r reply) write(w http.ResponseWriter) {
	w.Header().Set("Cache-Control", "no-store")
	if r.after > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(seconds(r.after)))
	}
	if r.body == nil {
		w.WriteHeader(r.status)
		return
	}
	w.Header().Set("Content-Type", r.kind)
	w.WriteHeader(r.status)
	// An error here means that the client is gone, which is its own affair.
	if d, is := r.body.(document); is {
		_, _ = io.WriteString(w, string(d))
		return
	}
	_ = json.NewEncoder(w).Encode(r.body)
}

// seconds rounds up, so that whoever waits this long has waited long enough.
func seconds(d time.Duration) int { return int((d + time.Second - 1) / time.Second) }

// gateway is the answer of the gateway before the API: another shape.
func gateway(status int, message string) reply {
	return reply{status: status, kind: plainJSON, body: gatewayBody{status, message}}
}

type gatewayBody struct {
	StatusCode int    `json:"statusCode"`
	Message    string `json:"message"`
}

// problemBody is RFC 7807 with the API's own members.
type problemBody struct {
	Type         string        `json:"type"`
	Title        string        `json:"title"`
	Detail       string        `json:"detail,omitempty"`
	Instance     string        `json:"instance"`
	Status       int           `json:"status"`
	TraceID      string        `json:"traceId"`
	ExtraDetails []extraDetail `json:"extraDetails,omitempty"`
}

type extraDetail struct {
	Name   string `json:"name"`
	Reason string `json:"reason"`
}

// problem tells a refusal. Too many calls are refused by the gateway.
func (t *Till) problem(in inbound, p *Problem) reply {
	if p.Status == http.StatusTooManyRequests {
		r := gateway(p.Status, fmt.Sprintf("Rate limit is exceeded. Try again in %d seconds.", seconds(p.After)))
		r.after = p.After
		return r
	}
	var details []extraDetail
	if p.Code != "" {
		details = []extraDetail{{"ErrorCode", p.Code}}
	}
	out := t.refusal(in, p.Status, p.Title, "", details)
	out.code = p.Code
	return out
}

// invalid tells that a request is not as described: no code, but the field.
func (t *Till) invalid(in inbound, field, reason string) reply {
	return t.refusal(in, http.StatusBadRequest, "The request is not valid", field+": "+reason, []extraDetail{{field, reason}})
}

// refusal is written as the service that gives it writes its refusals.
func (t *Till) refusal(in inbound, status int, title, detail string, details []extraDetail) reply {
	t.traces++
	trace := fmt.Sprintf("%032x", mix(t.traces))
	kind, about := problemJSON, "https://httpstatuses.io/"+strconv.Itoa(status)
	var body any
	switch api := in.call.api(); {
	case api == orderAPI, api == codeAPI:
		if detail == "" {
			detail = title // the description wants one
		}
		kind, body = plainJSON, errorBody{about, title, detail, trace, details}
	case api == reportAPI && status == http.StatusInternalServerError:
		kind, body = plainJSON, reportError{100_000, title, trace}
	default:
		body = problemBody{about, title, detail, strings.TrimPrefix(in.path, api.base()), status, trace, details}
	}
	return reply{status: status, kind: kind, body: body}
}

// errorBody is how Order Management and QR refuse.
type errorBody struct {
	Type     string        `json:"type"`
	Title    string        `json:"title"`
	Detail   string        `json:"detail"`
	Instance string        `json:"instance"`
	Invalid  []extraDetail `json:"invalidParams,omitempty"`
}

// reportError is how the Report API fails.
type reportError struct {
	Code    int    `json:"errorCode"`
	Message string `json:"errorMessage"`
	Context string `json:"contextId"`
}
