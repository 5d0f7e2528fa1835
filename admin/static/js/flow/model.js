// A flow as it is edited: a document that is never changed but replaced, so that each step can be undone and done again.

const MOST_STEPS = 300;
const TYPING = 1500; // milliseconds within which changes of one field are one step

export class Model extends EventTarget {
  // `types` are the forms of node types by name; `exits` those of nodes whose exits depend on what they hold.
  constructor(document, types, exits = {}, readOnly = false) {
    super();
    this.doc = document;
    this.types = types;
    this.exits = exits;
    this.readOnly = readOnly;
    this.selection = new Set();
    this.wire = null; // {node, exit} of the selected line
    this.problems = [];
    this.past = [];
    this.future = [];
  }

  node(name) {
    return this.doc.nodes[name];
  }
  type(name) {
    return this.types[this.node(name)?.type];
  }
  title(name) {
    const node = this.node(name);
    return node ? node.title || name : name;
  }
  place(name) {
    return this.doc.layout[name] || [0, 0];
  }
  get only() {
    return this.selection.size === 1 ? [...this.selection][0] : null;
  }
  // The exits of a node: those the server knows of, then those that were just added.
  exitsOf(name) {
    const node = this.node(name);
    const known = this.exits[name] || this.type(name)?.exits || [];
    const names = new Set(known.map((exit) => exit.name));
    const more = Object.keys(node.exits || {}).filter((exit) => !names.has(exit));
    return [...more.filter((exit) => exit !== "error").map((exit) => ({ name: exit, title: /^[0-9*#]{1,8}$/.test(exit) ? `Key ${exit}` : exit.replaceAll("_", " "), must: true })), ...known];
  }
  problemsOf(name) {
    return this.problems.filter((problem) => problem.node === name);
  }

  // Replace the document by what `change` makes of a copy. Steps with the same `key` shortly after one another are one.
  edit(label, change, key = "") {
    if (this.readOnly) return;
    const next = { ...this.doc, nodes: { ...this.doc.nodes }, layout: { ...this.doc.layout } };
    change(next);
    const now = Date.now();
    const last = this.past.at(-1);
    if (!(key && last?.key === key && now - last.at < TYPING)) this.past.push({ doc: this.doc, label, key, at: now, selection: [...this.selection] });
    else last.at = now;
    if (this.past.length > MOST_STEPS) this.past.shift();
    this.future = [];
    this.doc = next;
    if ([...this.selection].some((name) => !next.nodes[name])) this.selection = new Set([...this.selection].filter((name) => next.nodes[name]));
    if (this.wire && !next.nodes[this.wire.node]) this.wire = null;
    this.tell("change");
  }
  patch(name, values, label, key) {
    this.edit(label, (next) => {
      const node = { ...next.nodes[name] };
      for (const [field, value] of Object.entries(values)) {
        if (value === undefined) delete node[field];
        else node[field] = value;
      }
      next.nodes[name] = node;
    }, key);
  }
  undo() {
    this.travel(this.past, this.future);
  }
  redo() {
    this.travel(this.future, this.past);
  }
  travel(from, to) {
    const step = from.pop();
    if (!step) return;
    to.push({ ...step, doc: this.doc, key: "", selection: [...this.selection] });
    this.doc = step.doc;
    this.select(step.selection.filter((name) => this.doc.nodes[name]), true);
    this.tell("change", { travelled: step.label });
  }

  select(names, quiet = false) {
    this.selection = new Set(names);
    this.wire = null;
    if (!quiet) this.tell("select");
    else queueMicrotask(() => this.tell("select"));
  }
  selectWire(node, exit) {
    this.selection = new Set();
    this.wire = { node, exit };
    this.tell("select");
  }
  tell(what, detail = {}) {
    this.dispatchEvent(new CustomEvent(what, { detail }));
  }

  // --- what is done to nodes ---

  freeName(wanted, taken = this.doc.nodes) {
    const plain = wanted.toLowerCase().replace(/[^a-z0-9]+/g, "_").replace(/^_+|_+$/g, "").slice(0, 50) || "node";
    if (!taken[plain]) return plain;
    const stem = plain.replace(/_\d+$/, "");
    let number = 2;
    while (taken[`${stem}_${number}`]) number++;
    return `${stem}_${number}`;
  }
  // A new node; `from` is the exit that is to lead to it.
  add(type, [x, y], from = null) {
    const name = this.freeName(type);
    this.edit(`Add ${this.types[type].title.toLowerCase()}`, (next) => {
      next.nodes[name] = structuredClone(this.types[type].new);
      next.layout[name] = [Math.round(x), Math.round(y)];
      if (from) next.nodes[from.node] = led(next.nodes[from.node], from.exit, name);
      if (!next.nodes[next.start]) next.start = name;
    });
    this.select([name]);
    return name;
  }
  connect(node, exit, target) {
    if ((this.node(node).exits || {})[exit] === target) return;
    this.edit(target ? "Connect" : "Disconnect", (next) => {
      next.nodes[node] = led(next.nodes[node], exit, target);
    });
  }
  removeExit(node, exit) {
    this.edit("Remove exit", (next) => {
      const exits = { ...next.nodes[node].exits };
      delete exits[exit];
      next.nodes[node] = { ...next.nodes[node], exits };
    });
  }
  // Take away what is selected; lines that led there lead nowhere, menu keys keep standing.
  remove() {
    if (this.wire) {
      const { node, exit } = this.wire;
      this.wire = null;
      this.connect(node, exit, "");
      this.tell("select");
      return;
    }
    const gone = this.selection;
    if (!gone.size) return;
    this.edit(gone.size > 1 ? `Delete ${gone.size} nodes` : "Delete node", (next) => {
      for (const name of gone) {
        delete next.nodes[name];
        delete next.layout[name];
      }
      for (const [name, node] of Object.entries(next.nodes)) {
        for (const [exit, target] of Object.entries(node.exits || {})) {
          if (gone.has(target)) next.nodes[name] = led(next.nodes[name], exit, "");
        }
      }
      if (gone.has(next.start)) next.start = Object.keys(next.nodes)[0] || "";
    });
    this.select([]);
  }
  move(names, dx, dy) {
    this.edit(names.length > 1 ? `Move ${names.length} nodes` : "Move", (next) => {
      for (const name of names) {
        const [x, y] = next.layout[name] || [0, 0];
        next.layout[name] = [Math.round(x + dx), Math.round(y + dy)];
      }
    }, `move ${names.join()}`);
  }
  rename(name, wanted) {
    const to = this.freeName(wanted, { ...this.doc.nodes, [name]: undefined });
    if (to === name) return name;
    this.edit("Rename", (next) => {
      const nodes = {};
      for (const [each, node] of Object.entries(next.nodes)) nodes[each === name ? to : each] = node;
      for (const [each, node] of Object.entries(nodes)) {
        const exits = Object.entries(node.exits || {});
        if (exits.some(([, target]) => target === name)) {
          nodes[each] = { ...node, exits: Object.fromEntries(exits.map(([exit, target]) => [exit, target === name ? to : target])) };
        }
      }
      next.nodes = nodes;
      next.layout[to] = next.layout[name];
      delete next.layout[name];
      if (next.start === name) next.start = to;
    });
    this.select([to]);
    return to;
  }
  // What is selected, to be put elsewhere: lines among it are kept, others lead nowhere.
  copied() {
    const names = [...this.selection];
    return {
      pointsman: "nodes",
      nodes: Object.fromEntries(names.map((name) => [name, this.node(name)])),
      layout: Object.fromEntries(names.map((name) => [name, this.place(name)])),
    };
  }
  paste(copied, dx = 40, dy = 40) {
    const names = Object.keys(copied.nodes).filter((name) => this.types[copied.nodes[name]?.type]);
    if (!names.length) return;
    const renamed = {};
    const taken = { ...this.doc.nodes };
    for (const name of names) {
      renamed[name] = this.freeName(name, taken);
      taken[renamed[name]] = true;
    }
    this.edit(names.length > 1 ? `Paste ${names.length} nodes` : "Paste", (next) => {
      for (const name of names) {
        const node = structuredClone(copied.nodes[name]);
        for (const [exit, target] of Object.entries(node.exits || {})) node.exits[exit] = renamed[target] || "";
        next.nodes[renamed[name]] = node;
        const [x, y] = copied.layout?.[name] || [0, 0];
        next.layout[renamed[name]] = [x + dx, y + dy];
      }
    });
    this.select(Object.values(renamed));
  }
}

// A node whose exit leads elsewhere. A key of a menu stands also while it leads nowhere; all other exits are left out then.
function led(node, exit, target) {
  const exits = { ...(node.exits || {}) };
  if (target || /^[0-9*#]{1,8}$/.test(exit)) exits[exit] = target;
  else delete exits[exit];
  return { ...node, exits };
}
