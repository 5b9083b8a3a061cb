// On every page: "/" goes to the search, and a time tells the viewer's own when it is pointed at or has the focus.
"use strict";

(() => {
  const find = document.getElementById("find");
  addEventListener("keydown", (event) => {
    const typing = event.target.closest?.("input, select, textarea, [contenteditable]");
    if (event.key !== "/" || typing || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    find.select();
  });

  const own = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "long" });
  const tell = (event) => {
    const time = event.target.closest?.("time[datetime]");
    if (!time || time.dataset.told) return;
    time.dataset.told = "yes";
    const utc = time.dateTime.slice(0, 19).replace("T", " ");
    time.title = `${utc} UTC\n${own.format(new Date(time.dateTime))}`;
  };
  addEventListener("pointerover", tell);
  addEventListener("focusin", tell);
})();
