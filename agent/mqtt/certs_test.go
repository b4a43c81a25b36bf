package mqtt

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// signer is a certificate authority of one test, with a folder for what it makes.
type signer struct {
	t    *testing.T
	dir  string
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	last int64 // serial number
}

func newSigner(t *testing.T, begin time.Time) *signer {
	t.Helper()
	s := &signer{t: t, dir: t.TempDir()}
	s.key = s.newKey()
	s.cert = &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"},
		NotBefore: begin, NotAfter: begin.AddDate(10, 0, 0),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	s.last = 1
	s.write("ca.pem", "CERTIFICATE", s.sign(s.cert, s.key))
	return s
}

func (s *signer) newKey() *ecdsa.PrivateKey {
	s.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		s.t.Fatal(err)
	}
	return key
}

func (s *signer) sign(c *x509.Certificate, key *ecdsa.PrivateKey) []byte {
	s.t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, c, s.cert, &key.PublicKey, s.key)
	if err != nil {
		s.t.Fatal(err)
	}
	return der
}

func (s *signer) write(name, kind string, der []byte) {
	s.t.Helper()
	if err := os.WriteFile(s.path(name), pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

func (s *signer) path(name string) string { return filepath.Join(s.dir, name) }

// issue writes a certificate for the name, good at both ends on this machine, to
// <file>.pem and <file>.key.
func (s *signer) issue(file, name string, begin time.Time) (cert, key string) {
	s.t.Helper()
	s.last++
	k := s.newKey()
	der := s.sign(&x509.Certificate{
		SerialNumber: big.NewInt(s.last), Subject: pkix.Name{CommonName: name},
		NotBefore: begin, NotAfter: begin.AddDate(5, 0, 0),
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}, k)
	private, err := x509.MarshalECPrivateKey(k)
	if err != nil {
		s.t.Fatal(err)
	}
	s.write(file+".pem", "CERTIFICATE", der)
	s.write(file+".key", "EC PRIVATE KEY", private)
	return s.path(file + ".pem"), s.path(file + ".key")
}
