// The widgets of a node's form. Each takes a field, its value and what to do with a new one, and gives an element.
// Values are as in the document; undefined stands for what is as by default.

import { button, el, icon, key, play } from "./dom.js";
import { pick } from "./picker.js";

let count = 0;
const NUMERIC = /^-?(0|[1-9][0-9]*)(\.[0-9]+)?$/;

export function field(context, about, value, set, faults = {}, path = "") {
  const id = `field-${++count}`;
  const way = path ? `${path}.${about.name}` : about.name || "";
  const fault = faults[way];
  const given = value === undefined ? about.default : value;
  if (about.optional && ["group", "list", "map"].includes(about.widget)) return optional(context, about, value, set, faults, way);
  const draw = WIDGETS[about.widget] || WIDGETS.text;
  const control = draw({ context, about, value: given, set, id, faults, way });
  if (about.widget === "switch") {
    return el("div", { class: "field", data: { way } }, el("label", { class: "tick" }, control, el("span", {}, about.title)), said(about, fault));
  }
  const grouped = ["prompts", "list", "map", "group"].includes(about.widget);
  const label = el(grouped ? "div" : "label", { class: "label", htmlFor: grouped ? undefined : id }, about.title, about.unit && el("span", { class: "soft" }, ` (${about.unit})`));
  if (fault && control.matches("input, select, textarea")) control.setAttribute("aria-invalid", "true");
  return el("div", { class: "field", data: { way }, role: grouped ? "group" : null, aria: grouped ? { label: about.title } : undefined }, label, control, said(about, fault));
}

function said(about, fault) {
  return el("div", {}, fault && el("div", { class: "fault" }, icon("alert-circle", "s"), fault), about.help && el("div", { class: "help" }, about.help));
}

function optional(context, about, value, set, faults, way) {
  const on = value !== undefined && value !== null;
  const inner = on ? WIDGETS[about.widget]({ context, about, value, set, id: `field-${++count}`, faults, way }) : null;
  const empty = about.widget === "group" ? Object.fromEntries(about.fields.filter((each) => each.required).map((each) => [each.name, blank(each)])) : about.widget === "list" ? [] : {};
  return el(
    "div",
    { class: "field", data: { way } },
    el("label", { class: "tick" }, el("input", { type: "checkbox", checked: on, onchange: (event) => set(event.target.checked ? empty : undefined, true) }), el("span", {}, about.title)),
    said(about, faults[way]),
    inner,
  );
}

export function blank(about) {
  if (about.default !== undefined && about.default !== null) return structuredClone(about.default);
  return { prompts: [], list: [], map: {}, group: {}, switch: false, number: about.least ?? 0, choice: about.choices?.[0]?.value ?? "" }[about.widget] ?? "";
}

// --- leaves ---

function text({ about, value, set, id }, more = {}) {
  return el("input", { id, type: "text", value: value ?? "", maxLength: about.longest ?? 500, autocomplete: "off", oninput: (event) => set(event.target.value), ...more });
}

function listed(context, kind, { about, value, set, id }) {
  const options = context.choices[kind] || [];
  const known = options.some((option) => option.value === value);
  return el(
    "select",
    { id, onchange: (event) => set(event.target.value || (about.required ? "" : undefined)) },
    el("option", { value: "" }, about.required ? "Choose…" : "–"),
    !known && value && el("option", { value, selected: true }, `${value} (not there)`),
    options.map((option) => el("option", { value: option.value, selected: option.value === value }, option.title === option.value ? option.title : `${option.title} (${option.value})`)),
  );
}

function suggested(context, options, given) {
  const list = el("datalist", { id: `${given.id}-list` }, options.map((option) => el("option", { value: option.value }, option.title)));
  const input = text(given);
  input.setAttribute("list", list.id);
  return el("div", { class: "suggested" }, input, list);
}

// A text that may hold variables in braces; those that the flow knows are offered.
function template(given) {
  return suggested(given.context, given.context.variables().map((name) => ({ value: `{${name}}`, title: name })), given);
}

function longText({ about, value, set, id }) {
  return el("textarea", { id, rows: 6, value: value ?? "", maxLength: about.longest ?? 5000, oninput: (event) => set(event.target.value) });
}

function number({ about, value, set, id }) {
  return el("input", {
    id,
    type: "number",
    value: value ?? "",
    min: about.least,
    max: about.most,
    step: about.step ?? "any",
    oninput: (event) => set(event.target.value === "" ? undefined : Number(event.target.value)),
  });
}

