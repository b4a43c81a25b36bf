package broker

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// Chosen by us: posts live for ten years and nobody wants to open one for the sake
// of a date; a lost one is revoked. The authority outlives all that it issues in
// its first ten years.
const (
	authorityYears = 20
	memberYears    = 10
)

// backdated is how long before its making a certificate is good. Chosen by us: an
// hour, for machines whose clocks differ.
const backdated = time.Hour

// member is somebody with a certificate.
type member struct {
	name   string // common name
	tenant string // organization; empty for gateways and the broker
	serial *big.Int
}

// authority issues certificates.
type authority struct {
	cert   *x509.Certificate
	key    crypto.Signer
	pem    []byte // cert
	keyPEM []byte // key
}

// newAuthority makes one that may sign members and no other authorities.
func newAuthority() (*authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	now := time.Now()
	cert := &x509.Certificate{
		Subject:               pkix.Name{CommonName: "Stolpe fleet " + rand.Text()[:6]},
		NotBefore:             now.Add(-backdated),
		NotAfter:              now.AddDate(authorityYears, 0, 0),
		IsCA:                  true,
		MaxPathLenZero:        true,
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
	a := &authority{cert: cert, key: key}
	if a.pem, a.keyPEM, err = a.sign(cert, key); err != nil {
		return nil, err
	}
	a.cert, err = parseCertificate(a.pem) // with what signing filled in
	return a, err
}

// readAuthority reads the one of a fleet.
func readAuthority(dir string) (*authority, error) {
	a := &authority{}
	var err error
	if a.pem, err = os.ReadFile(filepath.Join(dir, caFile)); err != nil {
		return nil, err
	}
	if a.keyPEM, err = os.ReadFile(filepath.Join(dir, caKeyFile)); err != nil {
		return nil, err
	}
	if a.cert, err = parseCertificate(a.pem); err != nil {
		return nil, fmt.Errorf("%s: %w", filepath.Join(dir, caFile), err)
	}
	block, _ := pem.Decode(a.keyPEM)
	if block == nil {
		return nil, fmt.Errorf("%s: no key in PEM", filepath.Join(dir, caKeyFile))
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", filepath.Join(dir, caKeyFile), err)
	}
	signer, can := key.(crypto.Signer)
	if !can {
		return nil, fmt.Errorf("%s: a key that cannot sign", filepath.Join(dir, caKeyFile))
	}
	a.key = signer
	return a, nil
}

// issue makes the files of a member: of a server with those names, or of a client
// if there are none. A post's certificate is no good for playing the broker.
func (a *authority) issue(m member, names *x509.Certificate) (map[string][]byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	now := time.Now()
	cert := &x509.Certificate{
		Subject:     pkix.Name{CommonName: m.name},
		NotBefore:   now.Add(-backdated),
		NotAfter:    now.AddDate(memberYears, 0, 0),
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	if m.tenant != "" {
		cert.Subject.Organization = []string{m.tenant}
	}
	if names != nil {
		cert.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
		cert.DNSNames, cert.IPAddresses = names.DNSNames, names.IPAddresses
	}
	if cert.NotAfter.After(a.cert.NotAfter) {
		return nil, fmt.Errorf("the authority ends on %s, before a new certificate would", a.cert.NotAfter.Format(time.DateOnly))
	}
	certPEM, keyPEM, err := a.sign(cert, key)
	if err != nil {
		return nil, err
	}
	return map[string][]byte{caFile: a.pem, certFile: certPEM, keyFile: keyPEM}, nil
}

// sign signs a certificate of key's, and gives both as PEM.
func (a *authority) sign(cert *x509.Certificate, key *ecdsa.PrivateKey) (certPEM, keyPEM []byte, err error) {
	// x509 draws the serial number.
	der, err := x509.CreateCertificate(rand.Reader, cert, a.cert, key.Public(), a.key)
	if err != nil {
		return nil, nil, fmt.Errorf("sign the certificate of %s: %w", cert.Subject.CommonName, err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER}), nil
}

// revoke gives the list of void certificates with one more on it, or an empty one
// that begins.
func (a *authority) revoke(old []byte, serial *big.Int) ([]byte, error) {
	list := &x509.RevocationList{
		Number:     big.NewInt(1),
		ThisUpdate: time.Now().Add(-backdated),
		NextUpdate: a.cert.NotAfter, // a list that has run out would stop everybody
	}
	if old != nil {
		block, _ := pem.Decode(old)
		if block == nil {
			return nil, errors.New("list of void certificates: no PEM")
		}
		before, err := x509.ParseRevocationList(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("list of void certificates: %w", err)
		}
		list.RevokedCertificateEntries = append(before.RevokedCertificateEntries,
			x509.RevocationListEntry{SerialNumber: serial, RevocationTime: time.Now()})
		list.Number.Add(before.Number, big.NewInt(1))
		// OpenSSL keeps the older of two lists of the same second.
		if least := before.ThisUpdate.Add(time.Second); list.ThisUpdate.Before(least) {
			list.ThisUpdate = least
		}
	}
	der, err := x509.CreateRevocationList(rand.Reader, list, a.cert, a.key)
	if err != nil {
		return nil, fmt.Errorf("list of void certificates: %w", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "X509 CRL", Bytes: der}), nil
}

// readMember reads whose certificate lies in a folder.
func readMember(dir string) (member, error) {
	name := filepath.Join(dir, certFile)
	text, err := os.ReadFile(name)
	if err != nil {
		return member{}, err
	}
	cert, err := parseCertificate(text)
	if err != nil {
		return member{}, fmt.Errorf("%s: %w", name, err)
	}
	m := member{name: cert.Subject.CommonName, serial: cert.SerialNumber}
	if o := cert.Subject.Organization; len(o) == 1 {
		m.tenant = o[0]
	}
	if m.name != filepath.Base(dir) {
		return member{}, fmt.Errorf("%s: is of %q", name, m.name)
	}
	return m, nil
}

func parseCertificate(text []byte) (*x509.Certificate, error) {
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, errors.New("no certificate in PEM")
	}
	return x509.ParseCertificate(block.Bytes)
}

// hostNames are the names that a server at host has in its certificate.
func hostNames(host string) (*x509.Certificate, error) {
	if ip := net.ParseIP(host); ip != nil {
		return &x509.Certificate{IPAddresses: []net.IP{ip}}, nil
	}
	for _, r := range host {
		if r != '.' && !word("x"+string(r)) {
			return nil, fmt.Errorf("broker at %q: %w: want a DNS name or an IP address, without port", host, ErrName)
		}
	}
	if host == "" || len(host) > 64 { // what a common name has room for (RFC 5280, ub-common-name)
		return nil, fmt.Errorf("broker at %q: %w: want a DNS name of at most 64 characters, or an IP address", host, ErrName)
	}
	return &x509.Certificate{DNSNames: []string{host}}, nil
}
