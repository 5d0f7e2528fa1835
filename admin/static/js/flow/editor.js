// The flow editor: brings the canvas, the panels, the keeping of the draft and the keyboard together.

import { ask, el, icon, page, Refusal, toast, when } from "./dom.js";
import { Form, sentence } from "./form.js";
import { height, nearest } from "./geometry.js";
import { keyboard, showKeys } from "./keyboard.js";
import { Model } from "./model.js";
import { publishing } from "./publishing.js";
import { difference, history, problems, Tests } from "./panels.js";
import { nodesToPick, pick, typesToPick } from "./picker.js";
import { Saver } from "./saver.js";
import { Simulator } from "./simulator.js";
import { Surface } from "./surface.js";
import { Calling } from "./calling.js";

const given = JSON.parse(document.getElementById("flow-data").textContent);
const one = (query) => page.querySelector(query);
const all = (query) => page.querySelectorAll(query);

class Editor {
  constructor() {
    const { work, nodes } = given;
    const { document: doc, problems: found, exits, ...head } = work;
    this.mayChange = page.dataset.mayChange === "1";
    this.zone = page.dataset.zone;
    this.address = `/data/flows/${head.name}`;
    this.types = nodes.types;
    this.model = this.draft = new Model(doc, nodes.types, exits, !this.mayChange);
    this.draft.problems = found;
    this.mode = "draft";
    this.copied = null;
    this.context = {
      types: nodes.types,
      groups: nodes.groups,
      says: nodes.says,
      choices: nodes.choices,
      prompts: new Map(nodes.choices.prompt.map((prompt) => [prompt.value, prompt])),
      figures: null,
      variables: () => this.variables(),
      act: (what) => this.act(what),
      lead: (node, exit) => this.lead(node, exit),
      goTo: (name) => this.goTo(name),
    };
    this.saver = new Saver(this.draft, head);
    this.surface = new Surface(one("[data-canvas]"));
    this.form = new Form(one("[data-panel=node]"), this.context);
    this.tests = new Tests(one("[data-panel=tests]"), this);
    this.simulator = new Simulator(one("[data-panel=try] [data-walk]"), {
      address: () => `${this.address}/walk`,
      more: async () => ({ version: ["published", "past"].includes(this.mode) ? this.viewed : (await this.kept(), null) }),
      zone: this.zone,
      start: () => this.model.only || "",
      testing: this.mayChange ? { flow: head.name, save: (test) => (this.panel("tests"), this.tests.save(test)) } : null,
    });
    this.simulator.addEventListener("path", ({ detail }) => this.surface.light(detail ? detail.path.filter((step) => step.flow === head.name) : []));
    new Calling(one("[data-call]"), this, head.name);
    this.listen();
    this.surface.show(this.model);
    this.surface.open();
    this.form.show(this.model);
    this.bars();
    const asked = new URLSearchParams(location.search);
    const wanted = asked.get("panel");
    this.panel(["problems", "try", "tests", "history"].includes(wanted) ? wanted : this.mayChange ? "node" : "try");
    if (asked.has("node")) this.goTo(asked.get("node"));
    this.statistics();
  }

