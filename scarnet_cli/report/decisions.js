"use strict";
// A reader's decisions on this cohort, stored in this browser, and their CSV file. No data leaves the computer.

const DECISIONS = ["accept", "reject"];
const REVIEW_COLUMNS = ["study_id", "decision", "reader", "comment", "date"];

// cohort: its name in this browser; given: Map of study -> decision in the tables. What is decided here goes before it.
function keepDecisions(cohort, given) {
  const key = `scarnet-decisions-${cohort}`;
  let kept = {};
  try {
    kept = JSON.parse(localStorage.getItem(key)) ?? {};
  } catch { /* no storage, or not ours: begin anew */ }

  const save = () => {
    try {
      localStorage.setItem(key, JSON.stringify(kept));
      return true;
    } catch {
      return false;
    }
  };
  const entry = (study) => kept[study] ?? { decision: given.get(study) ?? null, reader: "", comment: "", date: "" };
  const put = (study, changes) => {
    kept[study] = { ...entry(study), date: new Date().toISOString().slice(0, 10), ...changes };
  };
  const decided = () => [...new Set([...given.keys(), ...Object.keys(kept)])].filter((study) => entry(study).decision);

  return {
    entry,
    decided,
    // Returns whether it is kept, and a function that puts back what was before.
    change: (study, changes) => {
      const before = kept[study];
      put(study, changes);
      const undo = () => {
        if (before) kept[study] = before;
        else delete kept[study];
        save();
      };
      return [save(), undo];
    },
    readers: () => Object.values(kept).map(({ reader }) => reader).filter(Boolean),
    toCsv: () => writeCsv([REVIEW_COLUMNS, ...decided().sort().map((study) => {
      const { decision, reader, comment, date } = entry(study);
      return [study, decision, reader, comment, date];
    })]),
    // Returns the number of rows read; others name no study of this cohort or no decision.
    fromCsv: (text, isStudy) => {
      const [head = [], ...rows] = readCsv(text.replace(/^\ufeff/, ""));
      let taken = 0;
      for (const row of rows) {
        const { study_id: study, ...rest } = Object.fromEntries(head.map((name, i) => [name.trim(), (row[i] ?? "").trim()]));
        const decision = (rest.decision ?? "").toLowerCase();
        if (!isStudy(study) || !DECISIONS.includes(decision)) continue;
        put(study, { decision, reader: rest.reader ?? "", comment: rest.comment ?? "", date: rest.date ?? "" });
        taken += 1;
      }
      save();
      return [taken, rows.length - taken];
    },
  };
}

function writeCsv(rows) {
  const cell = (text) => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  return rows.map((row) => `${row.map(cell).join(",")}\r\n`).join("");
}

function readCsv(text) {
  const rows = [];
  let row = [];
  // A cell, quoted (with inner quotes doubled) or plain, and then a comma, the end of the line or of the file.
  for (const [all, quoted, plain, end] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r?\n|$)/g)) {
    if (all === "" && row.length === 0) break;
    row.push(quoted === undefined ? plain : quoted.replaceAll('""', '"'));
    if (end !== ",") {
      if (row.some(Boolean)) rows.push(row);
      row = [];
    }
  }
  return rows;
}
