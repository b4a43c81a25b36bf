package main

import (
	"cmp"
	"context"

	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"stolpe/agent/config"
	"stolpe/agent/control"
	"stolpe/display/qr"
)

func gatewayCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "gateway",
		Short: "the driver's pages as phones reach them: addresses, codes, and whether they answer",
		Long: `The driver's pages are at web.public_url, or at the gateways of a post with payment.through: gateway. Their
address is then in payment.gateway.pages; if it is not, say it with --public-url.`,
	}
	c.AddCommand(gatewayCheckCommand(), gatewayURLCommand(), gatewayQRCommand())
	return c
}

// pagesOptions are the flags of the commands about the driver's pages.
type pagesOptions struct {
	file   string // the configuration
	public string
	evse   int // id; 0 for all
	json   bool
}

func (o *pagesOptions) flags(c *cobra.Command, json string) {
	f := c.Flags()
	f.StringVar(&o.file, "config", defaultConfig, "configuration `file` of the post")
	f.StringVar(&o.public, "public-url", "", "where phones find the pages, if the configuration does not say it: the gateways' `public_url`")
	f.IntVar(&o.evse, "evse", 0, "`id` of the EVSE; all if it is left out")
	f.BoolVar(&o.json, "json", false, "print "+json)
}

// pageAddress is where a phone finds the page of an EVSE.
type pageAddress struct {
	EVSE int    `json:"evse"` // its number on the post
	Code string `json:"code"`
	URL  string `json:"url"`
}

// addresses reads the configuration and says where the pages are.
func (o *pagesOptions) addresses() (config.Config, []pageAddress, error) {
	cfg, err := loadConfig(o.file)
	if err != nil {
		return cfg, nil, err
	}
	known := cfg.Web.PublicURL
	if cfg.Payment.Through == config.ThroughGateway {
		known = cfg.Gateway.Pages
	}
	base := strings.TrimSuffix(cmp.Or(o.public, known), "/")
	if u, wrong := url.Parse(base); o.public != "" && (wrong != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http") {
		return cfg, nil, fmt.Errorf("--public-url %q: want https://host, as in the gateways' configuration", o.public)
	}
	if base == "" && cfg.Payment.Through == config.ThroughGateway {
		return cfg, nil, coded{fmt.Errorf("%s: payment.through is gateway, so the pages are at the gateways; say where with --public-url, as their configuration has it (public_url)", o.file), exitUsage}
	}
	base = cmp.Or(base, "http://"+cfg.Web.Listen)
	var all []pageAddress
	for _, e := range cfg.EVSEs {
		if o.evse == 0 || o.evse == e.ID {
			all = append(all, pageAddress{e.ID, e.Code, base + "/" + e.Code})
		}
	}
	if len(all) == 0 {
		return cfg, nil, coded{fmt.Errorf("--evse %d: %s has no such EVSE; leave it out for all", o.evse, o.file), exitNotFound}
	}
	return cfg, all, nil
}

func gatewayURLCommand() *cobra.Command {
	var o pagesOptions
	c := &cobra.Command{
		Use:   "url",
		Short: "print the address of the page of each EVSE",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			_, all, err := o.addresses()
			if err != nil {
				return err
			}
			for _, a := range all {
				if o.json {
					err = printJSON(c.OutOrStdout(), a)
				} else {
					_, err = fmt.Fprintln(c.OutOrStdout(), a.URL)
				}
				if err != nil {
					return failed(err)
				}
			}
			return nil
		},
	}
	o.flags(c, "one JSON object a line for each")
	return c
}

func gatewayQRCommand() *cobra.Command {
	var o pagesOptions
	var out string
	c := &cobra.Command{
		Use:   "qr",
		Short: "draw the address of the page of an EVSE as a code, to be scanned off the screen",
		Long: `Draws a code on the terminal, or with --out as a picture, without any network. It is for a bench and a
screen: what is stuck on a post is made with stolpe qr sticker, since only the payment service's codes open
in the app's scanner, and can be led elsewhere later.`,
		Example: `  stolpe gateway qr
  stolpe gateway qr --evse 1 --out a12.png`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return o.draw(out, c.OutOrStdout()) },
	}
	o.flags(c, "one JSON object, and no code on the terminal")
	c.Flags().StringVar(&out, "out", "", "`file` to write, ending in .svg or .png")
	return c
}