  listen() {
    for (const event of ["change", "select", "looked"]) this.draft.addEventListener(event, ({ detail }) => this.model === this.draft && this.drawn(event, detail));
    this.saver.addEventListener("state", ({ detail }) => this.stated(detail));
    this.saver.addEventListener("head", () => this.bars());
    this.surface.addEventListener("open", ({ detail }) => (this.panel("node"), this.model.only !== detail.node && this.model.select([detail.node]), this.form.focus()));
    this.surface.addEventListener("wanted", ({ detail }) => this.add(detail.place, detail.from));
    this.surface.addEventListener("lead", ({ detail }) => this.lead(detail.node, detail.exit));
    for (const button of all("[data-act]")) button.addEventListener("click", () => this.act(button.dataset.act));
    for (const tab of all("[data-tab]")) tab.addEventListener("click", () => this.panel(tab.dataset.tab));
    for (const mode of all("[data-mode]")) mode.addEventListener("click", () => this.show(mode.dataset.mode));
    one("[role=tablist]").addEventListener("keydown", (event) => {
      if (event.key !== "ArrowLeft" && event.key !== "ArrowRight") return;
      event.stopPropagation();
      const tabs = [...all("[data-tab]")].filter((tab) => !tab.hidden);
      const at = tabs.indexOf(document.activeElement);
      const next = tabs[(at + (event.key === "ArrowRight" ? 1 : -1) + tabs.length) % tabs.length];
      this.panel(next.dataset.tab);
      next.focus();
    });
    keyboard(this, one("[data-canvas]"));
  }
  drawn(event, detail) {
    this.surface.draw();
    this.form.show(this.model, !!detail?.travelled);
    if (event === "select") {
      if (this.model.only || this.model.wire) this.panel("node", false);
      one("[data-says]").textContent = this.model.only ? this.surface.spoken(this.model.only) : "";
    }
    if (detail?.travelled) one("[data-says]").textContent = `Undone or done again: ${detail.travelled}`;
    this.bars();
    if (this.tab === "problems") problems(one("[data-panel=problems]"), this.model, (name, field) => this.goTo(name, field));
  }

  // --- what stands above the canvas ---

  bars() {
    const { head } = this.saver;
    const model = this.draft;
    const changed = !head.published || this.saver.dirty;
    one("[data-title]").textContent = model.doc.title || head.name;
    const badge = one("[data-state]");
    const [tone, sign, word] = changed ? ["wait", "pencil", head.in_force ? `Draft on top of version ${head.in_force}` : "Draft, never published"] : ["good", "circle-check", `Version ${head.in_force} is in force`];
    badge.className = `badge ${tone}`;
    badge.replaceChildren(icon(sign), word);
    const count = model.problems.length;
    const serious = model.problems.some((problem) => problem.serious);
    const tally = one("[data-problems]");
    tally.textContent = count ? String(count) : "";
    tally.className = `flow-tally ${serious ? "bad" : count ? "wait" : ""}`;
    if (this.mayChange) {
      one("[data-act=undo]").disabled = !model.past.length || this.mode !== "draft";
      one("[data-act=redo]").disabled = !model.future.length || this.mode !== "draft";
      one("[data-act=undo]").title = model.past.length ? `Undo: ${model.past.at(-1).label} (Ctrl+Z)` : "Nothing to undo";
      one("[data-act=redo]").title = model.future.length ? `Do again: ${model.future.at(-1).label} (Ctrl+Y)` : "Nothing to do again";
      one("[data-act=publish]").disabled = !changed;
      for (const act of ["add", "arrange", "duplicate", "delete"]) one(`[data-act=${act}]`).disabled = this.mode !== "draft" || (["duplicate", "delete"].includes(act) && !model.selection.size && !model.wire);
    }
    for (const mode of all("[data-mode]")) {
      mode.setAttribute("aria-pressed", String(mode.dataset.mode === this.mode));
      mode.disabled = (mode.dataset.mode === "published" && !head.in_force) || (mode.dataset.mode === "difference" && (!head.in_force || !changed));
    }
  }
  stated({ state, said }) {
    const words = {
      saved: this.saver.head.published ? "" : `Saved ${when(this.saver.head.saved_at)}`,
      waiting: "Changed…",
      saving: "Saving…",
      away: "Not saved: the server does not answer. Trying again; nothing is lost.",
      refused: `Not saved: ${said}`,
      outdated: "Not saved: somebody else has changed this flow.",
    };
    const place = one("[data-saved]");
    place.textContent = words[state];
    place.classList.toggle("bad", ["away", "refused", "outdated"].includes(state));
    if (state === "outdated") this.conflict(said);
    this.bars();
  }
  banner(...children) {
    const place = one("[data-banner]");
    place.hidden = !children.length;
    place.replaceChildren(...children);
  }
  conflict(said) {
    const theirs = this.saver.theirs;
    if (!theirs) return;
    this.outdated = said;
    const dirty = this.saver.dirty;
    const settle = (act) => async () => {
      await act();
      this.banner();
      if (this.mode !== "draft") this.show("draft");
      this.form.show(this.model, true);
      this.surface.draw();
      this.bars();
    };
    this.banner(
      icon("alert-triangle"),
      el("span", {}, el("b", {}, sentence(said)), dirty ? " Nothing was overwritten. Your changes are still here." : " What you see is older."),
      dirty && el("button", { type: "button", onclick: () => this.both(theirs) }, "Show theirs and mine"),
      el("button", { type: "button", class: dirty ? "" : "main", onclick: settle(() => this.saver.takeTheirs()), title: "Your version can be had back by Undo" }, "Take theirs"),
      dirty && el("button", { type: "button", class: "main", onclick: settle(() => this.saver.keepMine()), title: "Theirs stays in the history" }, "Save mine on top"),
    );
  }
  // Mine beside theirs: what differs, in words and as marks.
  async both(theirs) {
    const { changes } = await ask("POST", "/data/flow-differences", { before: theirs.document, after: this.draft.doc });
    this.marked(changes, theirs.document, `Yours, beside ${theirs.author}’s version ${theirs.version}`, "What you would change of theirs");
  }

