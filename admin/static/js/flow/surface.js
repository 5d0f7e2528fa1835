// The canvas: cards and lines, panned and zoomed, of which only what can be seen is drawn.

import { el, icon, svg } from "./dom.js";
import { bounds, entry, HEAD, height, line, outlet, shown, WIDTH } from "./geometry.js";
import { gestures } from "./gestures.js";

const FAR = 0.42; // below this scale cards are drawn without words
const LEAST = 0.01;
const LEAST_FIT = 0.03; // what is smaller shows nothing to anybody
const MOST = 2;

export class Surface extends EventTarget {
  constructor(root) {
    super();
    this.root = root;
    this.wires = svg("g");
    this.drawn = svg("svg", { class: "wires", "aria-hidden": "true" }, svg("defs", {}, arrow("arrow"), arrow("arrow-lit")), this.wires);
    this.cards = el("div", { class: "cards" });
    this.band = el("div", { class: "band", hidden: true });
    root.replaceChildren(this.drawn, this.cards, this.band);
    this.view = { x: 0, y: 0, k: 1 };
    this.elements = new Map();
    this.lit = { nodes: new Set(), wires: new Set(), at: null };
    this.marks = new Map();
    this.figures = null;
    this.zoom = d3
      .zoom()
      .scaleExtent([LEAST, MOST])
      .filter((event) => (event.type === "wheel" ? true : !event.button && !event.shiftKey && !event.target.closest(".card, .wire, .canvas-note")))
      .on("zoom", ({ transform }) => this.moved(transform));
    d3.select(root).call(this.zoom).on("dblclick.zoom", null);
    new ResizeObserver(() => this.draw()).observe(root);
    gestures(this);
  }

  // Show a model in place of the one before.
  show(model, { marks = new Map() } = {}) {
    this.model = model;
    this.marks = marks;
    this.elements.clear();
    this.cards.replaceChildren();
    this.root.classList.toggle("read-only", model.readOnly);
    this.draw();
  }

  // --- where one looks ---

  moved(transform) {
    this.view = transform;
    const { x, y, k } = transform;
    this.cards.style.transform = `translate(${x}px, ${y}px) scale(${k})`;
    this.wires.setAttribute("transform", `translate(${x},${y}) scale(${k})`);
    this.root.style.setProperty("--grid", `${24 * k}px`);
    this.root.style.setProperty("--grid-x", `${x}px`);
    this.root.style.setProperty("--grid-y", `${y}px`);
    this.root.classList.toggle("no-grid", k < FAR);
    if (!this.model) return;
    const seen = this.seen();
    const inside = this.field && seen.left >= this.field.left && seen.right <= this.field.right && seen.top >= this.field.top && seen.bottom <= this.field.bottom;
    if (!inside || k < FAR !== this.far) this.later();
  }
  later() {
    if (this.waiting) return;
    this.waiting = requestAnimationFrame(() => {
      this.waiting = null;
      this.draw();
    });
  }
  seen() {
    const { x, y, k } = this.view;
    return { left: -x / k, top: -y / k, right: (this.root.clientWidth - x) / k, bottom: (this.root.clientHeight - y) / k };
  }
  // A point of the window in the canvas's measure.
  at(clientX, clientY) {
    const field = this.root.getBoundingClientRect();
    return [(clientX - field.left - this.view.x) / this.view.k, (clientY - field.top - this.view.y) / this.view.k];
  }
  get middle() {
    const seen = this.seen();
    return [(seen.left + seen.right) / 2 - WIDTH / 2, (seen.top + seen.bottom) / 2 - HEAD];
  }
  go(x, y, k, quick = false) {
    const target = d3.zoomIdentity.translate(x, y).scale(k);
    const calm = quick || matchMedia("(prefers-reduced-motion: reduce)").matches;
    const root = d3.select(this.root);
    (calm ? root : root.transition().duration(180)).call(this.zoom.transform, target);
  }
  fit(quick = false) {
    const field = bounds(this.model);
    const [width, high] = [this.root.clientWidth, this.root.clientHeight];
    const k = Math.max(LEAST_FIT, Math.min(1, (width - 60) / field.width, (high - 60) / field.height));
    const start = this.model.doc.start;
    if (this.model.node(start) && (field.width * k > width || field.height * k > high)) {
      const [x, y] = this.model.place(start);
      return this.go(30 - x * k, high / 2 - y * k, k, quick);
    }
    this.go((width - field.width * k) / 2 - field.x * k, (high - field.height * k) / 2 - field.y * k, k, quick);
  }
  // The beginning of the flow at a size that can be read, or all of it where it is small.
  open() {
    const field = bounds(this.model);
    const [width, high] = [this.root.clientWidth, this.root.clientHeight];
    const k = Math.min(1, (width - 60) / field.width, (high - 60) / field.height);
    if (k >= 0.55) return this.fit(true);
    const start = this.model.node(this.model.doc.start) ? this.model.place(this.model.doc.start) : [field.x, field.y];
    this.go(40 - start[0] * 0.75, high / 2 - (start[1] + 60) * 0.75, 0.75, true);
  }
  by(factor) {
    d3.select(this.root).call(this.zoom.scaleBy, factor);
  }
  // Bring a node into view, and no further than needed.
  reveal(name, always = false) {
    const [x, y] = this.model.place(name);
    const seen = this.seen();
    const tall = height(this.rows(name).length);
    const k = this.view.k < FAR ? 0.8 : this.view.k;
    if (!always && this.view.k >= FAR && x > seen.left && x + WIDTH < seen.right && y > seen.top && y + tall < seen.bottom) return;
    this.go(this.root.clientWidth / 2 - (x + WIDTH / 2) * k, this.root.clientHeight / 2 - (y + tall / 2) * k, k);
  }

