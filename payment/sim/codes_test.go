package sim

import (
	"bytes"
	"encoding/xml"
	"errors"
	"image"
	"image/png"
	"io"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"
)

func TestLifeOfACode(t *testing.T) {
	c := newClient(t, Options{})
	made := c.beside("POST", codesPath, codeText)
	if made.status != 200 || made.text("id") != "A12" || made.text("redirectUrl") != "https://lad.example.no/A12" || made.at("expiresIn") != -1.0 {
		t.Fatalf("%d %s", made.status, made.raw)
	}
	if got := c.beside("POST", codesPath, codeText); got.status != 409 || got.text("id") != "A12" {
		t.Errorf("again: %d %s", got.status, got.raw)
	}
	scan := c.beside("GET", codesPath+"/A12", "", "Accept", "text/targetUrl").text("url")
	if got := c.browse("GET", scan, ""); got.status != 302 || got.header.Get("Location") != "https://lad.example.no/A12" {
		t.Errorf("scanned: %d %v", got.status, got.header)
	}
	c.beside("PUT", codesPath+"/A12", `{"redirectUrl":"https://lad.example.no/A13"}`)
	if got := c.browse("GET", scan, ""); got.header.Get("Location") != "https://lad.example.no/A13" {
		t.Errorf("retargeted: %v", got.header)
	}
	c.beside("POST", codesPath, strings.Replace(codeText, "A12", "A 11/ø%"[:4], 1))
	list := c.beside("GET", codesPath, "")
	if a, b := strings.Index(list.raw, `"A12"`), strings.Index(list.raw, `"A 11"`); a < 0 || b < a {
		t.Errorf("list: %s", list.raw)
	}
	if got := c.beside("DELETE", codesPath+"/A12", ""); got.status != 200 {
		t.Errorf("delete: %d %s", got.status, got.raw)
	}
	for _, method := range []string{"GET", "DELETE", "PUT"} {
		body := map[string]string{"PUT": `{"redirectUrl":"https://lad.example.no/A13"}`}[method]
		if got := c.beside(method, codesPath+"/A12", body); got.status != 404 {
			t.Errorf("%s what is gone: %d", method, got.status)
		}
	}
	if got := c.browse("GET", scan, ""); got.status != 404 {
		t.Errorf("scanned what is gone: %d", got.status)
	}
	if got := c.beside("GET", codesPath+"/"+url.PathEscape("A 11"), ""); got.text("id") != "A 11" {
		t.Errorf("by a name with a space: %d %s", got.status, got.raw)
	}
}

func TestCodeEndsWhenItSaid(t *testing.T) {
	c := newClient(t, Options{})
	made := c.beside("POST", codesPath, strings.Replace(codeText, "}", `,"ttl":600}`, 1))
	picture := made.text("url")
	c.clock.pass(9*time.Minute + 59500*time.Millisecond)
	if got := c.beside("GET", codesPath+"/A12", ""); made.at("expiresIn") != 600.0 || got.at("expiresIn") != 1.0 {
		t.Errorf("%v, then %v", made.raw, got.raw)
	}
	c.clock.pass(500 * time.Millisecond)
	if got := c.browse("GET", picture, ""); got.status != 404 {
		t.Errorf("picture: %d", got.status)
	}
	if got := c.beside("GET", codesPath+"/A12", ""); got.status != 404 {
		t.Errorf("%d", got.status)
	}
	if got := c.beside("POST", codesPath, codeText); got.status != 200 {
		t.Errorf("the id is free again: %d %s", got.status, got.raw)
	}
}

