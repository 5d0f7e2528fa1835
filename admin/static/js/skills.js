// The grid of skills: arrows, typing, pasting from a sheet, and what differs from what is saved.
"use strict";

(() => {
  const form = document.querySelector("[data-matrix]");
  if (!form) return;
  const rows = () => [...form.querySelectorAll("tbody tr")].filter((row) => !row.hidden);
  const cells = (row) => [...row.querySelectorAll("td input")];
  const count = form.querySelector("[data-count]");
  const back = form.querySelector("[data-reset]");

  function drawn(input) {
    const cell = input.parentElement;
    const level = input.value.trim();
    if (/^[1-5]$/.test(level)) cell.dataset.level = level;
    else delete cell.dataset.level;
    const changed = level !== input.dataset.was;
    cell.classList.toggle("changed", changed);
    if (changed) cell.title = `Saved: ${input.dataset.was || "none"}`;
    else cell.removeAttribute("title");
  }
  function counted() {
    const changed = form.querySelectorAll("td.changed").length;
    if (count) count.textContent = changed ? `${changed} not saved yet` : "";
    if (back) back.hidden = !changed;
    if (changed) form.dataset.changed = "1";
    else delete form.dataset.changed;
  }
  function put(input, text) {
    input.value = text.trim().slice(0, 1);
    drawn(input);
  }
  function go(input) {
    if (!input) return;
    form.querySelectorAll('td input[tabindex="0"]').forEach((other) => (other.tabIndex = -1));
    input.tabIndex = 0;
    input.focus();
    input.select();
    input.scrollIntoView({ block: "nearest", inline: "nearest" });
  }
  function place(input) {
    const all = rows();
    const y = all.indexOf(input.closest("tr"));
    return { all, y, x: cells(all[y]).indexOf(input) };
  }

  form.addEventListener("keydown", (event) => {
    const input = event.target;
    if (!input.matches("td input")) return;
    const steps = { ArrowDown: [1, 0], ArrowUp: [-1, 0], ArrowRight: [0, 1], ArrowLeft: [0, -1], Enter: [1, 0] };
    const step = steps[event.key];
    if (step) {
      event.preventDefault();
      const { all, y, x } = place(input);
      go(all[y + step[0]] && cells(all[y + step[0]])[x + step[1]]);
    } else if ((event.key === "Delete" || event.key === "Backspace") && !input.readOnly) {
      event.preventDefault();
      put(input, "");
      counted();
    } else if (/^[1-5]$/.test(event.key) && !event.ctrlKey && !event.metaKey && !input.readOnly) {
      event.preventDefault();
      put(input, event.key);
      counted();
    } else if (event.key === "Escape") {
      put(input, input.dataset.was);
      counted();
    }
  });
  form.addEventListener("input", (event) => {
    if (!event.target.matches("td input")) return;
    drawn(event.target);
    counted();
  });
  form.addEventListener("focusin", (event) => event.target.matches("td input") && event.target.select());

  // A block from a sheet: tabs part columns, ends of lines part rows. What lies outside the grid is left out and said.
  form.addEventListener("paste", (event) => {
    const input = event.target;
    if (!input.matches("td input") || input.readOnly) return;
    event.preventDefault();
    const text = event.clipboardData.getData("text/plain").replace(/\r\n?/g, "\n").replace(/\n$/, "");
    const { all, y, x } = place(input);
    let outside = 0;
    let unread = 0;
    text.split("\n").forEach((line, down) =>
      line.split("\t").forEach((value, right) => {
        const target = all[y + down] && cells(all[y + down])[x + right];
        if (!target) outside += 1;
        else if (value.trim() && !/^[1-5]$/.test(value.trim())) unread += 1;
        else put(target, value);
      }),
    );
    counted();
    const said = [];
    if (unread) said.push(`${unread} left out that ${unread === 1 ? "is" : "are"} no level from 1 to 5`);
    if (outside) said.push(`${outside} beyond the grid`);
    if (said.length && count) count.textContent = `${count.textContent} · ${said.join(", ")}`;
  });

  form.addEventListener("reset", () =>
    setTimeout(() => {
      form.querySelectorAll("td input").forEach((input) => put(input, input.dataset.was));
      counted();
    }),
  );
  // Only what differs is sent.
  form.addEventListener("submit", () => {
    const same = [...form.querySelectorAll("td input")].filter((input) => input.value.trim() === input.dataset.was);
    same.forEach((input) => (input.disabled = true));
    addEventListener("pageshow", () => same.forEach((input) => (input.disabled = false)), { once: true });
  });

  const find = form.querySelector("[data-find]");
  find.addEventListener("input", () => {
    const wanted = find.value.trim().toLowerCase();
    for (const row of form.querySelectorAll("tbody tr")) row.hidden = !row.dataset.agent.includes(wanted);
    form.querySelector("[data-nobody]").hidden = rows().length > 0;
  });
  find.addEventListener("keydown", (event) => {
    if (event.key === "Enter") {
      event.preventDefault();
      const first = rows()[0];
      if (first) go(cells(first)[0]);
    }
  });
  counted();
})();
