"use strict";
// In the index's pane, passes on the keys that the index handles; in a page of its own it does nothing.
if (parent !== window) {
  document.documentElement.classList.add("framed");
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (["j", "k", "a", "r", "Escape"].includes(event.key)) parent.postMessage(event.key, "*");
  });
}