// A text, number or truth value as it is typed: 5 is a number, yes and no are what they say.
export function read(typed) {
  if (typed === "true" || typed === "false") return typed === "true";
  return NUMERIC.test(typed) ? Number(typed) : typed;
}

function json({ value, set, id }) {
  const input = el("textarea", { id, rows: 4, spellcheck: false, value: value === null || value === undefined ? "" : JSON.stringify(value, null, 2) });
  input.addEventListener("input", () => {
    try {
      set(input.value.trim() ? JSON.parse(input.value) : undefined);
      input.setCustomValidity("");
      input.removeAttribute("aria-invalid");
    } catch {
      input.setCustomValidity("This is no JSON yet.");
      input.setAttribute("aria-invalid", "true");
    }
  });
  return input;
}

// --- prompts ---

function prompts(given) {
  const { context, value, set, faults, way } = given;
  const items = Array.isArray(value) ? value : [];
  const change = (next) => set(next, true);
  const rows = items.map((item, at) => {
    const ends = el(
      "span",
      { class: "row-keys" },
      at > 0 && key("arrow-up", "Earlier", { onclick: () => change(moved(items, at, at - 1)) }),
      at < items.length - 1 && key("arrow-down", "Later", { onclick: () => change(moved(items, at, at + 1)) }),
      key("x", "Take away", { onclick: () => change(items.filter((_, other) => other !== at)) }),
    );
    if (typeof item === "string") {
      const prompt = context.prompts.get(item);
      const sound = prompt && `/data/flow-sounds/${prompt.language}/${item}`;
      return el(
        "li",
        { class: prompt ? "" : "missing" },
        prompt ? key("player-play", `Play ${item}`, { onclick: () => play(sound) }) : icon("alert-triangle"),
        el("span", { class: "prompt-words" }, el("b", {}, item), el("small", {}, prompt ? prompt.text || "no words written down" : "there is no such prompt yet")),
        ends,
      );
    }
    const form = context.says[item.say];
    const inner = (form?.fields || []).map((each) =>
      field(context, each, item[each.name], (next, whole) => {
        const made = { ...item, [each.name]: next };
        if (next === undefined) delete made[each.name];
        set(items.map((other, place) => (place === at ? made : other)), whole);
      }, faults, `${way}.${at}`),
    );
    return el("li", { class: "says" }, icon("message"), el("span", { class: "prompt-words" }, el("b", {}, form?.title || item.say), ...inner), ends);
  });
  async function add() {
    const chosen = await pick({
      title: "Add something to say",
      placeholder: "A prompt’s name or words, or what to say",
      items: [
        ...Object.values(context.says).map((form) => ({ value: `say ${form.say}`, title: form.title, group: "In words of its own", icon: "message" })),
        ...[...context.prompts.values()].map((prompt) => ({
          value: prompt.value,
          title: prompt.value,
          help: prompt.text,
          group: "Prompts",
          icon: "volume",
          sound: `/data/flow-sounds/${prompt.language}/${prompt.value}`,
        })),
      ],
      empty: "No prompt has these words. New ones are made under Prompts.",
    });
    if (!chosen) return;
    const form = chosen.startsWith("say ") ? context.says[chosen.slice(4)] : null;
    change([...items, form ? { say: form.say, ...Object.fromEntries(form.fields.filter((each) => each.required).map((each) => [each.name, blank(each)])) } : chosen]);
  }
  return el("div", { class: "prompt-list" }, rows.length > 0 && el("ol", {}, rows), button("Add", { class: "add", onclick: add, aria: { label: "Add something to say" } }, "plus"));
}

function moved(items, from, to) {
  const next = [...items];
  next.splice(to, 0, ...next.splice(from, 1));
  return next;
}

// --- what is made of others ---

function group({ context, about, value, set, faults, way }) {
  const given = value || {};
  return el(
    "div",
    { class: "subform" },
    about.fields
      .filter((each) => wanted(each, given, about.fields))
      .map((each) =>
        field(context, each, given[each.name], (next, whole) => {
          const made = { ...given, [each.name]: next };
          if (next === undefined) delete made[each.name];
          set(made, whole);
        }, faults, way),
      ),
  );
}

// Whether a field is shown, by what the others hold.
export function wanted(about, values, fields) {
  return Object.entries(about.when || {}).every(([name, allowed]) => {
    const other = fields.find((each) => each.name === name);
    return allowed.includes(values[name] === undefined ? other?.default : values[name]);
  });
}

