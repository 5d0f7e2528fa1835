// Opening hours: the week drawn while it is typed, only the fields that fit, and the arrows in the year.
"use strict";

(() => {
  const all = (query, root = document) => [...root.querySelectorAll(query)];

  // --- The week: the same words as the server reads, drawn as a bar ---
  const one = /^(\d{1,2})(?:[:.h]?(\d{2}))?\s*(?:-|–|—|to)\s*(\d{1,2})(?:[:.h]?(\d{2}))?$/;
  function read(text) {
    const plain = text.trim().toLowerCase();
    if (["", "closed", "-", "–"].includes(plain)) return [];
    if (["24 h", "24h", "24 hours", "all day", "always"].includes(plain)) return [[0, 1440]];
    const spans = [];
    for (const part of plain.split(/[,;]|\band\b/)) {
      const found = part.trim().match(one);
      if (!found) return null;
      const [opens, closes] = [1, 3].map((at) => Number(found[at]) * 60 + Number(found[at + 1] || 0));
      if (opens >= 1440 || closes > 1440 || Number(found[2] || 0) > 59 || Number(found[4] || 0) > 59) return null;
      spans.push([opens, closes > opens ? closes : closes + 1440]);
    }
    spans.sort((a, b) => a[0] - b[0]);
    return spans.every((span, at) => !at || span[0] >= spans[at - 1][1]) ? spans : null;
  }
  const days = all("[data-hours]");
  function draw() {
    const week = days.map((field) => read(field.value));
    days.forEach((field, at) => {
      field.setCustomValidity(week[at] ? "" : "Write hours such as 09:00-12:00, 12:30-17:00; they must not overlap.");
      const bar = field.parentElement.querySelector("[data-bar]");
      const late = (week[(at + 6) % 7] || []).filter((span) => span[1] > 1440).map((span) => [0, span[1] - 1440]);
      bar.replaceChildren(
        ...[...late, ...(week[at] || [])].map(([opens, closes]) => {
          const rect = document.createElementNS("http://www.w3.org/2000/svg", "rect");
          rect.setAttribute("x", `${opens / 14.4}%`);
          rect.setAttribute("width", `${(Math.min(closes, 1440) - opens) / 14.4}%`);
          rect.setAttribute("height", "10");
          return rect;
        }),
      );
    });
  }
  if (days.length) {
    draw();
    // Before the page says what is wrong with a field, which it does on the way up.
    document.addEventListener("input", (event) => event.target.matches("[data-hours]") && draw(), true);
    document.querySelector("[data-copy-week]").addEventListener("click", () => {
      days.slice(1, 5).forEach((field) => (field.value = days[0].value));
      days[0].form.dataset.changed = "1";
      draw();
    });
  }

  // --- A day: only the fields that fit what is chosen are shown and sent ---
  function fit(form) {
    for (const part of all("[data-with]", form)) {
      const [name, values] = part.dataset.with.split("=");
      part.hidden = !values.split(" ").includes(form.elements[name].value);
      all("input, select", part).forEach((field) => (field.disabled = part.hidden));
    }
  }
  for (const form of all("form[data-shows]")) {
    fit(form);
    form.addEventListener("change", () => fit(form));
  }

  // --- The year: arrows walk from day to day ---
  document.addEventListener("keydown", (event) => {
    const year = event.target.closest?.("[data-year]");
    if (!year) return;
    const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: 7, ArrowUp: -7 }[event.key];
    const cells = all("a.cell", year);
    const at = cells.indexOf(document.activeElement);
    if (!step || at < 0) return;
    event.preventDefault();
    const next = cells[Math.min(cells.length - 1, Math.max(0, at + step))];
    cells.forEach((cell) => (cell.tabIndex = cell === next ? 0 : -1));
    next.focus();
  });
})();
