package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"unicode"

	"github.com/spf13/cobra"

	"stolpe/agent/config/strict/legal"
	"stolpe/agent/mqtt"
	"stolpe/payment/envelope"
)

func fleetCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "fleet",
		Short: "look after posts over the broker: watch them, and tell them what to do",
		Long: `For whoever looks after posts from afar. Commands are signed with a key of your own (keygen), which a
post obeys only if its configuration names it (commands.keys), and does only what that configuration
allows (commands.allow). No command closes a contactor.`,
	}
	c.AddCommand(fleetKeygenCommand(), fleetSignCommand(), fleetSendCommand(), fleetWatchCommand())
	return c
}

// target is a post of a tenant.
type target struct{ tenant, post string }

// String is how targets are written.
func (t target) String() string { return t.tenant + "/" + t.post }

// base is where its topics begin.
func (t target) base() string { return envelope.Base(t.tenant, t.post) }

// parseTarget reads TENANT/POST.
func parseTarget(s string) (target, error) {
	tenant, post, ok := strings.Cut(s, "/")
	if !ok || !legal.Word(tenant) || !legal.Word(post) {
		return target{}, fmt.Errorf("%q: want TENANT/POST, as in acme/A12", s)
	}
	return target{tenant, post}, nil
}

// whoSent finds the post that a topic belongs to, and what follows its base.
func whoSent(topic string) (t target, leaf string, ok bool) {
	tenant, post, leaf, ok := envelope.Split(topic)
	return target{tenant, post}, leaf, ok
}

// outside is a connection to the broker that is no post's.
type outside struct {
	broker string // its URL
	certs  string // folder with ca.pem, cert.pem and key.pem; empty on this machine
}

func (o *outside) flags(c *cobra.Command) {
	c.Flags().StringVar(&o.broker, "broker", "", "`URL` of the broker: mqtts://host:port, or mqtt://127.0.0.1:port")
	c.Flags().StringVar(&o.certs, "certs", "", "`folder` with ca.pem, cert.pem and key.pem, as stolpe-gateway broker person makes it")
}

// connect prepares a connection. What is wrong with it while it runs is told on stderr.
func (o *outside) connect(stderr io.Writer, filters []string, handle func(mqtt.Message), ready func(context.Context)) (*mqtt.Conn, error) {
	if o.broker == "" {
		return nil, errors.New("--broker: want the broker's address")
	}
	log := slog.New(slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: slog.LevelWarn, ReplaceAttr: withoutTime}))
	m := mqtt.Options{URL: o.broker, ClientID: "fleet-" + rand.Text(), Log: log, Filters: filters, Handle: handle, Ready: ready}
	if o.certs != "" {
		file := func(name string) string { return filepath.Join(o.certs, name) }
		var err error
		if m.TLS, err = mqtt.TLS(file("ca.pem"), file("cert.pem"), file("key.pem")); err != nil {
			return nil, fmt.Errorf("--certs: %w", err)
		}
		own, err := m.TLS.GetClientCertificate(nil)
		if err != nil {
			return nil, fmt.Errorf("--certs: %w", err)
		}
		m.ClientID = own.Leaf.Subject.CommonName // as brokers want it
	}
	conn, err := mqtt.New(m)
	if err != nil {
		return nil, fmt.Errorf("--broker: %w", err)
	}
	return conn, nil
}

// tame makes a text fit for one line of a terminal, whoever wrote it.
func tame(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return unicode.ReplacementChar
	}, s)
}

// parseTargets reads several, none twice.
func parseTargets(all []string) ([]target, error) {
	var targets []target
	for _, s := range all {
		t, err := parseTarget(s)
		if err != nil {
			return nil, err
		}
		if slices.Contains(targets, t) {
			return nil, fmt.Errorf("%s: named twice", t)
		}
		targets = append(targets, t)
	}
	return targets, nil
}
