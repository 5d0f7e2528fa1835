// The panel of what is selected: a node's form made from its type, its exits, its figures; or the flow's own settings.

import { button, el, icon, key } from "./dom.js";
import { blank, field, wanted } from "./fields.js";
import { nodesToPick, pick } from "./picker.js";
import { told } from "./surface.js";

export class Form {
  constructor(root, context) {
    this.root = root;
    this.context = context;
    this.shown = null;
    this.open = false; // whether the rarer settings are open
  }

  // Draw anew unless what is shown is being typed in.
  show(model, force = false) {
    const name = model.only;
    const about = name ? `node ${name}` : model.selection.size ? `many ${model.selection.size}` : model.wire ? `wire ${model.wire.node} ${model.wire.exit}` : "flow";
    const typing = this.root.contains(document.activeElement) && document.activeElement.matches("input:not([type=checkbox]), textarea");
    if (!force && typing && this.shown === about && this.model === model) return this.refresh(model);
    const held = this.shown === about && this.root.contains(document.activeElement) ? this.places().indexOf(document.activeElement) : -1;
    const scrolled = this.shown === about ? this.root.scrollTop : 0;
    this.shown = about;
    this.model = model;
    const made = name ? this.node(model, name) : model.selection.size ? this.many(model) : model.wire ? this.wire(model) : this.flow(model);
    this.root.replaceChildren(...made);
    if (model.readOnly) for (const each of this.root.querySelectorAll("input, select, textarea, button:not([data-play])")) each.disabled = !each.closest(".exit-go");
    this.root.scrollTop = scrolled;
    if (held >= 0) this.places()[Math.min(held, this.places().length - 1)]?.focus();
  }
  places() {
    return [...this.root.querySelectorAll("input, select, textarea, button")];
  }
  focus() {
    this.root.querySelector("input, select, textarea")?.focus();
  }
  // While somebody types only the faults and the exits are drawn anew.
  refresh(model) {
    const name = model.only;
    if (!name) return;
    const faults = faultsOf(model, name);
    const exits = this.root.querySelector("ul.exits");
    if (exits) exits.replaceWith(this.exits(model, name, model.type(name), model.problemsOf(name)).querySelector("ul.exits"));
    for (const place of this.root.querySelectorAll(".field[data-way]")) {
      const fault = faults[place.dataset.way];
      place.querySelector(":scope > div > .fault, :scope > .fault")?.remove();
      const control = place.querySelector(":scope > input, :scope > select, :scope > textarea");
      if (control) control.setAttribute("aria-invalid", String(!!fault));
      if (fault) (place.querySelector(":scope > div:last-child") || place).prepend(el("div", { class: "fault" }, icon("alert-circle", "s"), fault));
    }
  }

