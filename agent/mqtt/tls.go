package mqtt

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
	"sync"
	"time"
)

// TLS makes the settings of a connection that both ends prove themselves on, out
// of PEM files: who signs brokers, and our own certificate with its key. The pair
// is read again at the next connection after one of its files has changed; a pair
// that cannot be read, or of which only half has been written, leaves the former
// one in use. If there is no former one, the settings come with the error, and read
// the pair again at each connection.
//
// The clock of a machine without a battery begins years ago. The broker's
// certificate is then judged as of the day our own began: later than that it
// certainly is.
func TLS(ca, cert, key string) (*tls.Config, error) {
	pem, err := os.ReadFile(ca)
	if err != nil {
		return nil, fmt.Errorf("read certificates of the broker's signer: %w", err)
	}
	signers := x509.NewCertPool()
	if !signers.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("read certificates of the broker's signer: there is none in %s", ca)
	}
	p := &pair{cert: cert, key: key}
	_, err = p.current()
	return &tls.Config{
		MinVersion: tls.VersionTLS12,
		RootCAs:    signers,
		Time:       func() time.Time { return p.instant(time.Now()) },
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			return p.current()
		},
	}, err
}

// pair is a certificate and its key, as last read from their files.
type pair struct {
	cert, key string

	mu    sync.Mutex
	known *tls.Certificate
	state [2]fileState // of the files that known came from
}

// fileState tells a file from the one that stood there before.
type fileState struct {
	changed time.Time
	size    int64 // bytes
}

// current is the pair as the files have it now, or had it when they last fitted.
func (p *pair) current() (*tls.Certificate, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if state, err := p.look(); p.known != nil && (err != nil || state == p.state) {
		return p.known, nil
	}
	if err := p.load(); err != nil && p.known == nil {
		return nil, err
	}
	return p.known, nil // the former pair is still good
}

// instant is when certificates are judged, given what the clock says.
func (p *pair) instant(now time.Time) time.Time {
	if own, err := p.current(); err == nil && now.Before(own.Leaf.NotBefore) {
		return own.Leaf.NotBefore
	}
	return now
}

// load looks before it reads: what changes between the two is read again.
func (p *pair) load() error {
	state, err := p.look()
	if err != nil {
		return fmt.Errorf("read own certificate: %w", err)
	}
	found, err := tls.LoadX509KeyPair(p.cert, p.key)
	if err != nil {
		return fmt.Errorf("read own certificate %s with key %s: %w", p.cert, p.key, err)
	}
	if found.Leaf == nil {
		return fmt.Errorf("read own certificate %s: not understood", p.cert)
	}
	p.known, p.state = &found, state
	return nil
}

func (p *pair) look() ([2]fileState, error) {
	var state [2]fileState
	for i, name := range []string{p.cert, p.key} {
		info, err := os.Stat(name)
		if err != nil {
			return state, err
		}
		state[i] = fileState{changed: info.ModTime(), size: info.Size()}
	}
	return state, nil
}
