"use strict";
// Sorts and filters the table; the panes below follow it. Without this script all rows and panes are there, by study.
(() => {
  const table = document.getElementById("scans");
  const body = table.tBodies[0];
  const panes = document.getElementById("panes");
  const headings = [...table.tHead.rows[0].cells];
  const words = document.getElementById("words");
  const kind = document.getElementById("kind");
  const shown = document.getElementById("shown");
  const names = new Intl.Collator("en", { numeric: true });
  const entries = [...body.rows].map((row, i) => ({ row, pane: panes.children[i], name: row.cells[0].textContent }));

  const value = (entry, column) => {
    const text = entry.row.cells[column].dataset.value;
    return text === undefined ? null : Number(text);
  };

  // Undefined values stay last in both directions; equal ones are in the order of their names.
  const compare = (a, b, column, sign) => {
    if (column === 0) return sign * names.compare(a.name, b.name);
    const [x, y] = [value(a, column), value(b, column)];
    if (x === null || y === null) return (x === null) - (y === null) || names.compare(a.name, b.name);
    return sign * (x - y) || names.compare(a.name, b.name);
  };

  const sortBy = (column) => {
    const before = headings[column].getAttribute("aria-sort");
    // Numbers begin with the greatest: that is what one looks for first.
    const first = column === 0 ? "ascending" : "descending";
    const second = column === 0 ? "descending" : "ascending";
    const direction = before === first ? second : first;
    headings.forEach((heading) => heading.removeAttribute("aria-sort"));
    headings[column].setAttribute("aria-sort", direction);
    entries.sort((a, b) => compare(a, b, column, direction === "ascending" ? 1 : -1));
    body.append(...entries.map((entry) => entry.row));
    panes.append(...entries.map((entry) => entry.pane));
  };

  const filter = () => {
    const wanted = words.value.toLowerCase().split(/\s+/).filter(Boolean);
    let count = 0;
    for (const { row, pane } of entries) {
      const fits = wanted.every((word) => row.dataset.words.includes(word))
        && (!kind.value || row.dataset.kinds.split(" ").includes(kind.value));
      row.hidden = pane.hidden = !fits;
      count += fits;
    }
    shown.textContent = `${count} of ${entries.length}`;
  };

  headings.forEach((heading, column) => heading.firstElementChild.addEventListener("click", () => sortBy(column)));
  words.addEventListener("input", filter);
  kind.addEventListener("change", filter);
  document.getElementById("filter").addEventListener("submit", (event) => event.preventDefault());
  filter(); // a browser keeps what was typed when it loads the page again
})();
