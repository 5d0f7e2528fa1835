// The panels beside the canvas: problems, history with differences, tests.

import { ask, button, confirm, el, icon, key, toast, when } from "./dom.js";
import { problemNote, sentence } from "./form.js";
import { editTest } from "./test_form.js";

export function problems(root, model, goTo) {
  const found = model.problems;
  if (!found.length) {
    root.replaceChildren(el("div", { class: "empty" }, icon("circle-check"), el("strong", {}, "Nothing is wrong"), el("p", {}, "All exits lead somewhere, all prompts, queues and calendars are there.")));
    return;
  }
  const sorted = [...found].sort((one, other) => Number(other.serious) - Number(one.serious));
  const serious = found.filter((problem) => problem.serious).length;
  root.replaceChildren(
    el("p", { class: "soft" }, serious ? `${serious} of ${found.length} keep this flow from being published.` : "None of these keeps the flow from being published."),
    el(
      "ul",
      { class: "problem-list" },
      sorted.map((problem) =>
        el(
          "li",
          {},
          problem.node && model.node(problem.node)
            ? el("button", { type: "button", class: "problem", onclick: () => goTo(problem.node, problem.field) }, el("b", {}, icon(problem.serious ? "alert-circle" : "info-circle", problem.serious ? "bad" : "wait"), model.title(problem.node)), el("span", {}, sentence(problem.fault)), problem.mend && el("small", {}, sentence(problem.mend)))
            : problemNote(problem),
        ),
      ),
    ),
  );
}

export async function history(root, editor) {
  root.replaceChildren(el("p", { class: "soft", role: "status" }, "Fetching the versions…"));
  let versions;
  try {
    ({ versions } = await ask("GET", `${editor.address}/history`));
  } catch (fault) {
    root.replaceChildren(el("div", { class: "notice bad" }, icon("alert-circle"), el("p", {}, fault.message)));
    return;
  }
  const inForce = versions.find((line) => line.state === "in force");
  const newest = versions[0].version;
  const tones = { "in force": ["good", "circle-check", "In force"], published: ["", "history", "Published"], draft: ["wait", "pencil", "Draft"] };
  root.replaceChildren(
    el(
      "ol",
      { class: "history" },
      versions.map((line) => {
        const [tone, sign, word] = tones[line.state];
        return el(
          "li",
          {},
          el("div", { class: "history-head" }, el("b", {}, `Version ${line.version}`), el("span", { class: `badge ${tone}` }, icon(sign), word)),
          el("div", { class: "soft small" }, `${line.author || "somebody"}, ${when(line.published_at || line.saved_at)}`),
          line.note && el("p", {}, line.note),
          el(
            "div",
            { class: "history-keys" },
            button("Look at", { onclick: () => editor.lookAt(line.version) }, "eye"),
            line.version !== newest && button("Compare", { onclick: () => editor.compare(line.version, newest), title: `What differs from here to version ${newest}` }, "git-compare"),
            editor.mayChange && line.state === "published" && inForce && button("Roll back", { onclick: () => editor.rollBack(line.version, inForce.version) }, "player-skip-back"),
            editor.mayChange && line.version !== newest && button("Edit", { title: "Begin a draft that is equal to this version", onclick: () => editor.editVersion(line.version) }, "pencil"),
            el("a", { class: "button", href: `${editor.address}/versions/${line.version}/yaml`, title: "Export this version as a YAML file" }, icon("download"), "YAML"),
            editor.mayChange && line.state === "draft" && versions.length > 1 && key("trash", `Throw draft ${line.version} away`, { onclick: () => editor.discard(line.version) }),
          ),
        );
      }),
    ),
  );
}

// What differs, in words; each line leads to its node.
export function difference(changes, model, goTo) {
  if (!changes.length) return el("p", { class: "soft" }, "Nothing differs but where nodes stand.");
  return el(
    "ul",
    { class: "changes" },
    changes.map((change) => el("li", { class: `change ${change.what}` }, change.node && model.node(change.node) ? el("button", { type: "button", class: "problem", onclick: () => goTo(change.node) }, change.words) : el("span", {}, change.words))),
  );
}

