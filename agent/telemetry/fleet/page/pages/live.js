(() => {
"use strict";
const data = document.body.dataset, said = document.getElementById("live"), again = document.getElementById("again");
if (!window.EventSource) return;
const by = (name, key) => document.querySelectorAll(`[${name}="${CSS.escape(key)}"]`);
const draw = n => {
  said.textContent = "Live.";
  if (n.shape !== data.shape) again.hidden = false;
  for (const [key, text] of Object.entries(n.texts || {}))
    for (const e of by("data-n", key)) {
      if (e.tagName === "PROGRESS") e.value = text;
      else if (e.textContent !== text) e.textContent = text;
    }
  for (const [key, tone] of Object.entries(n.tones || {}))
    for (const e of by("data-k", key)) e.dataset.tone = tone;
};
let source;
const open = () => {
  source = new EventSource(data.live);
  source.onmessage = e => draw(JSON.parse(e.data));
  source.onerror = () => { said.textContent = "Not live: the gateway does not answer."; };
};
open();
setInterval(() => { if (source.readyState === 2) open(); }, 15000);
})();
