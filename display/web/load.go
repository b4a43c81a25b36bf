package web

import (
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"strings"
	"sync"
)

//go:embed pages
var files embed.FS

// load reads the styles and the script, and writes the policy that allows exactly
// these to work in a page. The templates wait for the first visitor: a post
// that has just got its power back has more urgent things to do.
func (p *pages) load() error {
	style, err := files.ReadFile("pages/style.css")
	if err != nil {
		return fmt.Errorf("web: read the style: %w", err)
	}
	script, err := files.ReadFile("pages/live.js")
	if err != nil {
		return fmt.Errorf("web: read the script: %w", err)
	}
	sober, err := files.ReadFile("pages/document.css")
	if err != nil {
		return fmt.Errorf("web: read the style of documents: %w", err)
	}
	p.style, p.sober, p.script = template.CSS(style), template.CSS(sober), template.JS(script)
	p.policy = strings.Join([]string{
		"default-src 'none'",
		"style-src " + hashOf(style) + " " + hashOf(sober),
		"script-src " + hashOf(script),
		"connect-src 'self'", // the live stream
		"img-src data:",      // the icon, which stands in the page
		"form-action 'self'",
		"base-uri 'none'",
		"frame-ancestors 'none'",
	}, "; ")
	p.draw = sync.OnceValue(func() *template.Template { return template.Must(template.ParseFS(files, "pages/*.html")) })
	return nil
}

func hashOf(b []byte) string {
	sum := sha256.Sum256(b)
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}
