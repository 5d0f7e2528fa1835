// Finding by typing: one dialog for adding nodes, going to one, leading an exit somewhere, and choosing a prompt.

import { el, icon, play } from "./dom.js";

const MOST = 200;

// Resolves to the value of what was chosen, or to null. `items` have value, title and, if any, help, group, icon, sound.
export function pick({ title, placeholder, items, empty = "Nothing fits." }) {
  return new Promise((resolve) => {
    let found = [];
    let at = 0;
    const list = el("div", { class: "picks", role: "listbox", id: "picks", aria: { label: title } });
    const input = el("input", {
      type: "text",
      placeholder,
      autocomplete: "off",
      spellcheck: false,
      role: "combobox",
      aria: { label: title, controls: "picks", expanded: "true", autocomplete: "list" },
    });
    const box = el("dialog", { class: "picker", aria: { label: title } }, el("div", { class: "picker-search" }, icon("search"), input), list);

    function draw() {
      const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
      const scored = items
        .map((item) => ({ item, score: score(item, words) }))
        .filter((each) => each.score > 0);
      if (words.length) scored.sort((one, other) => other.score - one.score);
      found = scored.slice(0, MOST).map((each) => each.item);
      at = Math.min(at, Math.max(0, found.length - 1));
      let group = null;
      const rows = [];
      found.forEach((item, number) => {
        if (!words.length && item.group && item.group !== group) rows.push(el("div", { class: "picks-group", role: "presentation" }, (group = item.group)));
        rows.push(
          el(
            "div",
            { class: "pick", role: "option", id: `pick-${number}`, aria: { selected: String(number === at) }, onclick: () => choose(number), onpointermove: () => move(number) },
            item.icon && icon(item.icon),
            el("span", {}, el("b", {}, item.title), item.help && el("small", {}, item.help)),
            item.sound &&
              el("button", { type: "button", class: "bare round", tabIndex: -1, aria: { label: `Play ${item.title}` }, onclick: (event) => (event.stopPropagation(), play(item.sound)) }, icon("player-play")),
          ),
        );
      });
      if (scored.length > MOST) rows.push(el("p", { class: "soft small" }, `${scored.length - MOST} more; type to narrow down.`));
      list.replaceChildren(...(rows.length ? rows : [el("p", { class: "soft" }, empty)]));
      input.setAttribute("aria-activedescendant", found.length ? `pick-${at}` : "");
    }
    function move(number) {
      if (!found.length || number === at) return;
      list.querySelector(`#pick-${at}`)?.setAttribute("aria-selected", "false");
      at = (number + found.length) % found.length;
      const row = list.querySelector(`#pick-${at}`);
      row?.setAttribute("aria-selected", "true");
      input.setAttribute("aria-activedescendant", `pick-${at}`);
      return row;
    }
    // At once, so that whoever types on finds the next question in time.
    function choose(number) {
      done(found[number]?.value ?? null);
    }
    function done(value) {
      box.close();
      box.remove();
      resolve(value);
    }
    input.addEventListener("input", () => ((at = 0), draw()));
    box.addEventListener("keydown", (event) => {
      event.stopPropagation();
      if (event.key === "ArrowDown" || event.key === "ArrowUp") {
        event.preventDefault();
        move(at + (event.key === "ArrowDown" ? 1 : -1))?.scrollIntoView({ block: "nearest" });
      } else if (event.key === "Enter" && found.length) {
        event.preventDefault();
        choose(at);
      }
    });
    box.addEventListener("click", (event) => event.target === box && box.close());
    box.addEventListener("close", () => done(null), { once: true });
    document.body.append(box);
    box.showModal();
    input.focus();
    draw();
  });
}

function score(item, words) {
  const title = item.title.toLowerCase();
  const rest = `${item.help || ""} ${item.value} ${item.group || ""} ${item.more || ""}`.toLowerCase();
  let sum = 1;
  for (const word of words) {
    if (title.startsWith(word)) sum += 6;
    else if (title.includes(word)) sum += 3;
    else if (rest.includes(word)) sum += 1;
    else return 0;
  }
  return sum;
}

export function typesToPick(context) {
  const titles = Object.fromEntries(context.groups.map((group) => [group.id, group.title]));
  return Object.values(context.types).map((type) => ({ value: type.type, title: type.title, help: type.help, icon: type.icon, group: titles[type.group] }));
}

export function nodesToPick(model) {
  return Object.entries(model.doc.nodes).map(([name, node]) => ({
    value: name,
    title: node.title || name,
    help: `${model.type(name)?.title || node.type}${node.title ? ` · ${name}` : ""}`,
    icon: model.type(name)?.icon || "alert-triangle",
    more: JSON.stringify(node),
  }));
}
