"use strict";
// In the index's pane, passes on the keys, which the index handles; in a page of its own it does nothing.
if (parent !== window) {
  document.documentElement.classList.add("framed");
  addEventListener("keydown", (event) => {
    const isUndo = (event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "z";
    if (isUndo) parent.postMessage("undo", "*");
    else if (!event.ctrlKey && !event.metaKey && !event.altKey) parent.postMessage(event.key, "*");
  });
}
