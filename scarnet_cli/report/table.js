// The review list: filters and sorts the page's data, and draws a hundred rows at a time.

const ROWS_A_PAGE = 100;
const NAMES = new Intl.Collator("en", { numeric: true });
const REVIEW_WORDS = { accept: "✓ accepted", reject: "✗ rejected" };

// The page's data as objects; `place` is the order in which a reader should look.
function readStudies(data) {
  return data.rows.map(([id, maker, labels, numbers, flags, given], place) => {
    const doubts = flags.filter((flag) => !data.flags[flag][1]).length;
    const words = [id, maker, ...labels, ...flags.map((flag) => data.flags[flag][0])].join(" ").toLowerCase();
    return { id, labels, numbers, flags, given, place, doubts, words, href: `studies/${encodeURIComponent(id)}.html` };
  });
}

function numberText(value, digits) {
  if (value === null) return "–";
  const least = 10 ** -digits;
  return value > 0 && value < least / 2 ? `<${least.toFixed(digits)}` : value.toFixed(digits);
}

function element(name, style, text) {
  const made = document.createElement(name);
  if (style) made.className = style;
  made.textContent = text; // never as markup: ids, labels and makers come from the input
  return made;
}

function reviewList(data, studies, decisions, open) {
  const table = document.getElementById("scans");
  const body = table.tBodies[0];
  const form = document.getElementById("filter");
  const [words, kind, flag] = ["words", "kind", "flag"].map((id) => document.getElementById(id));
  const byLabel = [...document.querySelectorAll(".by-label")];
  const headings = [...table.tHead.rows[0].cells];
  const [earlier, later, shown] = ["earlier", "later", "shown"].map((id) => document.getElementById(id));
  let order = null; // {value, sign, heading}; null: worst first
  let wanted = studies;
  let first = 0;

  const values = {
    name: () => (study) => study.id,
    label: (place) => (study) => study.labels[place],
    number: (place) => (study) => study.numbers[place],
    flags: () => (study) => study.flags.length,
    decision: () => (study) => decisions.entry(study.id).decision,
  };
  const isOfKind = {
    flagged: (study) => study.doubts > 0,
    scar: (study) => study.numbers[data.scar] > 0,
    mvo: (study) => study.numbers[data.mvo] > 0,
    open: (study) => !decisions.entry(study.id).decision,
    accept: (study) => decisions.entry(study.id).decision === "accept",
    reject: (study) => decisions.entry(study.id).decision === "reject",
  };

  // Undefined values are last in both directions; equal values are in review order.
  const compare = (a, b) => {
    const [x, y] = [order.value(a), order.value(b)];
    if (x === null || y === null) return (x === null) - (y === null) || a.place - b.place;
    return order.sign * (typeof x === "number" ? x - y : NAMES.compare(x, y)) || a.place - b.place;
  };

  const row = (study) => {
    const made = document.createElement("tr");
    const head = element("th", "", "");
    head.scope = "row";
    const link = element("a", "", study.id);
    link.href = study.href;
    head.append(link);
    const flags = element("td", "flags", "");
    study.flags.forEach((code, i) => {
      const [text, isFinding] = data.flags[code];
      flags.append(i ? "; " : "", isFinding ? element("span", "", text) : text);
    });
    made.append(
      head,
      element("td", "review", REVIEW_WORDS[decisions.entry(study.id).decision] ?? ""),
      ...study.labels.map((label) => element("td", "label", label ?? "–")),
      ...study.numbers.map((value, i) => element("td", "number", numberText(value, data.digits[i]))),
      flags,
    );
    return made;
  };

  const draw = (all = false) => {
    const visible = all ? wanted : wanted.slice(first, first + ROWS_A_PAGE);
    body.replaceChildren(...visible.map(row));
    const last = Math.min(first + ROWS_A_PAGE, wanted.length);
    const part = wanted.length > ROWS_A_PAGE ? `, ${first + 1} to ${last} shown` : "";
    shown.textContent = `${wanted.length.toLocaleString("en")} of ${studies.length.toLocaleString("en")} ${studies.length === 1 ? "study" : "studies"}${part}`;
    earlier.disabled = first === 0;
    later.disabled = last >= wanted.length;
    earlier.parentElement.hidden = wanted.length <= ROWS_A_PAGE;
  };

  const turn = (to) => {
    first = to;
    draw();
    table.parentElement.scrollTop = 0;
  };

  const update = () => {
    const texts = words.value.toLowerCase().split(/\s+/).filter(Boolean);
    const labels = byLabel.filter((select) => select.value);
    wanted = studies.filter((study) => texts.every((text) => study.words.includes(text))
      && (!kind.value || isOfKind[kind.value](study))
      && (!flag?.value || study.flags.includes(Number(flag.value)))
      && labels.every((select) => study.labels[select.dataset.place] === select.value));
    if (order) wanted.sort(compare);
    turn(0);
  };

  const sortBy = (heading) => {
    const { key, place } = heading.firstElementChild.dataset;
    const isNumber = key === "number" || key === "flags";
    // Numbers sort from the greatest first, which readers look for first.
    const sign = order?.heading === heading ? -order.sign : isNumber ? -1 : 1;
    order = { value: values[key](place), sign, heading };
    headings.forEach((other) => other.removeAttribute("aria-sort"));
    heading.setAttribute("aria-sort", sign > 0 ? "ascending" : "descending");
    update();
  };

  const reset = () => {
    order = null;
    headings.forEach((heading) => heading.removeAttribute("aria-sort"));
    update();
  };

  headings.forEach((heading) => heading.firstElementChild.addEventListener("click", () => sortBy(heading)));
  form.addEventListener("input", update);
  form.addEventListener("reset", () => setTimeout(reset)); // after the fields are empty
  form.addEventListener("submit", (event) => event.preventDefault());
  earlier.addEventListener("click", () => turn(first - ROWS_A_PAGE));
  later.addEventListener("click", () => turn(first + ROWS_A_PAGE));
  body.addEventListener("click", (event) => {
    const link = event.target.closest("a");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return; // a new tab shows the study's own page
    event.preventDefault();
    open(wanted, first + link.closest("tr").rowIndex - 1);
  });
  document.querySelectorAll("[data-flag]").forEach((button) => button.addEventListener("click", () => {
    form.reset();
    setTimeout(() => {
      flag.value = button.dataset.flag;
      update();
      document.getElementById("review").scrollIntoView();
      flag.focus({ preventScroll: true });
    });
  }));
  window.addEventListener("beforeprint", () => draw(true)); // paper has room for all that the filter shows
  window.addEventListener("afterprint", () => draw());
  update(); // a browser keeps what was typed when it loads the page again

  return {
    update,
    // Draws the page of rows that holds a study under the current filter, and focuses it.
    focus: (study) => {
      update();
      const place = wanted.indexOf(study);
      if (place >= ROWS_A_PAGE) turn(place - (place % ROWS_A_PAGE));
      (body.rows[place - first]?.querySelector("a") ?? words).focus();
    },
  };
}
