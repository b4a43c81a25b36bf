package web

import (
	"html/template"
	"regexp"
	"strings"

	"stolpe/display"
)

// Only these can be drawn: a style or an address from a configuration that went
// wrong must not become part of a page. An SVG in an image runs no script.
var (
	colour = regexp.MustCompile(`^#[0-9a-fA-F]{6}$`)
	logo   = regexp.MustCompile(`^data:image/(svg\+xml|png)(;[a-z0-9=;-]+)?,[A-Za-z0-9+/=%._~!*'()-]+$`)
)

// brandStyle sets the custom properties that the style takes the owner's colour
// from; empty without one. What is pressed has it in the dark as well, as white on it
// can be read; lines and marks keep ours there, as nobody has promised that they can
// be seen on black.
func brandStyle(b display.Brand) template.CSS {
	if !colour.MatchString(b.Colour) {
		return ""
	}
	c := strings.ToLower(b.Colour)
	return template.CSS(":root { --key: " + c + "; --onkey: #fff; } @media (prefers-color-scheme: light) { :root { --act: " + c + "; } }")
}

// policyFor is the policy that also allows the style of an owner.
func (p *pages) policyFor(b display.Brand) string {
	style := brandStyle(b)
	if style == "" {
		return p.policy
	}
	return strings.Replace(p.policy, "style-src ", "style-src "+hashOf([]byte(style))+" ", 1)
}

// BrandStyle is the owner's part of the style.
func (s sheet) BrandStyle() template.CSS { return brandStyle(s.Post.Brand) }

// Logo is the owner's picture; empty without one that can be drawn.
func (s sheet) Logo() template.URL {
	if !logo.MatchString(s.Post.Brand.Logo) {
		return ""
	}
	return template.URL(s.Post.Brand.Logo)
}

// LogoName is what the picture says to whoever does not see it.
func (s sheet) LogoName() string {
	if s.Post.Brand.Name != "" {
		return s.Post.Brand.Name
	}
	return s.Post.Seller.Name
}

// OwnTerms is the address of the owner's terms; empty without any.
func (s sheet) OwnTerms() string {
	if !strings.HasPrefix(s.Post.TermsURL, "https://") {
		return ""
	}
	return s.Post.TermsURL
}