func TestPicturesAreSignsOfWords(t *testing.T) {
	c := newClient(t, Options{})
	c.beside("POST", codesPath, codeText)
	at := c.beside("GET", codesPath+"/A12", "", "Size", "300").text("url")
	got := c.browse("GET", at, "")
	p, err := png.Decode(strings.NewReader(got.raw))
	if err != nil || got.header.Get("Content-Type") != "image/png" || p.Bounds() != image.Rect(0, 0, 300, 300) {
		t.Fatalf("%s: %v %v", at, got.header, err)
	}
	at = c.beside("GET", codesPath+"/A12", "", "Accept", "image/svg+xml", "Size", "300").text("url")
	got = c.browse("GET", at, "")
	for _, want := range []string{">SIMULATED<", ">A12<", `width="300"`} {
		if !strings.Contains(got.raw, want) || got.header.Get("Content-Type") != "image/svg+xml" {
			t.Errorf("no %q in %s", want, got.raw)
		}
	}
	for _, address := range []string{at + "x", strings.Replace(at, ".svg", ".gif", 1), strings.Replace(at, "/code/", "/code/x", 1)} {
		want := 404
		if address == at+"x" {
			want = 200 // a size that is none is the usual one
		}
		if got := c.browse("GET", address, ""); got.status != want {
			t.Errorf("%s: %d, want %d", address, got.status, want)
		}
	}
}

// art is a picture in words, one sign for each pixel around its middle row.
func art(line string, size int) string {
	p := image.NewPaletted(image.Rect(0, 0, size, size), nil)
	write(p, size/2, line)
	var b strings.Builder
	for y := size/2 - letterHeight/2; y <= size/2+letterHeight/2; y++ {
		var row strings.Builder
		for x := range size {
			row.WriteByte(".#"[p.ColorIndexAt(x, y)])
		}
		b.WriteString(strings.Trim(row.String(), ".") + "\n")
	}
	return b.String()
}

func TestLettersCanBeRead(t *testing.T) {
	seen := map[string]rune{}
	for _, r := range alphabet {
		dots := letter(r)
		if len(dots) != letterWidth*letterHeight || strings.Trim(dots, ".#") != "" {
			t.Errorf("%c: %q", r, dots)
		}
		if other, twice := seen[dots]; twice {
			t.Errorf("%c looks like %c", r, other)
		}
		seen[dots] = r
	}
	// One pixel a dot, so that the picture is the letters.
	want := "#.#.###.#\n#.#..#..#\n###..#..#\n#.#..#..#\n#.#.###.###\n"
	if got := art("hil", 90); got != want {
		t.Errorf("\n%s\nwant\n%s", got, want)
	}
}

func TestPaymentIsShownAsACode(t *testing.T) {
	for format, want := range map[string]string{
		"":                                   `/code/.*\.svg\?size=1024$`,
		`,"qrFormat":{"format":"IMAGE/PNG"}`: `/code/.*\.png\?size=1024$`,
		`,"qrFormat":{"format":"IMAGE/SVG+XML","size":null}`: `/code/.*\.svg\?size=1024$`,
		`,"qrFormat":{"format":"IMAGE/PNG","size":200}`:      `/code/.*\.png\?size=200$`,
		`,"qrFormat":{"format":"TEXT/TARGETURL","size":200}`: `/app/[0-9a-f]{32}$`,
	} {
		c := newClient(t, Options{})
		made := c.create("r1", strings.Replace(createText, `"WEB_REDIRECT"`, `"QR"`+format, 1))
		at := made.text("redirectUrl")
		if !regexp.MustCompile(want).MatchString(at) || c.get(string(ref)).text("redirectUrl") != at {
			t.Errorf("%s: %d %s, want %s", format, made.status, made.raw, want)
		}
		if got := c.browse("GET", at, ""); got.status != 200 {
			t.Errorf("%s: %d", at, got.status)
		}
		c.approve()
		if got := c.browse("GET", at, ""); strings.Contains(at, "/code/") && got.status != 404 {
			t.Errorf("%s: still there: %d", at, got.status)
		}
	}
}

func FuzzPictures(f *testing.F) {
	f.Add("A12", 100)
	f.Add("", 2000)
	f.Add(strings.Repeat("W", 128), 100)
	f.Add("<b>&\x00\xff Ærø%", 137)
	f.Fuzz(func(t *testing.T, id string, size int) {
		size = minSize + int(uint(size)%400)
		if _, err := png.Decode(bytes.NewReader(drawPNG(size, []string{"SIMULATED", id}))); err != nil {
			t.Fatal(err)
		}
		d := xml.NewDecoder(bytes.NewReader(drawSVG(size, []string{"SIMULATED", id})))
		for {
			if _, err := d.Token(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatal(err)
			}
		}
	})
}