  // --- the three views: draft, in force, difference ---

  async show(mode) {
    const { head } = this.saver;
    if (mode === "draft") return this.view("draft", this.draft, null);
    if (!(await this.kept())) return;
    try {
      if (mode === "published") await this.lookAt(head.in_force);
      else await this.compare(head.in_force, this.saver.head.version);
    } catch (fault) {
      toast(fault.message, true);
    }
  }
  view(mode, model, words, marks = new Map()) {
    if (mode === "draft" && this.mode !== mode) this.tests.results.clear(); // they may be of another version
    this.mode = mode;
    this.model = model;
    page.dataset.view = mode;
    if (model !== this.draft) for (const event of ["select"]) model.addEventListener(event, () => this.model === model && this.drawn(event));
    this.surface.figures = mode === "difference" ? null : this.context.figures;
    this.surface.show(model, { marks });
    this.form.show(model, true);
    if (words) this.banner(icon({ published: "circle-check", past: "history" }[mode] || "git-compare"), el("span", {}, words), el("button", { type: "button", onclick: () => this.show("draft") }, this.mayChange ? "Back to the draft" : "Back"));
    else if (this.saver.state === "outdated") this.conflict(this.outdated);
    else this.banner();
    this.bars();
  }
  async lookAt(version) {
    const found = await ask("GET", `${this.address}/versions/${version}`);
    const inForce = version === this.saver.head.in_force;
    this.viewed = version;
    const words = inForce ? `Version ${version}: this is what callers hear now. It is shown to look at; changes are made in the draft.` : `Version ${version}, to look at. Callers ${this.saver.head.in_force ? `hear version ${this.saver.head.in_force}` : "do not hear this flow"}.`;
    this.view(inForce ? "published" : "past", new Model(found.document, this.types, found.exits, true), words);
  }
  async compare(before, after) {
    if (!(await this.kept())) return;
    const [{ changes }, old, now] = await Promise.all([
      ask("GET", `${this.address}/difference?before=${before}&after=${after}`),
      ask("GET", `${this.address}/versions/${before}`),
      ask("GET", `${this.address}/versions/${after}`),
    ]);
    const inForce = before === this.saver.head.in_force ? " (in force)" : "";
    this.marked(changes, old.document, `What differs from version ${before}${inForce} to version ${after}`, `From version ${before} to ${after}`, now);
  }
  marked(changes, before, words, title, now = null) {
    const doc = now ? now.document : this.draft.doc;
    const marks = new Map();
    const next = { ...doc, nodes: { ...doc.nodes }, layout: { ...doc.layout } };
    for (const change of changes) {
      if (!change.node) continue;
      if (change.what === "removed") {
        next.nodes[change.node] = before.nodes[change.node];
        next.layout[change.node] = before.layout?.[change.node] || [0, 0];
      }
      if (!(marks.has(change.node) && change.what === "changed")) marks.set(change.node, change.what);
      if (change.field.startsWith("exits.") && change.after) marks.set(`${change.node} ${change.field.slice(6)}`, "changed");
    }
    const model = new Model(next, this.types, now ? now.exits : this.draft.exits, true);
    this.view("difference", model, words, marks);
    this.panel("difference");
    one("[data-panel=difference]").replaceChildren(el("h2", {}, title), difference(changes, model, (name) => this.goTo(name)));
    one("[data-tab=difference]").hidden = false;
    this.surface.fit();
  }

