// Command floor is the least that a post's program could be: it speaks TLS and
// HTTP once, keeps the connection, and wakes once a second. What the real program
// takes beyond this is ours. `go run ./cross bench` measures the two side by side.
//
// It prints "begun" before anything else and "ready" when it has its answer, and
// runs until it is killed.
package main

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"
)

func main() {
	fmt.Println("begun")
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: floor <url> <file with the server's certificate>")
		os.Exit(2)
	}
	client, err := ask(os.Args[1], os.Args[2])
	if err != nil {
		fmt.Fprintln(os.Stderr, "floor:", err)
		os.Exit(1)
	}
	fmt.Println("ready")
	for range time.Tick(time.Second) {
		client.Timeout += time.Nanosecond // what a poll touches, and nothing more
	}
}

// ask does one request and leaves its connection open.
func ask(url, certificate string) (*http.Client, error) {
	pem, err := os.ReadFile(certificate)
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s holds no certificate", certificate)
	}
	client := &http.Client{
		Timeout:   10 * time.Second,
		Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, ForceAttemptHTTP2: true},
	}
	answer, err := client.Get(url)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	if _, err := io.Copy(io.Discard, io.LimitReader(answer.Body, 1<<20)); err != nil {
		return nil, err
	}
	return client, nil
}
