(() => {
"use strict";
const body = document.body, data = body.dataset, born = Date.now();
for (const b of document.querySelectorAll("[data-print]")) { b.hidden = false; b.onclick = () => print(); }
addEventListener("pageshow", e => { if (e.persisted) location.reload(); });
if (!data.live || !window.EventSource) return;
let source, heard = born, said = born, next = 0;
const ear = document.querySelector("[data-say]");
// say changes what a screen reader hears, at most every 10 s.
const say = text => {
  clearTimeout(next);
  if (!ear || ear.textContent === text) return;
  next = setTimeout(() => { said = Date.now(); ear.textContent = text; }, Math.max(0, said + 10000 - Date.now()));
};
const again = () => { source.close(); setTimeout(() => location.reload(), Math.max(0, born + 2000 - Date.now())); };
const draw = n => {
  heard = Date.now();
  if (n.scene !== data.scene) return again();
  body.classList.toggle("old", n.old);
  data.tone = n.tone;
  document.title = n.title;
  say(n.say);
  for (const e of document.querySelectorAll("[data-n]")) {
    const v = n[e.dataset.n];
    if (e.tagName === "PROGRESS") e.value = v || 0;
    else if (v !== undefined && e.textContent !== v) e.textContent = v;
  }
};
const open = () => { source = new EventSource(data.live); source.onmessage = e => draw(JSON.parse(e.data)); };
open();
setInterval(() => {
  if (data.lost && Date.now() - heard > 30000) { body.classList.add("old"); say(data.lost); }
  if (source.readyState === 2) open();
}, 10000);
document.addEventListener("visibilitychange", () => {
  if (!document.hidden && source.readyState === 2) open();
});
})();
