// Fetches the parts of a page that change by the second, while the page is visible. Without it the page is as it was loaded.
"use strict";

(() => {
  const SECONDS = 5;
  for (const box of document.querySelectorAll("[data-live]")) {
    setInterval(async () => {
      // Not while the reader uses it: skip a refresh while something in it has the focus or is selected.
      if (document.hidden || box.contains(document.activeElement) || String(getSelection())) return;
      try {
        const answer = await fetch(box.dataset.live, { cache: "no-store" });
        if (!answer.ok) return;
        const html = await answer.text();
        if (html !== box.shown) box.innerHTML = box.shown = html;
      } catch {
        // The server is away; what is shown stays, with its time.
      }
    }, SECONDS * 1000);
  }
})();
