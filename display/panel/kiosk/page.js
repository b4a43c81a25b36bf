"use strict";
(() => {
  const root = document.documentElement, now = document.getElementById("now"), also = document.getElementById("also");
  const main = document.querySelector("main");
  const silence = 15000, again = 2000; // ms: three beats of the server; until another try
  let watch, newest = now.dataset.n;

  // Whatever goes wrong, a price or a code must not stay on a dead post.
  const gone = () => root.classList.add("gone");
  const alive = () => {
    root.classList.remove("gone");
    clearTimeout(watch);
    watch = setTimeout(gone, silence);
  };

  const spoken = told => { // the same picture may come with other words
    if (now.alt !== told.said) now.alt = told.said;
    if (also.textContent !== told.also) also.textContent = told.also;
    alive();
  };

  const show = told => {
    newest = told.name;
    main.classList.toggle("night", told.night);
    if (told.name === now.dataset.n) return spoken(told);
    const next = new Image();
    next.onerror = () => told.name === newest && gone();
    next.onload = () => {
      if (told.name !== newest) return; // there is a newer one
      now.src = next.src;
      now.dataset.n = told.name;
      spoken(told);
    };
    next.src = "/picture.png?n=" + told.name;
  };

  const listen = () => {
    const source = new EventSource("/events");
    source.onmessage = event => {
      const told = JSON.parse(event.data);
      if (told.page !== root.dataset.page) return location.reload(); // the program is another one now
      show(told);
    };
    source.onerror = () => {
      gone();
      if (source.readyState === EventSource.CLOSED) setTimeout(listen, again);
    };
  };

  root.classList.add("script");
  watch = setTimeout(gone, silence);
  listen();
})();
