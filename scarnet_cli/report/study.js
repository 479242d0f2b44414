"use strict";
// A study's page: contours hidden and shown, and the picture seen closer, by buttons and keys. In the index's pane the keys of
// the index are passed on to it, and it passes on those of this page.
const keys = {};
const slices = document.getElementById("slices");
if (slices) {
  const byId = (id) => document.getElementById(id);
  const place = slices.parentElement;
  const withContours = slices.getAttribute("src");
  const steps = [1, 1.5, 2, 3, 4];
  let step = 0;
  let whole = 0; // the picture's width as it was

  const go = (by) => {
    const before = steps[step];
    if (step === 0) whole = slices.clientWidth;
    step = Math.min(Math.max(step + by, 0), steps.length - 1);
    // What is in the middle of the view stays there.
    const [x, y] = [place.scrollLeft + place.clientWidth / 2, place.scrollTop + place.clientHeight / 2];
    const times = steps[step] / before;
    place.classList.toggle("near", step > 0);
    slices.style.width = step > 0 ? `${whole * steps[step]}px` : "";
    place.scrollTo(x * times - place.clientWidth / 2, y * times - place.clientHeight / 2);
    byId("zoom").textContent = `${steps[step]}×`;
  };
  Object.assign(keys, { "+": () => go(1), "-": () => go(-1), 0: () => go(-steps.length) });
  byId("closer").addEventListener("click", () => go(1));
  byId("farther").addEventListener("click", () => go(-1));
  if (slices.dataset.plain) {
    keys.h = () => {
      const shown = byId("contours").getAttribute("aria-pressed") !== "true";
      byId("contours").setAttribute("aria-pressed", String(shown));
      slices.src = shown ? withContours : slices.dataset.plain;
    };
    byId("contours").addEventListener("click", keys.h);
  }
  document.querySelector(".view").hidden = false;
}

const isFramed = parent !== window;
addEventListener("keydown", (event) => {
  const isUndo = (event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "z";
  if (isUndo && isFramed) parent.postMessage("undo", "*");
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (Object.hasOwn(keys, event.key)) keys[event.key]();
  else if (isFramed) parent.postMessage(event.key, "*");
});
if (isFramed) {
  document.documentElement.classList.add("framed");
  addEventListener("message", (event) => {
    if (event.source === parent && Object.hasOwn(keys, event.data)) keys[event.data]();
  });
}