function list({ context, about, value, set, faults, way }) {
  const items = Array.isArray(value) ? value : [];
  const rows = items.map((item, at) =>
    el(
      "li",
      {},
      el("div", { class: "list-item" }, field(context, { ...about.item, name: String(at), title: about.item.title && about.item.title !== about.title ? about.item.title : `${at + 1}.`, required: true }, item, (next, whole) => set(items.map((other, place) => (place === at ? (next === undefined ? blank(about.item) : next) : other)), whole), faults, way)),
      el(
        "span",
        { class: "row-keys" },
        at > 0 && key("arrow-up", "Earlier", { onclick: () => set(moved(items, at, at - 1), true) }),
        key("x", "Take away", { onclick: () => set(items.filter((_, other) => other !== at), true) }),
      ),
    ),
  );
  const empty = () => (about.item.widget === "group" ? Object.fromEntries(about.item.fields.filter((each) => each.required).map((each) => [each.name, blank(each)])) : blank(about.item));
  const full = about.most_items !== undefined && items.length >= about.most_items;
  return el("div", { class: "list-field" }, rows.length > 0 && el("ol", {}, rows), !full && button("Add", { class: "add", onclick: () => set([...items, empty()], true) }, "plus"));
}

function map({ context, about, value, set, faults, way }) {
  const pairs = Object.entries(value || {});
  const put = (next, whole) => set(Object.fromEntries(next), whole);
  const rows = pairs.map(([name, held], at) =>
    el(
      "li",
      {},
      el(
        "div",
        { class: "map-item" },
        WIDGETS[about.key.widget === "choice" || context.choices[about.key.widget] ? about.key.widget : "text"]({
          context,
          about: { ...about.key, required: true },
          value: name,
          id: `field-${++count}`,
          set: (next) => {
            if (next && !pairs.some(([other], place) => other === next && place !== at)) put(pairs.map((pair, place) => (place === at ? [next, held] : pair)));
          },
        }),
        field(context, { ...about.value, name, title: "", required: true }, held, (next, whole) => put(pairs.map((pair, place) => (place === at ? [name, next ?? blank(about.value)] : pair)), whole), faults, way),
      ),
      el("span", { class: "row-keys" }, key("x", "Take away", { onclick: () => put(pairs.filter((_, place) => place !== at), true) })),
    ),
  );
  async function add() {
    const taken = new Set(pairs.map(([name]) => name));
    const options = (about.key.choices || context.choices[about.key.widget] || []).filter((option) => !taken.has(option.value));
    let name = options[0]?.value;
    if (!name) {
      const stem = about.key.widget === "variable" ? "value" : "name";
      for (let number = 1; taken.has((name = number === 1 ? stem : `${stem}_${number}`)); number++);
    }
    put([...pairs, [name, blank(about.value)]], true);
  }
  return el("div", { class: "list-field" }, rows.length > 0 && el("ol", {}, rows), button("Add", { class: "add", onclick: add }, "plus"));
}

const WIDGETS = {
  text,
  template,
  long_template: longText,
  number,
  json,
  prompts,
  group,
  list,
  map,
  switch: ({ value, set, id }) => el("input", { id, type: "checkbox", checked: !!value, onchange: (event) => set(event.target.checked, true) }),
  choice: ({ about, value, set, id }) =>
    el("select", { id, onchange: (event) => set(read(event.target.value), true) }, (about.choices || []).map((option) => el("option", { value: String(option.value), selected: option.value === value }, option.title))),
  variable: (given) => suggested(given.context, given.context.variables().map((name) => ({ value: name, title: "" })), given),
  value: (given) => template({ ...given, value: given.value === undefined || given.value === null ? "" : String(given.value), set: (typed) => given.set(read(typed)) }),
  // One value, or several with commas between them.
  values: (given) => {
    const held = Array.isArray(given.value) ? given.value.join(", ") : given.value === undefined || given.value === null ? "" : String(given.value);
    return text({
      ...given,
      value: held,
      set: (typed) => {
        const parts = typed.split(",").map((part) => part.trim());
        given.set(typed === "" ? undefined : parts.length > 1 ? parts.filter(Boolean).map(read) : read(parts[0]));
      },
    });
  },
  extension: (given) => suggested(given.context, [...(given.context.choices.extension || []), ...given.context.variables().map((name) => ({ value: `{${name}}`, title: `what ${name} holds` }))], given),
  zone: (given) => suggested(given.context, Intl.supportedValuesOf ? Intl.supportedValuesOf("timeZone").map((name) => ({ value: name, title: "" })) : [], given),
};
for (const kind of ["queue", "calendar", "flow", "box", "skill", "language"]) WIDGETS[kind] = (given) => listed(given.context, kind, given);