  // --- what is drawn ---

  rows(name) {
    return shown(this.model, name, this.model.only === name && !this.model.readOnly);
  }
  placeOf(name) {
    const [x, y] = this.model.place(name);
    const drag = this.dragged;
    return drag?.names.has(name) ? [x + drag.dx, y + drag.dy] : [x, y];
  }
  draw() {
    if (!this.model || !this.root.clientWidth) return;
    const { k } = this.view;
    this.far = k < FAR;
    this.root.classList.toggle("far", this.far);
    this.root.classList.toggle("farthest", k < 0.14);
    const seen = this.seen();
    const [wide, high] = [(seen.right - seen.left) * 0.4, (seen.bottom - seen.top) * 0.4];
    this.field = { left: seen.left - wide, right: seen.right + wide, top: seen.top - high, bottom: seen.bottom + high };
    const visible = new Set();
    for (const name of Object.keys(this.model.doc.nodes)) {
      const [x, y] = this.placeOf(name);
      if (x < this.field.right && x + WIDTH > this.field.left && y < this.field.bottom && y + 300 > this.field.top) visible.add(name);
    }
    for (const [name, drawn] of this.elements) {
      if (visible.has(name)) continue;
      if (drawn.element.contains(document.activeElement)) this.root.focus({ preventScroll: true });
      drawn.element.remove();
      this.elements.delete(name);
    }
    for (const name of visible) this.card(name);
    this.lines();
  }
  card(name) {
    const node = this.model.node(name);
    const stamp = this.stamp(name, node);
    let drawn = this.elements.get(name);
    if (!drawn || drawn.node !== node || drawn.stamp !== stamp) {
      const element = this.far ? this.block(name, node) : this.whole(name, node);
      if (drawn) drawn.element.replaceWith(element);
      else this.cards.append(element);
      drawn = { element, node, stamp };
      this.elements.set(name, drawn);
    }
    const [x, y] = this.placeOf(name);
    drawn.element.style.transform = `translate(${x}px, ${y}px)`;
    drawn.element.classList.toggle("chosen", this.model.selection.has(name));
    drawn.element.classList.toggle("lit", this.lit.nodes.has(name));
    drawn.element.classList.toggle("here", this.lit.at === name);
  }
  // All that a card's looks depend on beside its node.
  stamp(name, node) {
    const problems = this.model.problemsOf(name);
    return [
      this.far,
      this.model.only === name,
      problems.map((problem) => problem.fault + problem.exit).join(),
      (this.model.exits[name] || []).map((exit) => exit.name).join(),
      this.model.doc.start === name,
      this.marks.get(name) || "",
      this.figures ? JSON.stringify(this.figures[name] || 0) : "",
      node.type,
    ].join("|");
  }
  classes(name, node) {
    const problems = this.model.problemsOf(name);
    const fault = problems.some((problem) => problem.serious) ? "faulty" : problems.length ? "noted" : "";
    return `card group-${this.model.type(name)?.group || "none"} ${fault} ${this.marks.get(name) ? `mark-${this.marks.get(name)}` : ""}`;
  }
  block(name, node) {
    const element = el("div", { class: this.classes(name, node), data: { node: name }, title: this.model.title(name) }, el("b", { class: "block-title" }, this.model.title(name)));
    element.style.height = `${height(this.rows(name).length)}px`;
    return element;
  }
  whole(name, node) {
    const type = this.model.type(name);
    const problems = this.model.problemsOf(name);
    const figures = this.figures?.[name];
    const serious = problems.some((problem) => problem.serious);
    return el(
      "div",
      { class: this.classes(name, node), data: { node: name }, role: "group", aria: { label: this.spoken(name) } },
      el(
        "div",
        { class: "card-head" },
        el("span", { class: "card-icon" }, icon(type?.icon || "alert-triangle")),
        el("span", { class: "card-words" }, el("b", {}, this.model.title(name)), el("small", {}, summary(node, type))),
        this.model.doc.start === name && el("span", { class: "card-start", title: "Callers begin here" }, icon("flag", "s")),
        problems.length > 0 && el("span", { class: serious ? "card-mark bad" : "card-mark wait", title: problems.map((p) => p.fault).join("\n") }, icon(serious ? "alert-circle" : "info-circle", "s")),
        this.marks.get(name) && el("span", { class: `badge ${MARKS[this.marks.get(name)].tone}` }, MARKS[this.marks.get(name)].word),
      ),
      figures && el("div", { class: "card-figures", title: told(figures) }, el("span", {}, visits(figures)), el("span", {}, stay(figures)), figures.hung_up > 0 && el("span", { class: "left-here" }, `${figures.hung_up} hung up`)),
      this.rows(name).map((exit) => this.exit(name, node, exit, problems, figures)),
    );
  }
  exit(name, node, exit, problems, figures) {
    const leads = (node.exits || {})[exit.name];
    const faulty = problems.some((problem) => problem.exit === exit.name && problem.serious);
    const state = leads ? "" : exit.ends ? "ends" : exit.falls_to ? "falls" : "open";
    const count = figures?.exits?.[exit.name];
    return el(
      "div",
      { class: `exit ${state} ${faulty ? "faulty" : ""}`, data: { exit: exit.name } },
      el("span", { class: /^[0-9*#]{1,8}$/.test(exit.name) ? "exit-key" : "exit-name" }, exitName(exit)),
      count ? el("span", { class: "exit-count" }, String(count)) : state === "ends" && el("small", {}, "ends"),
      el("i", { class: "port", title: leads ? "Drag to lead it elsewhere" : "Drag to a node to connect" }),
    );
  }
  spoken(name) {
    const problems = this.model.problemsOf(name).length;
    const exits = Object.values(this.model.node(name).exits || {}).filter(Boolean).length;
    return `${this.model.title(name)}, ${this.model.type(name)?.title || this.model.node(name).type}, ${exits} connected ${exits === 1 ? "exit" : "exits"}${problems ? `, ${problems} ${problems === 1 ? "problem" : "problems"}` : ""}`;
  }
  lines() {
    const { left, right, top, bottom } = this.field;
    const paths = [];
    const plain = [];
    for (const [name, node] of Object.entries(this.model.doc.nodes)) {
      if (!node.exits) continue;
      const from = this.placeOf(name);
      let rows = null;
      for (const [exit, target] of Object.entries(node.exits)) {
        if (!target || !this.model.doc.nodes[target]) continue;
        const to = this.placeOf(target);
        if (Math.max(from[0] + WIDTH, to[0]) < left || Math.min(from[0], to[0]) > right) continue;
        if (Math.max(from[1], to[1]) + 400 < top || Math.min(from[1], to[1]) > bottom) continue;
        rows ||= this.rows(name).map((each) => each.name);
        const way = line(outlet(from, Math.max(0, rows.indexOf(exit))), entry(to));
        const chosen = this.model.wire?.node === name && this.model.wire.exit === exit;
        const lit = this.lit.wires.has(`${name} ${exit}`);
        const mark = this.marks.get(`${name} ${exit}`) || "";
        if (this.far && !chosen && !lit && !mark) plain.push(way);
        else paths.push({ way, name, exit, chosen, lit, mark, error: exit === "error" });
      }
    }
    const made = paths.map((path) => {
      const about = { d: path.way, class: `way ${path.chosen ? "chosen" : ""} ${path.lit ? "lit" : ""} ${path.error ? "error" : ""} ${path.mark && `mark-${path.mark}`}`, "marker-end": `url(#${path.lit || path.chosen ? "arrow-lit" : "arrow"})` };
      const group = svg("g", { class: "wire" }, svg("path", { d: path.way, class: "reach" }), svg("path", about));
      group.dataset.node = path.name;
      group.dataset.exit = path.exit;
      return group;
    });
    if (plain.length) made.unshift(svg("path", { d: plain.join(""), class: "way" }));
    if (this.pulled) made.push(svg("path", { d: this.pulled, class: "way pulled" }));
    this.wires.replaceChildren(...made);
  }

  // Light the way a call took: `path` is [{node, exit}], the last one being where it is.
  light(path) {
    this.lit = { nodes: new Set(), wires: new Set(), at: path.at(-1)?.node || null };
    for (const step of path) {
      this.lit.nodes.add(step.node);
      if (step.exit) this.lit.wires.add(`${step.node} ${step.exit}`);
    }
    this.draw();
  }
}

export const MARKS = {
  added: { word: "new", tone: "good" },
  removed: { word: "removed", tone: "bad" },
  changed: { word: "changed", tone: "wait" },
  renamed: { word: "renamed", tone: "wait" },
};

export function exitName(exit) {
  return exit.title || exit.name;
}

// How long half of them and 95 of 100 stay at most.
function stay({ p50, p95 }) {
  const [half, most] = [Math.round(p50), Math.round(p95)];
  return half === most ? `${half} s` : `${half}–${most} s`;
}
function visits(figures) {
  return `${figures.entries} ${figures.entries === 1 ? "visit" : "visits"}`;
}

export function told(figures) {
  const callers = `${figures.callers} ${figures.callers === 1 ? "caller" : "callers"}`;
  const dwell = `half stay below ${Math.round(figures.p50)} s, 95 % below ${Math.round(figures.p95)} s`;
  return `The last 7 days: ${visits(figures)} by ${callers}; ${dwell}; ${figures.hung_up} hung up here`;
}

// One line of what a node holds.
export function summary(node, type) {
  const first = (prompts) => (prompts || []).map((each) => (typeof each === "string" ? each : each.say)).join(", ").replaceAll("_", " ");
  const said =
    node.queue || node.flow || node.calendar || node.extension || node.box || node.number || node.name || node.url || first(node.prompts) || (node.extensions || []).join(", ") || node.variable || "";
  return type ? (said ? `${type.title} · ${said}` : type.title) : `${node.type}: unknown type`;
}

function arrow(id) {
  return svg("marker", { id, viewBox: "0 0 8 8", refX: 1, refY: 4, markerWidth: 7, markerHeight: 7, orient: "auto" }, svg("path", { d: "M0 0.5L7 4L0 7.5z" }));
}
