// The whole editor by keyboard. The canvas has the keys while it has the focus; a few work everywhere on the page.

import { el, page } from "./dom.js";

const KEYS = [
  ["Arrows", "Go to the next node in that direction"],
  ["Enter, Esc", "Change what the selected node does, and back to the canvas"],
  ["A", "Add a node (behind the selected one)"],
  ["L", "Lead the next open exit of the selected node somewhere"],
  ["Delete", "Delete what is selected"],
  ["Alt + arrows", "Move what is selected"],
  ["Ctrl + Z, Ctrl + Y", "Undo, do again"],
  ["Ctrl + C, X, V, D", "Copy, cut, paste, duplicate"],
  ["Ctrl + A, Esc", "Select all, nothing"],
  ["F or Ctrl + F", "Find a node"],
  ["0, +, −", "Show all, larger, smaller"],
  ["P", "The problems"],
  ["T", "Try it"],
  ["Shift + drag", "Select by a frame"],
  ["?", "These keys"],
];
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

export function keyboard(editor, canvas) {
  canvas.addEventListener("keydown", (event) => {
    if (event.target !== canvas) return;
    const name = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    const held = event.ctrlKey || event.metaKey;
    const run = (act) => {
      event.preventDefault();
      event.stopPropagation();
      act();
    };
    if (ARROWS[name] && event.altKey) return run(() => move(editor, ...ARROWS[name]));
    if (ARROWS[name] && !held) return run(() => editor.step(...ARROWS[name]));
    if (held || event.altKey) {
      const acts = { a: "all", c: "copy", x: "cut", d: "duplicate" };
      if (held && acts[name]) return run(() => editor.act(acts[name]));
      return undefined;
    }
    const acts = {
      Enter: () => editor.model.only && (editor.panel("node"), editor.form.focus()),
      Delete: () => editor.act("delete"),
      Backspace: () => editor.act("delete"),
      Escape: () => editor.model.select([]),
      a: () => editor.act("add"),
      l: () => lead(editor),
      f: () => editor.act("search"),
      p: () => editor.panel("problems"),
      t: () => editor.panel("try"),
      0: () => editor.act("fit"),
      "+": () => editor.act("larger"),
      "=": () => editor.act("larger"),
      "-": () => editor.act("smaller"),
      "?": () => showKeys(),
    };
    return acts[name] ? run(acts[name]) : undefined;
  });
  document.addEventListener("keydown", (event) => {
    if (!(event.ctrlKey || event.metaKey) || document.querySelector("dialog[open]")) return;
    const typing = event.target.closest?.("input, textarea, select");
    const name = event.key.toLowerCase();
    const act = name === "z" ? (event.shiftKey ? "redo" : "undo") : name === "y" ? "redo" : name === "f" ? "search" : null;
    // In a field its own undo comes first.
    if (!act || (typing && act !== "search")) return;
    event.preventDefault();
    editor.act(act);
  });
  page.querySelector(".flow-side").addEventListener("keydown", (event) => {
    if (event.key === "Escape") canvas.focus();
  });
  document.addEventListener("paste", (event) => {
    if (event.target.closest?.("input, textarea, dialog") || !page.contains(document.activeElement)) return;
    event.preventDefault();
    editor.paste(event.clipboardData?.getData("text") || "");
  });
}

function move(editor, dx, dy) {
  const names = [...editor.model.selection];
  if (names.length && !editor.model.readOnly) editor.model.move(names, dx * 20, dy * 20);
}

function lead(editor) {
  const name = editor.model.only;
  if (!name) return;
  const exits = editor.model.exitsOf(name);
  const free = exits.find((exit) => exit.must && !(editor.model.node(name).exits || {})[exit.name]) || exits[0];
  if (free) editor.lead(name, free.name);
}

export function showKeys() {
  const box = el(
    "dialog",
    { aria: { label: "Keys" } },
    el("h2", {}, "Keys"),
    el("dl", { class: "facts keys-list" }, KEYS.flatMap(([keys, said]) => [el("dt", {}, el("kbd", {}, keys)), el("dd", {}, said)])),
    el("form", { method: "dialog" }, el("footer", {}, el("button", { class: "main" }, "Close"))),
  );
  box.addEventListener("close", () => box.remove());
  document.body.append(box);
  box.showModal();
}
