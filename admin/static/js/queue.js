// A queue's form: rows of lists come and go, and a number outside is asked for where it is chosen.
"use strict";

(() => {
  const form = document.querySelector("[data-rows]");
  if (!form) return;
  const filled = (row) => [...row.querySelectorAll("input, select")].some((field) => field.value.trim());

  // Each list ends with one empty row; filling it in brings the next.
  function spare(list) {
    const rows = [...list.tBodies[0].rows];
    rows.forEach((row, place) => row.classList.toggle("spare", place === rows.length - 1 && !filled(row)));
    const last = rows.at(-1);
    if (!filled(last)) return;
    const name = list.dataset.list;
    const next = Math.max(...rows.map((row) => Number(row.querySelector("[name]").name.slice(name.length + 1).split(".")[0]))) + 1;
    const fresh = last.cloneNode(true);
    fresh.querySelectorAll(".fault").forEach((fault) => fault.remove());
    for (const field of fresh.querySelectorAll("[name]")) {
      field.name = name + "." + next + field.name.slice(name.length + 1).replace(/^\d+/, "");
      if (field.id) field.id = field.name;
      field.removeAttribute("aria-invalid");
      if (field.tagName === "SELECT") field.selectedIndex = 0;
      else field.value = "";
    }
    list.tBodies[0].append(fresh);
    spare(list);
  }
  const lists = [...form.querySelectorAll("table[data-list]")];
  lists.forEach(spare);
  for (const kind of ["input", "change"])
    form.addEventListener(kind, (event) => {
      const list = event.target.closest("table[data-list]");
      if (list) spare(list);
    });
  form.addEventListener("click", (event) => {
    const row = event.target.closest("[data-drop]")?.closest("tr");
    if (!row) return;
    const list = row.closest("table[data-list]");
    const near = row.nextElementSibling || row.previousElementSibling;
    row.remove();
    form.dataset.changed = "1";
    spare(list);
    near?.querySelector("input, select")?.focus();
  });

  // "A number outside …" becomes a field to type it into; what is typed is sent as the destination.
  form.addEventListener("change", (event) => {
    const select = event.target;
    const asked = select.selectedOptions?.[0]?.dataset.asks;
    if (!asked) return;
    const field = document.createElement("input");
    field.type = "tel";
    field.placeholder = asked;
    field.setAttribute("aria-label", asked);
    select.after(field);
    select.hidden = true;
    field.focus();
    field.addEventListener("input", () => (select.selectedOptions[0].value = `number:${field.value.trim()}`));
    field.addEventListener("blur", () => {
      if (field.value.trim()) {
        const option = new Option(`Number ${field.value.trim()}`, `number:${field.value.trim()}`, true, true);
        select.selectedOptions[0].value = "number:";
        select.add(option);
        option.selected = true;
      } else select.selectedIndex = 0;
      select.hidden = false;
      field.remove();
    });
  });

  // A part with a fault in it stands open.
  form.querySelectorAll("details.part").forEach((part) => {
    if (part.querySelector(".fault")) part.open = true;
  });
})();
