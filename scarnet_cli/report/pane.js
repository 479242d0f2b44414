// The pane over the list: a study's page in a frame, with previous and next in the list's order, and a decision.

function studyPane(decisions, changed, closed) {
  const byId = (id) => document.getElementById(id);
  const pane = byId("pane");
  const buttons = { accept: byId("accept"), reject: byId("reject") };
  const [reader, comment, said] = [byId("reader"), byId("comment"), byId("said")];
  let list = [];
  let place = 0;

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
    const kept = decisions.change(list[place].id, { reader: reader.value.trim(), ...changes });
    said.textContent = kept ? `Study ${list[place].id}: ${changes.decision ?? "no decision"}` : "This browser keeps nothing; download the decisions.";
    changed(kept);
    press();
  };

  // Repeating a decision withdraws it.
  const decide = (decision) => change({ decision: decisions.entry(list[place].id).decision === decision ? null : decision });

  const keys = { j: () => step(1), k: () => step(-1), a: () => decide("accept"), r: () => decide("reject"), Escape: () => pane.close() };

  byId("previous").addEventListener("click", () => step(-1));
  byId("next").addEventListener("click", () => step(1));
  byId("close").addEventListener("click", () => pane.close());
  for (const [name, button] of Object.entries(buttons)) button.addEventListener("click", () => decide(name));
  comment.addEventListener("change", () => change({ comment: comment.value.trim(), decision: decisions.entry(list[place].id).decision }));
  document.addEventListener("keydown", (event) => {
    if (!pane.open || event.target === comment || event.ctrlKey || event.metaKey || event.altKey || event.key === "Escape") return;
    keys[event.key]?.();
  });
  pane.addEventListener("close", () => closed(list[place]));
  // While the focus is in the frame, the study's page passes on which of these keys was pressed.
  window.addEventListener("message", (event) => {
    if (pane.open && event.source === byId("frame").contentWindow && Object.hasOwn(keys, event.data)) keys[event.data]();
  });

  return (studies, at) => {
    [list, place] = [studies, at];
    show();
    pane.showModal();
    byId("next").focus();
  };
}