export class Tests {
  constructor(root, editor) {
    this.root = root;
    this.editor = editor;
    this.results = new Map();
  }
  async show() {
    try {
      const { tests } = await ask("GET", `${this.editor.address}/tests`);
      this.draw(tests);
    } catch (fault) {
      this.root.replaceChildren(el("div", { class: "notice bad" }, icon("alert-circle"), el("p", {}, fault.message)));
    }
  }
  draw(tests) {
    const may = this.editor.mayChange;
    const rows = tests.map((test) => {
      const result = this.results.get(test.name);
      const blocks = test.blocks !== false;
      return el(
        "li",
        {},
        el(
          "div",
          { class: "history-head" },
          el("b", {}, test.name),
          result && el("span", { class: `badge ${result.passed ? "good" : "bad"}` }, icon(result.passed ? "check" : "x"), result.passed ? "passed" : "failed"),
          !blocks && el("span", { class: "badge" }, "does not block"),
        ),
        el("div", { class: "soft small" }, `${new Date(test.at).toLocaleString("en-GB", { timeZone: this.editor.zone, weekday: "short", day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit" })}${test.keys?.length ? `, presses ${test.keys.map((each) => each || "nothing").join(", ")}` : ""}`),
        result && !result.passed && el("ul", { class: "differences" }, result.differences.map((each) => el("li", {}, sentence(each)))),
        el(
          "div",
          { class: "history-keys" },
          result && button("Show its way", { onclick: () => this.editor.light(result.path) }, "route"),
          may && button("Change", { onclick: () => this.edit(test) }, "pencil"),
          may && key("trash", `Delete test ${test.name}`, { onclick: () => this.remove(test.name) }),
        ),
      );
    });
    const empty = el("div", { class: "empty" }, icon("test-pipe"), el("strong", {}, "No tests yet"), el("p", {}, "A test says which way a call must take: given a caller, a time and keys. All tests run before a version is published. Keep one from a walk under Try, make one from a past call on the call’s page, or write one."));
    this.root.replaceChildren(
      el("div", { class: "panel-keys" }, tests.length > 0 && el("button", { type: "button", class: "main", onclick: () => this.run() }, icon("player-play"), el("span", {}, "Run all")), may && button("Write one", { onclick: () => this.edit(null) }, "plus")),
      tests.length ? el("ul", { class: "history" }, rows) : empty,
    );
  }
  async run() {
    if (!(await this.editor.kept())) return;
    try {
      const { tested } = await ask("POST", `${this.editor.address}/run-tests`, {});
      this.take(tested);
      const failed = tested.filter((each) => !each.passed).length;
      toast(failed ? `${failed} of ${tested.length} tests failed.` : `All ${tested.length} tests passed.`, failed > 0);
    } catch (fault) {
      toast(fault.message, true);
    }
    await this.show();
  }
  take(tested) {
    this.results = new Map(tested.map((each) => [each.name, each]));
  }
  async edit(test) {
    if (await editTest(this.editor, test)) await this.show();
  }
  async save(test) {
    try {
      await ask("PUT", `${this.editor.address}/tests/${encodeURIComponent(test.name)}`, test);
      toast(`Test “${test.name}” is kept.`);
    } catch (fault) {
      toast(fault.message, true);
    }
    await this.show();
  }
  async remove(name) {
    if (!(await confirm({ title: `Delete test “${name}”?`, said: "It no longer keeps a wrong version from being published.", yes: "Delete", danger: true }))) return;
    try {
      await ask("DELETE", `${this.editor.address}/tests/${encodeURIComponent(name)}`);
    } catch (fault) {
      toast(fault.message, true);
    }
    this.results.delete(name);
    await this.show();
  }
}
