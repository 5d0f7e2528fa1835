// Keeps the draft as it is edited, tells what the server found wrong with it, and notices when somebody else has changed it.

import { ask } from "./dom.js";

const PAUSE = 700; // milliseconds after the last change
const LOOK = 5000; // how often it is asked whether somebody else has saved
const SLOWEST = 15000;

export class Saver extends EventTarget {
  constructor(model, head) {
    super();
    this.model = model;
    this.head = head;
    this.saved = model.doc;
    this.state = "saved"; // saved, waiting, saving, away, refused, outdated
    this.running = null;
    this.timer = null;
    this.wait = PAUSE;
    model.addEventListener("change", () => this.changed());
    this.watch = setInterval(() => this.look(), LOOK);
    addEventListener("beforeunload", (event) => {
      if (this.dirty) {
        this.flush();
        event.preventDefault();
      }
    });
  }
  get address() {
    return `/data/flows/${this.head.name}`;
  }
  get dirty() {
    return this.model.doc !== this.saved;
  }
  tell(state, said = "") {
    this.state = state;
    this.dispatchEvent(new CustomEvent("state", { detail: { state, said } }));
  }
  changed() {
    if (this.state === "outdated") return;
    if (!this.dirty) return this.tell("saved");
    if (this.state !== "away") this.tell("waiting");
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.save(), this.wait);
  }
  // Resolves to whether all that was done is kept.
  async flush() {
    clearTimeout(this.timer);
    if (this.running) await this.running;
    if (this.dirty && this.state !== "outdated") await this.save();
    return !this.dirty;
  }
  save(more = {}) {
    if (this.running) return this.running.then(() => this.dirty && this.save(more));
    this.running = this.put(more).finally(() => (this.running = null));
    return this.running;
  }
  async put(more) {
    const doc = this.model.doc;
    if (doc === this.saved && !more.apart) return;
    this.tell("saving");
    try {
      const kept = await ask("PUT", `${this.address}/draft`, { document: doc, revision: this.head.revision, ...more });
      this.saved = doc;
      this.wait = PAUSE;
      this.take(kept);
      this.tell(this.dirty ? "waiting" : "saved");
      if (this.dirty) this.changed();
    } catch (fault) {
      if (fault.body?.outdated) return this.outdated(fault.message);
      if (fault.status && fault.status < 500) return this.tell("refused", fault.message);
      // The server is away: go on trying, ever more slowly; nothing typed is lost meanwhile.
      this.wait = Math.min(SLOWEST, this.wait * 2);
      this.tell("away");
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.save(), this.wait);
    }
  }
  take({ problems, exits, ...head }) {
    this.head = head;
    if (problems) {
      this.model.problems = problems;
      this.model.exits = exits;
      this.model.tell("looked");
    }
    this.dispatchEvent(new Event("head"));
  }
  // Somebody else has saved or published: nothing of theirs is overwritten before a person has decided.
  async outdated(said) {
    clearTimeout(this.timer);
    this.theirs = await ask("GET", this.address).catch(() => null);
    this.tell("outdated", said);
  }
  async look() {
    if (document.hidden || this.running || this.state === "outdated") return;
    const head = await ask("GET", `${this.address}/head`).catch(() => null);
    if (!head || this.running || head.revision === this.head.revision) return;
    if (head.revision < this.head.revision) return;
    await this.outdated(`${head.author || "Somebody"} has ${head.published ? "published" : "saved"} version ${head.version} meanwhile.`);
  }
  // Go on with theirs; what was here can be had back by undoing.
  takeTheirs() {
    const { document, ...rest } = this.theirs;
    this.model.edit("Take the other version", (next) => {
      for (const field of Object.keys(next)) delete next[field];
      Object.assign(next, document);
    });
    this.saved = this.model.doc;
    this.state = "saved";
    this.take(rest);
    this.theirs = null;
    this.tell("saved");
  }
  // Save ours on top; theirs stays in the history as a version of its own.
  async keepMine() {
    const { document, problems, exits, ...head } = this.theirs;
    this.head = head;
    this.theirs = null;
    this.saved = null;
    this.state = "waiting";
    await this.save({ apart: true });
  }
  // What is now in force or thrown away is told by the server.
  async refresh() {
    this.take(await ask("GET", `${this.address}/head`));
  }
}
