// What the editor does with versions: check, publish, roll back, begin anew from an earlier one, throw a draft away.

import { ask, confirm, toast } from "./dom.js";

export const publishing = {
  async verdict() {
    if (!(await this.kept())) return null;
    const verdict = await ask("POST", `${this.address}/check`, {});
    this.draft.problems = verdict.problems;
    this.tests.take(verdict.tested);
    this.draft.tell("looked");
    return verdict;
  },
  async check() {
    try {
      const verdict = await this.verdict();
      if (!verdict) return;
      const failed = verdict.tested.filter((each) => !each.passed).length;
      toast(verdict.fit ? `In order: nothing keeps it from being published${verdict.tested.length ? `, ${verdict.tested.length} tests passed` : ""}.` : "Something keeps this flow from being published.", !verdict.fit);
      this.panel(failed && verdict.problems.every((problem) => !problem.serious) ? "tests" : "problems");
    } catch (fault) {
      toast(fault.message, true);
    }
  },
  async publish() {
    try {
      const verdict = await this.verdict();
      if (!verdict) return;
      if (!verdict.fit) {
        this.panel(verdict.problems.some((problem) => problem.serious) ? "problems" : "tests");
        this.keptBack("Not published", verdict);
        return;
      }
      const { head } = this.saver;
      const { changes } = head.in_force ? await ask("GET", `${this.address}/difference?before=${head.in_force}&after=${head.version}`) : { changes: [] };
      const lines = changes.slice(0, 6).map((change) => change.words);
      if (changes.length > 6) lines.push(`… and ${changes.length - 6} more.`);
      const note = await confirm({
        title: `Publish version ${head.version}?`,
        said: [...lines, `New calls take it from now on; calls that run keep ${head.in_force ? `version ${head.in_force}` : "theirs"}.${verdict.tested.length ? ` ${verdict.tested.length} tests passed.` : ""}`],
        yes: "Publish",
        label: "Why? (for the history)",
      });
      if (note === null) return;
      const { version } = await ask("POST", `${this.address}/publish`, { revision: head.revision, in_force: head.in_force, note });
      await this.saver.refresh();
      if (this.mode !== "draft") this.show("draft");
      toast(`Version ${version} is in force.`);
      this.stated({ state: "saved" });
      if (this.tab === "history") this.panel("history");
    } catch (fault) {
      toast(fault.message, true);
      if (fault.body?.outdated) this.saver.outdated(fault.message);
    }
  },
  // Says in the same words why a version does not come into force.
  keptBack(what, verdict) {
    const serious = verdict.problems.filter((problem) => problem.serious).length;
    const failed = verdict.tested.filter((each) => each.blocks && !each.passed).length;
    const reasons = [serious && `${serious} ${serious === 1 ? "problem" : "problems"}`, failed && `${failed} failing ${failed === 1 ? "test" : "tests"}`].filter(Boolean);
    toast(`${what}: ${reasons.join(" and ")}. Callers go on hearing ${this.saver.head.in_force ? `version ${this.saver.head.in_force}` : "what they heard"}.`, true);
  },
  // One click where nothing keeps the version back; where something does, it is shown to look at beside what that is.
  async rollBack(version, inForce) {
    if (!(await this.kept())) return;
    try {
      const verdict = await ask("POST", `${this.address}/check`, { version });
      if (!verdict.fit) {
        await this.lookAt(version);
        this.model.problems = verdict.problems;
        this.tests.take(verdict.tested);
        this.surface.draw();
        this.bars();
        this.panel(verdict.problems.some((problem) => problem.serious) ? "problems" : "tests");
        this.keptBack(`Not rolled back to version ${version}`, verdict);
        return;
      }
      const told = await ask("POST", `${this.address}/roll-back`, { version, in_force: inForce });
      const draft = this.saver.head.published ? "" : ` The draft stays in the history as version ${this.saver.head.version}.`;
      toast(`Version ${version} is in force again, as version ${told.version}.${draft}`);
      await this.reload();
    } catch (fault) {
      toast(fault.message, true);
    }
  },
  async editVersion(version) {
    if (!(await this.kept())) return;
    try {
      await ask("POST", `${this.address}/versions/${version}/edit`, {});
      toast(`The draft is now equal to version ${version}.`);
      await this.reload();
    } catch (fault) {
      toast(fault.message, true);
    }
  },
  async discard(version) {
    const newest = version === this.saver.head.version;
    if (!(await confirm({ title: `Throw draft ${version} away?`, said: newest ? "The flow is then as the version below it." : "It is gone from the history.", yes: "Throw away", danger: true }))) return;
    try {
      if (newest) await this.kept();
      await ask("DELETE", `${this.address}/versions/${version}`);
      await this.reload();
    } catch (fault) {
      toast(fault.message, true);
    }
  },
  // The newest version from the server, in place of what is here; Undo brings that back.
  async reload() {
    this.saver.theirs = await ask("GET", this.address);
    this.saver.takeTheirs();
    this.show("draft");
    if (this.tab === "history") this.panel("history");
  },
};
