// The pane over the list: a study's page in a frame, with previous and next in the list's order, and a decision.

// The key that was pressed: "undo" for Ctrl and Z, null for other keys with Ctrl or Alt. study.js has the same.
function keyOf(event) {
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "z") return "undo";
  return event.ctrlKey || event.metaKey || event.altKey ? null : event.key;
}

const VIEW_KEYS = ["h", "+", "-", "0"]; // of the study's page: contours, closer, farther, as it was
const TYPING_MS = 800; // between two letters of a word

function studyPane(decisions, changed, closed) {
  const byId = (id) => document.getElementById(id);
  const pane = byId("pane");
  const buttons = { accept: byId("accept"), reject: byId("reject") };
  const [reader, comment, said, who, initials] = ["reader", "comment", "said", "who", "initials"].map(byId);
  const undone = []; // what `takeBack` puts back, the last at the end
  let list = [];
  let place = 0;
  let waiting = null; // the decision that waits for initials
  let decidedAt = 0;
  let typedAt = 0;
  reader.value ||= decisions.readers().at(-1) ?? "";

  const show = () => {
    const study = list[place];
    // A new frame each time, because changing a frame's address would fill the browser's history.
    const frame = byId("frame").cloneNode();
    frame.title = `Study ${study.id}`;
    frame.src = study.href;
    const hadFocus = document.activeElement === byId("frame");
    byId("frame").replaceWith(frame);
    byId("pane-title").textContent = study.id;
    byId("place").textContent = `${(place + 1).toLocaleString("en")} of ${list.length.toLocaleString("en")}`;
    byId("alone").href = study.href;
    byId("previous").disabled = place === 0;
    byId("next").disabled = place === list.length - 1;
    comment.value = decisions.entry(study.id).comment;
    press();
    // A removed frame or a disabled button would lose the focus.
    if (hadFocus || document.activeElement?.disabled) byId("pane-title").focus();
  };

  const press = () => {
    const { decision } = decisions.entry(list[place].id);
    for (const [name, button] of Object.entries(buttons)) button.setAttribute("aria-pressed", String(name === decision));
  };

  const step = (by) => {
    if (place + by < 0 || place + by >= list.length) return;
    place += by;
    show();
    said.textContent = `Study ${list[place].id}, ${byId("place").textContent}`;
  };

  const change = (changes) => {
    const study = list[place];
    const [kept, undo] = decisions.change(study.id, { reader: reader.value.trim(), ...changes });
    undone.push({ study, undo });
    byId("undo").disabled = false;
    said.textContent = kept ? `Study ${study.id}: ${changes.decision ?? "no decision"}` : "This browser keeps nothing; download the decisions.";
    changed();
    press();
  };

  // Repeating a decision withdraws it. Without initials it waits for them.
  const decide = (decision) => {
    if (!reader.value.trim()) {
      waiting = decision;
      who.hidden = false;
      initials.focus();
      said.textContent = "Not decided yet: give your initials.";
      return;
    }
    decidedAt = Date.now();
    change({ decision: decisions.entry(list[place].id).decision === decision ? null : decision });
  };

  const takeBack = () => {
    const last = undone.pop();
    if (!last) return;
    last.undo();
    byId("undo").disabled = undone.length === 0;
    const at = list.indexOf(last.study);
    if (at >= 0) place = at;
    changed();
    show();
    said.textContent = `Study ${last.study.id}: taken back, now ${decisions.entry(last.study.id).decision ?? "no decision"}`;
  };

  // Decisions have capital letters, so that typing beside the comment decides nothing; a word that begins with one is taken
  // back at its second letter.
  const keys = { j: () => step(1), k: () => step(-1), undo: takeBack, A: () => decide("accept"), R: () => decide("reject"), Escape: () => pane.close() };
  const typed = (key) => {
    if (VIEW_KEYS.includes(key)) {
      byId("frame").contentWindow.postMessage(key, "*");
      return;
    }
    const now = Date.now();
    const isTyping = now - typedAt < TYPING_MS;
    if (Object.hasOwn(keys, key) && !(isTyping && key !== "Escape")) {
      keys[key]();
    } else if (key.length === 1) {
      typedAt = now;
      if (now - decidedAt < TYPING_MS) takeBack();
    }
  };

  byId("previous").addEventListener("click", () => step(-1));
  byId("next").addEventListener("click", () => step(1));
  byId("undo").addEventListener("click", takeBack);
  byId("close").addEventListener("click", () => pane.close());
  for (const [name, button] of Object.entries(buttons)) button.addEventListener("click", () => decide(name));
  who.addEventListener("submit", (event) => {
    event.preventDefault();
    reader.value = initials.value.trim();
    if (!reader.value) return;
    who.hidden = true;
    decide(waiting);
    byId("next").focus();
  });
  comment.addEventListener("change", () => change({ comment: comment.value.trim(), decision: decisions.entry(list[place].id).decision }));
  document.addEventListener("keydown", (event) => {
    if (!pane.open || event.target === comment || event.target === initials || event.key === "Escape") return;
    const key = keyOf(event);
    if (key && Object.hasOwn(keys, key)) event.preventDefault(); // or the letter would stand in the field for initials
    if (key) typed(key);
  });
  pane.addEventListener("close", () => {
    who.hidden = true;
    closed(list[place]);
  });
  // While the focus is in the frame, the study's page passes on which key was pressed.
  window.addEventListener("message", (event) => {
    if (pane.open && event.source === byId("frame").contentWindow && typeof event.data === "string") typed(event.data);
  });

  return (studies, at) => {
    [list, place] = [studies, at];
    show();
    pane.showModal();
    byId("next").focus();
  };
}