  // --- panels ---

  panel(name, fetch = true) {
    this.tab = name;
    for (const tab of all("[data-tab]")) {
      tab.setAttribute("aria-selected", String(tab.dataset.tab === name));
      tab.tabIndex = tab.dataset.tab === name ? 0 : -1;
    }
    for (const panel of all("[data-panel]")) panel.hidden = panel.dataset.panel !== name;
    if (name !== "difference" && this.mode !== "difference") one("[data-tab=difference]").hidden = true;
    if (!fetch) return;
    if (name === "problems") problems(one("[data-panel=problems]"), this.model, (node, field) => this.goTo(node, field));
    if (name === "history") history(one("[data-panel=history]"), this);
    if (name === "tests") this.tests.show();
  }
  goTo(name, field = "") {
    if (!this.model.node(name)) return;
    this.model.select([name]);
    this.surface.reveal(name, true);
    if (this.tab !== "problems" || field) this.panel("node", false);
    if (field) requestAnimationFrame(() => one(`.field[data-way="${CSS.escape(field)}"] :is(input, select, textarea, button)`)?.focus());
  }
  light(path) {
    const own = path.filter((name) => this.model.node(name));
    const steps = own.map((node, at) => ({ node, exit: Object.entries(this.model.node(node).exits || {}).find(([, target]) => target === own[at + 1])?.[0] }));
    this.surface.light(steps);
  }
  async statistics() {
    try {
      const found = await ask("GET", `${this.address}/statistics?days=7`);
      if (!Object.keys(found.nodes).length) return;
      this.context.figures = found.nodes;
      this.surface.figures = found.nodes;
      this.surface.draw();
      this.form.show(this.model);
    } catch (fault) {
      if (!(fault instanceof Refusal)) throw fault;
    }
  }
  variables() {
    const found = new Set(this.context.choices.told);
    for (const node of Object.values(this.model.doc.nodes)) {
      if (typeof node.variable === "string" && node.variable) found.add(node.variable);
      for (const part of [node.values, node.add, node.results]) if (part && typeof part === "object") Object.keys(part).forEach((name) => found.add(name));
    }
    return [...found].sort();
  }

  // --- what is done ---