  node(model, name) {
    const node = model.node(name);
    const type = model.type(name);
    const faults = faultsOf(model, name);
    const problems = model.problemsOf(name);
    if (!type) return [el("p", {}, `${node.type} is no type of node that this version knows.`), this.deleting(model, "Delete node")];
    const set = (each) => (value, whole) => {
      const normal = value !== undefined && JSON.stringify(value) === JSON.stringify(each.default) && !each.required ? undefined : value;
      model.patch(name, { [each.name]: normal === undefined && each.required ? blank(each) : normal }, `Change ${each.title.toLowerCase()}`, `${name}.${each.name}`);
      if (whole) this.show(model, true);
    };
    const usual = type.fields.filter((each) => !each.advanced && wanted(each, node, type.fields));
    const rare = type.fields.filter((each) => each.advanced && wanted(each, node, type.fields));
    const draw = (each) => field(this.context, each, node[each.name], set(each), faults);
    const rareOpen = this.open || rare.some((each) => Object.keys(faults).some((way) => way.split(".")[0] === each.name));
    return [
      el("header", { class: "form-head" }, el("span", { class: `card-icon group-${type.group}` }, icon(type.icon)), el("div", {}, el("b", {}, type.title), el("p", { class: "help" }, type.help))),
      problems.filter((problem) => !problem.field).map((problem) => problemNote(problem)),
      field(this.context, { name: "title", title: "Title", widget: "text", longest: 200, help: "" }, node.title, (value) => model.patch(name, { title: value || undefined }, "Change title", `${name}.title`)),
      ...usual.map(draw),
      this.exits(model, name, type, problems),
      el(
        "details",
        { class: "rare", open: rareOpen, ontoggle: (event) => (this.open = event.target.open) },
        el("summary", {}, "More settings"),
        ...rare.map(draw),
        this.naming(model, name),
      ),
      this.figures(name),
      el(
        "footer",
        { class: "form-foot" },
        model.doc.start !== name && button("Callers begin here", { onclick: () => model.edit("Change where callers begin", (next) => (next.start = name)) }, "flag"),
        button("Duplicate", { onclick: () => this.context.act("duplicate") }, "copy"),
        this.deleting(model, "Delete"),
      ),
    ].flat();
  }
  naming(model, name) {
    const input = el("input", {
      type: "text",
      value: name,
      id: "node-name",
      maxLength: 60,
      pattern: "[a-z0-9][a-z0-9_]*",
      onchange: () => {
        if (input.value && input.value !== name) model.rename(name, input.value);
      },
    });
    return el("div", { class: "field" }, el("label", { htmlFor: "node-name" }, "Name"), input, el("div", { class: "help" }, "As reports and tests call this node. Small letters, digits and _ only."));
  }
  figures(name) {
    const figures = this.context.figures?.[name];
    if (!figures) return [];
    const calls = (exit) => `/reports/ivr-record?${new URLSearchParams({ period: "7d", flow: this.model.doc.name, node: name, ...(exit ? { exit } : {}) })}`;
    return el("div", { class: "notice" }, icon("chart-bar"), el("div", {}, el("p", {}, `${told(figures)}.`), el("p", {}, el("a", { href: calls() }, "These calls"), figures.hung_up > 0 && [" · ", el("a", { href: calls("hung_up") }, "Who hung up here")])));
  }

  exits(model, name, type, problems) {
    const node = model.node(name);
    const exits = node.exits || {};
    const rows = model.exitsOf(name).map((exit) => {
      const target = exits[exit.name];
      const own = exit.name in exits && type.more_exits && new RegExp(`^(?:${type.more_exits.pattern})$`).test(exit.name);
      const otherwise = exit.ends ? "the call may end here" : exit.falls_to ? `as ${titleOf(model, name, exit.falls_to)}` : exit.returns ? "back to where they came from" : "nowhere yet";
      const fault = problems.find((problem) => problem.exit === exit.name);
      return el(
        "li",
        { class: fault?.serious ? "faulty" : "" },
        el("span", { class: "exit-title" }, exit.title || exit.name),
        el(
          "span",
          { class: "exit-to" },
          el("button", { type: "button", class: target ? "exit-lead" : "exit-lead none", title: "Choose where it leads", aria: { label: `${exit.title || exit.name} leads ${target ? `to ${model.title(target)}` : otherwise}; choose another` }, onclick: () => this.context.lead(name, exit.name) }, target ? model.title(target) : otherwise),
          target && key("arrow-right-circle", `Go to ${model.title(target)}`, { class: "exit-go", onclick: () => this.context.goTo(target) }),
          target && key("x", "Lead it nowhere", { onclick: () => model.connect(name, exit.name, "") }),
          own && !target && key("trash", `Remove ${exit.name}`, { onclick: () => model.removeExit(name, exit.name) }),
        ),
        fault && el("div", { class: "fault" }, icon(fault.serious ? "alert-circle" : "info-circle", "s"), fault.fault),
      );
    });
    return el("div", { class: "field exits-field" }, el("div", { class: "label" }, "Leads to"), el("ul", { class: "exits" }, rows), type.more_exits && this.moreExits(model, name, type.more_exits));
  }
  moreExits(model, name, more) {
    const input = el("input", { type: "text", maxLength: 40, placeholder: more.title, aria: { label: more.title }, autocomplete: "off" });
    const add = () => {
      const wantedName = input.value.trim();
      if (!new RegExp(`^(?:${more.pattern})$`).test(wantedName)) {
        input.setCustomValidity(more.help || "This cannot be the name of an exit.");
        input.reportValidity();
        return;
      }
      if (!(wantedName in (model.node(name).exits || {}))) {
        model.edit(`Add ${more.title.toLowerCase()}`, (next) => {
          next.nodes[name] = { ...next.nodes[name], exits: { ...(next.nodes[name].exits || {}), [wantedName]: "" } };
        });
        this.show(model, true);
        this.root.querySelector(".more-exit input")?.focus();
      }
    };
    input.addEventListener("input", () => input.setCustomValidity(""));
    input.addEventListener("keydown", (event) => event.key === "Enter" && (event.preventDefault(), add()));
    return el("div", { class: "more-exit" }, input, button("Add", { onclick: add }, "plus"), more.help && el("div", { class: "help" }, more.help));
  }
  deleting(model, label) {
    return el("button", { type: "button", class: "danger", onclick: () => this.context.act("delete") }, icon("trash"), el("span", {}, label));
  }

