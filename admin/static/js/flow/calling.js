// "Call it": a real call to a number that leads here, and how it went.

import { ask, button, el, icon } from "./dom.js";

export class Calling {
  constructor(root, editor, flow) {
    Object.assign(this, { root, editor, flow });
    this.draw();
  }
  async draw() {
    let told;
    try {
      told = await ask("GET", `/data/flows/${this.flow}/calling`);
    } catch {
      return;
    }
    if (!told.numbers.length) {
      this.root.replaceChildren(el("p", { class: "soft small" }, "No number leads to this flow yet, so it cannot be called. Lead one here under Numbers."));
      return;
    }
    const number = el("select", { id: "call-number" }, told.numbers.map((each) => el("option", { value: each.number }, each.name ? `${each.number} ${each.name}` : each.number)));
    const caller = el("input", { id: "call-caller", type: "text", maxLength: 40, value: told.virtual ? "+4532101010" : "" });
    const press = el("input", { id: "call-press", type: "text", maxLength: 200, placeholder: "1,w2,#", autocomplete: "off" });
    const extension = el("select", { id: "call-extension" }, told.extensions.map((each) => el("option", { value: each.value }, `${each.title} (${each.value})`)));
    this.told = el("div", { class: "call-told", role: "status" });
    const field = (label, control, help) => el("div", { class: "field" }, el("label", { htmlFor: control.id }, label), control, help && el("div", { class: "help" }, help));
    this.root.replaceChildren(
      el(
        "details",
        { class: "rare" },
        el("summary", {}, "Call it for real"),
        el("p", { class: "soft small" }, told.virtual ? "A caller made of software dials the number. The call takes the published version and is in the list of calls like any other." : "The chosen phone rings first; once it is taken up it is connected to the number. The call takes the published version."),
        field("Number", number),
        ...(told.virtual ? [field("Caller’s number", caller), field("Keys", press, "Each pressed once it is quiet; w2 waits two seconds. Without keys the caller listens for a minute.")] : [field("Phone", extension)]),
        button("Call", {
          class: "main",
          onclick: () => this.call({ number: number.value, ...(told.virtual ? { caller: caller.value.trim(), press: press.value.trim() } : { extension: extension.value }) }),
        }, "phone-call"),
        this.told,
      ),
    );
  }
  async call(wanted) {
    clearTimeout(this.timer);
    this.told.replaceChildren(el("p", { class: "soft" }, "Calling…"));
    try {
      const { call_id } = await ask("POST", "/data/trial-calls", wanted);
      this.follow(call_id);
    } catch (fault) {
      this.told.replaceChildren(el("p", { class: "notice bad" }, icon("alert-circle"), fault.message));
    }
  }
  // Ask how it stands till it is over; its way is lit on the canvas.
  async follow(id, tries = 0) {
    const found = await ask("GET", `/data/trial-calls/${id}`).catch(() => null);
    if (found) {
      // An engine takes it within a moment, or none is there.
      if (found.state === "asked" && tries > 20) Object.assign(found, { state: "failed", why: "No engine has taken the call. Look under System whether one runs." });
      const words = { asked: "The call is being put through…", called: "The call is being put through…", live: `On the line${found.node ? `, at ${found.node}` : ""}…`, over: `Over: ${found.status.replaceAll("_", " ")}.`, failed: found.why };
      this.told.replaceChildren(el("p", { class: found.state === "failed" ? "notice bad" : "" }, words[found.state], found.state === "over" && el("a", { href: `/calls/${id}` }, " The call’s page")));
      this.editor.surface.light(found.path.filter((step) => step.flow === this.flow));
      if (found.state === "over" || found.state === "failed") return;
    }
    if (tries < 300) this.timer = setTimeout(() => this.follow(id, tries + 1), 700);
  }
}
