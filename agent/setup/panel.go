package setup

import "slices"

// panel is what the setup knows of a kind of display: of each kind one that is often
// fitted, and how it is wired as a rule.
type panel struct{ kind, model, url string }

// panels are all kinds. One more display, and another way to wire one, is written into
// the configuration by hand.
func panels() []panel {
	return []panel{
		{"oled", "ssd1306", "i2c:///dev/i2c-1?address=0x3c"},
		{"epaper", "waveshare213", "spi:///dev/spidev0.0?dc=GPIO6&reset=GPIO12&busy=GPIO13"},
		{"lcd", "hd44780_20x4", "i2c:///dev/i2c-1?address=0x27"},
		{"framebuffer", "", "fb:///dev/fb0"},
		{"png", "", "file:///run/stolpe/display.png?size=800x480"},
		{"kiosk", "", "http://127.0.0.1:8090"},
		{"light", "", "lines:?red=GPIO6&green=GPIO12&blue=GPIO13"},
	}
}

// noPanel is the answer of a post without a display.
const noPanel = "none"

// panelOf is that of the kind that was answered; zero for none.
func panelOf(a Answers) panel {
	all := panels()
	if i := slices.IndexFunc(all, func(p panel) bool { return p.kind == a["display.kind"] }); i >= 0 {
		return all[i]
	}
	return panel{}
}

func panelQuestions() []Question {
	kinds := []string{noPanel}
	for _, p := range panels() {
		kinds = append(kinds, p.kind)
	}
	there := func(a Answers) bool { return panelOf(a) != (panel{}) }
	return []Question{
		{Key: "display.kind", Step: Panel, One: kinds, Default: always(noPanel),
			Ask:  Words{"Hva slags display har posten?", "What kind of display does the post have?"},
			Help: Words{"none: klistremerket er nok. Ledningene: stolpe help displays.", "none: the sticker is enough. The wires: stolpe help displays."}},
		{Key: "display.model", Step: Panel, Config: "display[].model", When: func(a Answers) bool { return panelOf(a).model != "" }, Default: func(a Answers) string { return panelOf(a).model },
			Ask:  Words{"Hvilken modell?", "Which model?"},
			Help: Words{"oled: ssd1306 eller sh1106. epaper: waveshare213. lcd: hd44780_20x4 eller hd44780_16x2.", "oled: ssd1306 or sh1106. epaper: waveshare213. lcd: hd44780_20x4 or hd44780_16x2."}},
		{Key: "display.url", Step: Panel, Config: "display[].url", When: there, Default: func(a Answers) string { return panelOf(a).url },
			Ask:  Words{"Hvor er det koblet til?", "Where is it connected?"},
			Help: Words{"Buss og linjer, som i forslaget; ingen linje kan være brukt av noe annet.", "Bus and lines, as in what is proposed; no line may be used by anything else."}},
		{Key: "display.code", Step: Panel, Config: "display[].code", Quiet: true, Optional: true, When: func(a Answers) bool { return there(a) && a["display.kind"] != "lcd" && a["display.kind"] != "light" },
			Ask: Words{"Hvilken kode viser det (sticker, rotating, none)?", "Which code does it show (sticker, rotating, none)?"}},
	}
}

// display writes the post's display, if it has one.
func (f *file) display() {
	if panelOf(f.answers) == (panel{}) {
		return
	}
	f.put("display:\n  - kind: %s\n", f.value("display.kind"))
	for _, key := range []string{"model", "url", "code"} {
		f.line("    ", key, "display."+key)
	}
}