  async kept() {
    if (!this.mayChange || (await this.saver.flush())) return true;
    if (this.saver.state !== "outdated") toast("The last changes are not saved yet; try again in a moment.", true);
    return false;
  }
  async act(what) {
    const model = this.model;
    const acts = {
      undo: () => model.undo(),
      redo: () => model.redo(),
      delete: () => model.remove(),
      duplicate: () => model.selection.size && model.paste(model.copied()),
      copy: () => this.copy(),
      cut: () => (this.copy(), model.remove()),
      all: () => model.select(Object.keys(model.doc.nodes)),
      add: () => this.add(),
      search: () => this.search(),
      fit: () => this.surface.fit(),
      larger: () => this.surface.by(1.25),
      smaller: () => this.surface.by(0.8),
      arrange: () => this.arrange(),
      publish: () => this.publish(),
      check: () => this.check(),
      keys: () => showKeys(),
    };
    if (["undo", "redo", "delete", "duplicate", "cut", "add", "arrange"].includes(what) && model.readOnly) return;
    await acts[what]?.();
  }
  copy() {
    if (!this.model.selection.size) return;
    this.copied = this.model.copied();
    // Also for another flow, in another window; where the browser does not allow it, within this one.
    navigator.clipboard?.writeText(JSON.stringify(this.copied)).catch(() => {});
    toast(`${this.model.selection.size === 1 ? "One node is" : `${this.model.selection.size} nodes are`} copied.`);
  }
  paste(text) {
    let copied = this.copied;
    try {
      const read = JSON.parse(text);
      if (read?.pointsman === "nodes" && typeof read.nodes === "object") copied = read;
    } catch {
      // Something else is in the clipboard; what was copied here counts.
    }
    if (copied && !this.model.readOnly) this.model.paste(copied);
  }
  async add(place = null, from = null) {
    const selected = this.model.only;
    const type = await pick({ title: from ? `Add a node behind “${this.model.title(from.node)}”` : "Add a node", placeholder: "Type what it does: say, menu, queue, hours…", items: typesToPick(this.context) });
    if (!type) return;
    const where = place || this.free(from?.node || selected);
    if (!place && !from && selected) {
      // The next thing a call does usually stands behind what is selected.
      const free = this.model.exitsOf(selected).find((exit) => exit.must && !(this.model.node(selected).exits || {})[exit.name]);
      from = free ? { node: selected, exit: free.name } : null;
    }
    const name = this.model.add(type, where, from);
    this.panel("node", false);
    this.surface.reveal(name);
    this.form.show(this.model, true);
    this.form.focus();
  }
  // Where a new node has room: to the right of the one it comes behind, else in the middle of what is seen.
  free(behind) {
    let [x, y] = behind ? this.model.place(behind) : this.surface.middle;
    if (behind) x += 300;
    const taken = Object.keys(this.model.doc.nodes).map((name) => [...this.model.place(name), height(this.surface.rows(name).length)]);
    for (let hit; (hit = taken.find(([a, b, tall]) => Math.abs(a - x) < 230 && y < b + tall + 20 && y + 100 > b)); ) y = hit[1] + hit[2] + 24;
    return [x, y];
  }
  async lead(node, exit) {
    if (this.model.readOnly) return;
    const items = [{ value: " new", title: "A new node…", icon: "plus" }, { value: " none", title: "Nowhere", icon: "x" }, ...nodesToPick(this.model)];
    const title = this.model.exitsOf(node).find((each) => each.name === exit)?.title || exit;
    const chosen = await pick({ title: `Where “${title}” leads`, placeholder: "A node’s title or name", items });
    if (chosen === " new") {
      await this.add(null, { node, exit });
    } else if (chosen) this.model.connect(node, exit, chosen === " none" ? "" : chosen);
    this.form.show(this.model, true);
  }
  async search() {
    const name = await pick({ title: "Find a node", placeholder: "Title, name, prompt, queue…", items: nodesToPick(this.model), empty: "No node holds these words." });
    if (name) this.goTo(name);
    one("[data-canvas]").focus();
  }
  async arrange() {
    const { layout } = await ask("POST", "/data/flow-layouts", { document: this.model.doc });
    this.model.edit("Arrange", (next) => (next.layout = layout));
    this.surface.fit();
  }
  step(dx, dy) {
    const from = this.model.only || [...this.model.selection][0];
    const name = from ? nearest(this.model, from, dx, dy) : this.model.doc.start;
    if (!name || !this.model.node(name)) return;
    this.model.select([name]);
    this.surface.reveal(name);
  }
}

Object.assign(Editor.prototype, publishing);
new Editor();
