// Assembles the page. Without this script the cohort is still shown, and list.html has every study.
(() => {
  const byId = (id) => document.getElementById(id);

  byId("copy").addEventListener("click", async () => {
    const text = byId("citation").textContent.replace(/\s+/g, " ").trim();
    try {
      await navigator.clipboard.writeText(text);
      byId("copied").textContent = "Copied.";
    } catch {
      getSelection().selectAllChildren(byId("citation"));
      byId("copied").textContent = "Selected; press Ctrl+C.";
    }
  });
  document.querySelectorAll('a[href^="#failure-"]').forEach((link) => link.addEventListener("click", () => {
    document.querySelector(link.hash).open = true;
  }));

  const data = JSON.parse(byId("cohort-table").textContent);
  if (data.rows.length === 0) return;
  const studies = readStudies(data);
  const ids = new Set(studies.map((study) => study.id));
  const decisions = keepDecisions(data.cohort, new Map(studies.filter((study) => study.given).map(({ id, given }) => [id, given])));

  const count = () => {
    const decided = decisions.decided().map((id) => decisions.entry(id).decision);
    const accepted = decided.filter((decision) => decision === "accept").length;
    byId("decided").textContent = decided.length.toLocaleString("en");
    byId("accepted").textContent = accepted.toLocaleString("en");
    byId("rejected").textContent = (decided.length - accepted).toLocaleString("en");
    byId("download").disabled = decided.length === 0;
  };
  const pane = studyPane(decisions, count, (study) => list.focus(study));
  const list = reviewList(data, studies, decisions, pane);

  byId("download").addEventListener("click", () => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([decisions.toCsv()], { type: "text/csv" }));
    link.download = "decisions.csv";
    link.click();
    URL.revokeObjectURL(link.href);
  });
  byId("load").addEventListener("change", async ({ target }) => {
    const [taken, left] = decisions.fromCsv(await target.files[0].text(), (id) => ids.has(id));
    byId("kept").textContent = `${taken} taken${left ? `, ${left} left: no study of this cohort, or no decision` : ""}.`;
    target.value = ""; // so that the same file can be chosen again
    count();
    list.update();
  });
  count();
})();