func (o *pagesOptions) draw(out string, stdout io.Writer) error {
	draw := map[string]func(qr.Code, io.Writer) error{"": qr.Code.Text, ".svg": qr.Code.SVG, ".png": qr.Code.PNG}[strings.ToLower(filepath.Ext(out))]
	if draw == nil {
		return fmt.Errorf("--out %q: want a file that ends in .svg or .png", out)
	}
	_, all, err := o.addresses()
	if err != nil {
		return err
	}
	if len(all) > 1 {
		return fmt.Errorf("--evse: the post has %d EVSEs, say whose page it is", len(all))
	}
	code, err := qr.Of(all[0].URL)
	if err != nil {
		return failed(err)
	}
	say := func() error {
		return failed(printJSON(stdout, struct {
			pageAddress
			File string `json:"file,omitempty"` // that was written
		}{all[0], out}))
	}
	switch {
	case out == "" && o.json:
		return say()
	case out == "":
		return failed(errors.Join(code.Text(stdout), second(fmt.Fprintln(stdout, all[0].URL))))
	}
	f, err := os.Create(filepath.Clean(out))
	if err == nil {
		err = errors.Join(draw(code, f), f.Close())
	}
	if err != nil {
		return failed(fmt.Errorf("%w; name another file with --out", err))
	}
	if o.json {
		return say()
	}
	return failed(second(fmt.Fprintf(stdout, "%s: leads to %s\n", out, all[0].URL)))
}

func gatewayCheckCommand() *cobra.Command {
	var o pagesOptions
	c := &cobra.Command{
		Use:   "check",
		Short: "see whether the driver's pages answer where phones look for them",
		Long: `Fetches the page of each EVSE from its public address, as a phone would, and looks at its certificate. With
payment.through: gateway it also has the daemon ask the gateways for the sales unit. Moves no money.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return o.check(c.Context(), c.OutOrStdout()) },
	}
	o.flags(c, "one JSON object")
	return c
}

func (o *pagesOptions) check(ctx context.Context, stdout io.Writer) error {
	cfg, all, err := o.addresses()
	if err != nil {
		return err
	}
	j := pingJSON{Through: string(cfg.Payment.Through)}
	for _, a := range all {
		j.Looked = append(j.Looked, fetchPage(ctx, a))
	}
	if cfg.Payment.Through == config.ThroughGateway {
		j.Looked = append(j.Looked, askGateway(ctx)...)
	}
	if ctx.Err() != nil {
		return unanswered(ctx, ctx.Err())
	}
	d := desk{json: o.json}
	return d.sayPing(stdout, j)
}

// askGateway has the daemon look whether its gateways answer.
func askGateway(ctx context.Context) []pinged {
	var j pingJSON
	err := daemonOf().Get(ctx, "payment/ping", nil, &j)
	if errors.Is(err, control.ErrNoDaemon) {
		return []pinged{{What: "gateway", State: pingOff, Text: "no daemon runs, and only that has the post's key to the gateways"}}
	}
	if err != nil {
		return []pinged{{What: "gateway", State: pingFail, Text: err.Error(), Do: "ask somebody who is a technician on this post"}}
	}
	return j.Looked
}

// Chosen by us.
const (
	certSoon = 14 * 24 * time.Hour // before the end of a certificate it is time: renewed ones come 30 days before it
	maxPage  = 256 << 10           // bytes of a page; the largest has 30 kB
)

// fetchPage fetches a page as a phone would.
func fetchPage(ctx context.Context, a pageAddress) pinged {
	p := pinged{What: "page " + a.Code, State: pingFail, Do: "see that " + a.URL + " leads to this post from outside: name, certificate, reverse proxy, and that the program runs there"}
	ctx, cancel := context.WithTimeout(ctx, reachWithin)
	defer cancel()
	began := time.Now()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, a.URL, nil)
	if err != nil {
		p.Text = err.Error()
		return p
	}
	client := http.Client{Transport: &http.Transport{Proxy: http.ProxyFromEnvironment, DisableKeepAlives: true}}
	answer, err := client.Do(r)
	if err != nil {
		p.Text = err.Error()
		return p
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(io.LimitReader(answer.Body, maxPage))
	p.Took = time.Since(began).Milliseconds()
	switch {
	case err != nil:
		p.Text = err.Error()
		return p
	case answer.StatusCode != http.StatusOK:
		p.Text = a.URL + " answers " + answer.Status
		return p
	case !strings.Contains(string(body), a.Code):
		p.Text = a.URL + " answers with a page that does not name " + a.Code + ": somebody else is there"
		return p
	}
	p.State, p.Do, p.Text = pingOK, "", a.URL+" answers"
	if t := answer.TLS; t != nil && len(t.PeerCertificates) > 0 {
		end := t.PeerCertificates[0].NotAfter
		p.Text += ", certificate until " + end.UTC().Format(time.DateOnly)
		if time.Until(end) < certSoon {
			p.State, p.Do = pingWarn, "see why the certificate has not been renewed: it ends soon, and then no phone opens the page"
		}
	}
	return p
}
