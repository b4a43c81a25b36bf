package sim

import (
	"encoding/json"
	"fmt"
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
	body   any    // sent as JSON; nil sends nothing
	after  time.Duration
	code   string // of a problem, for the log
}

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
	body := t.problemBody(in, p.Status, p.Title)
	if p.Code != "" {
		body.ExtraDetails = []extraDetail{{"ErrorCode", p.Code}}
	}
	return reply{status: p.Status, kind: problemJSON, body: body, code: p.Code}
}

// invalid tells that a request is not as described: no code, but the field.
func (t *Till) invalid(in inbound, field, reason string) reply {
	body := t.problemBody(in, http.StatusBadRequest, "The request is not valid")
	body.Detail = field + ": " + reason
	body.ExtraDetails = []extraDetail{{field, reason}}
	return reply{status: http.StatusBadRequest, kind: problemJSON, body: body}
}

func (t *Till) problemBody(in inbound, status int, title string) problemBody {
	t.traces++
	return problemBody{
		Type: "https://httpstatuses.io/" + strconv.Itoa(status), Title: title, Status: status,
		Instance: strings.TrimPrefix(in.path, base), TraceID: fmt.Sprintf("%032x", mix(t.traces)),
	}
}