  many(model) {
    return [
      el("h2", {}, `${model.selection.size} nodes are selected`),
      el("p", { class: "soft" }, "Drag one to move them all; the arrow keys with Alt move them too."),
      el("footer", { class: "form-foot" }, button("Copy", { onclick: () => this.context.act("copy") }, "clipboard"), button("Duplicate", { onclick: () => this.context.act("duplicate") }, "copy"), this.deleting(model, "Delete all")),
    ];
  }
  wire(model) {
    const { node, exit } = model.wire;
    const target = (model.node(node)?.exits || {})[exit];
    if (!target) return this.flow(model);
    return [
      el("h2", {}, "A line"),
      el("p", {}, `From “${model.title(node)}” by “${titleOf(model, node, exit)}” to “${model.title(target)}”.`),
      el("footer", { class: "form-foot" }, button("Lead it elsewhere", { onclick: () => this.context.lead(node, exit) }, "link"), this.deleting(model, "Delete line")),
    ];
  }
  flow(model) {
    const doc = model.doc;
    const problems = model.problems.filter((problem) => !problem.node);
    const put = (name, label) => (value) => model.edit(label, (next) => (next[name] = value), `flow.${name}`);
    const start = doc.nodes[doc.start];
    return [
      el("h2", {}, "This flow"),
      ...problems.map(problemNote),
      field(this.context, { name: "title", title: "Title", widget: "text", longest: 200, help: `Reports and numbers know it as ${doc.name}.` }, doc.title, put("title", "Change the flow’s title")),
      field(this.context, { name: "language", title: "Language", widget: "language", required: true, default: "en", help: "Callers are spoken to in it until a node chooses another." }, doc.language, put("language", "Change language")),
      el(
        "div",
        { class: "field" },
        el("div", { class: "label" }, "Callers begin at"),
        el("button", { type: "button", class: "exit-lead", onclick: () => this.begin(model) }, start ? model.title(doc.start) : "Choose a node"),
      ),
      el("p", { class: "soft" }, Object.keys(doc.nodes).length ? "Choose a node on the canvas to see and change what it does." : "This flow is empty. Add its first node."),
      !model.readOnly && button("Add a node", { onclick: () => this.context.act("add") }, "plus"),
    ].filter(Boolean);
  }
  async begin(model) {
    const name = await pick({ title: "Where callers begin", placeholder: "A node’s title or name", items: nodesToPick(model) });
    if (name) model.edit("Change where callers begin", (next) => (next.start = name));
  }
}

export function faultsOf(model, name) {
  const found = {};
  for (const problem of model.problemsOf(name)) if (problem.field) found[problem.field] ||= problem.fault;
  return found;
}

export function problemNote(problem) {
  return el("div", { class: `notice ${problem.serious ? "bad" : "wait"}` }, icon(problem.serious ? "alert-circle" : "info-circle"), el("div", {}, el("b", {}, sentence(problem.fault)), problem.mend && el("p", {}, sentence(problem.mend))));
}

export function sentence(words) {
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}${/[.!?]$/.test(words) ? "" : "."}`;
}

export function titleOf(model, name, exit) {
  return model.exitsOf(name).find((each) => each.name === exit)?.title || exit.replaceAll("_", " ");
}
