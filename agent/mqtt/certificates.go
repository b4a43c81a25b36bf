package mqtt

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"time"
)

// TLS makes the settings of a connection of files: the authority that the broker's
// certificate is from, and our own certificate with its key. The latter are read again
// at each connection, so that a renewed one is taken without a restart.
//
// A post without a battery clock may start in 1970, and would find every certificate
// not valid yet, so the time by which they are judged is never before that of our own
// certificate: whoever put it there knew the time.
func TLS(ca, cert, key string) (*tls.Config, error) {
	pem, err := os.ReadFile(ca)
	if err != nil {
		return nil, fmt.Errorf("mqtt: authority: %w", err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("mqtt: authority: %s has no certificate", ca)
	}
	own, err := pair(cert, key)
	if err != nil {
		return nil, err
	}
	return &tls.Config{
		MinVersion: tls.VersionTLS12,
		RootCAs:    roots,
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			return pair(cert, key)
		},
		Time: func() time.Time { return later(time.Now(), own.Leaf.NotBefore) },
	}, nil
}

func pair(cert, key string) (*tls.Certificate, error) {
	c, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		return nil, fmt.Errorf("mqtt: certificate: %w", err)
	}
	if c.Leaf == nil {
		return nil, errors.New("mqtt: certificate: cannot be read")
	}
	return &c, nil
}

func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}
