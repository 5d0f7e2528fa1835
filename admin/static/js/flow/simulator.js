// Walking through a flow as a caller: hear, press, be silent, hang up; decide how others answer; take a step back.
// All moves so far are sent each time, so the flow may change under way.

import { read } from "./fields.js";
import { ask, button, confirm, el, icon, key, length, play, silence, toast } from "./dom.js";

const KEYS = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "*", "0", "#"];
const WORDS = {
  answered: "Answered", timeout: "Waited too long", no_agent: "Nobody there", full: "Queue full", exit_key: "Left by key", closed: "Closed", busy: "Busy", no_answer: "No answer",
  rejected: "Declined", unreachable: "Not reachable", callback: "Wants a call back",
  taken: "Takes it", known: "Known already", declined: "Declines", forbidden: "Not allowed", left: "Message left", nothing: "Said nothing", error: "It fails",
};
const ASKED = { queue: "The caller waits in queue", ring: "It rings at", dial: "It rings at", message: "The caller may leave a message for", callback: "The caller is offered a call back by queue", statement: "What the caller says is recorded", exit: "What comes of this step?" };

export class Simulator extends EventTarget {
  // `address()` and `more()` give where a walk is asked for and what is sent beside the choices.
  constructor(root, { address, more = () => ({}), zone, start = null, testing = null, numbers = null }) {
    super();
    Object.assign(this, { root, address, more, zone, start, testing, numbers });
    this.moves = [];
    this.sound = true;
    this.form();
  }

  form() {
    this.at = el("input", { type: "datetime-local", id: "walk-at", value: "", max: "2099-12-31T23:59" });
    this.caller = el("input", { type: "text", id: "walk-caller", value: "", maxLength: 40, placeholder: "Withheld", autocomplete: "off" });
    this.caller.setAttribute("list", "walk-customers");
    this.known = el("datalist", { id: "walk-customers" });
    this.customer = el("select", { id: "walk-customer" }, el("option", { value: "" }, "As the number says"));
    this.variables = el("textarea", { id: "walk-variables", rows: 2, placeholder: "order = 4711", spellcheck: false });
    this.log = el("ol", { class: "walk-log", aria: { live: "polite", label: "What the caller hears and does" } });
    this.asked = el("div", { class: "walk-asked" });
    this.head = el("div", { class: "walk-head", hidden: true });
    this.beginning = el(
      "form",
      { class: "walk-form", onsubmit: (event) => (event.preventDefault(), this.begin()) },
      this.numbers && el("div", { class: "field" }, el("label", { htmlFor: "walk-number" }, "Number"), this.numbers),
      el("div", { class: "field" }, el("label", { htmlFor: "walk-at" }, "Date and time"), this.at, el("div", { class: "help" }, `On the clocks of ${this.zone}; empty is now.`)),
      el("div", { class: "field" }, el("label", { htmlFor: "walk-caller" }, "Caller’s number"), this.caller, this.known),
      el("details", { class: "rare" }, el("summary", {}, "Customer and variables"), el("div", { class: "field" }, el("label", { htmlFor: "walk-customer" }, "Customer"), this.customer), el("div", { class: "field" }, el("label", { htmlFor: "walk-variables" }, "Variables"), this.variables, el("div", { class: "help" }, "One a line, as name = value. They hold from the first node on."))),
      el("div", { class: "walk-start" }, el("button", { class: "main" }, icon("player-play"), el("span", {}, "Begin")), this.start && button("From the selected node", { onclick: () => this.begin(this.start()) }, "pointer")),
    );
    this.root.replaceChildren(this.beginning, this.head, this.log, this.asked);
    ask("GET", "/data/flow-callers").then(({ customers }) => {
      this.known.replaceChildren(...customers.filter((one) => one.number).map((one) => el("option", { value: one.number }, `${one.company || one.name}${one.category !== "average" ? ` (${one.category})` : ""}`)));
      this.customer.append(...customers.map((one) => el("option", { value: one.id }, `${one.company || one.name}${one.category !== "average" ? ` (${one.category})` : ""}`)));
    }).catch(() => {});
  }
  circumstances() {
    return {
      at: this.at.value ? this.instant(this.at.value) : null,
      caller: this.caller.value.trim(),
      customer_id: this.customer.value ? Number(this.customer.value) : null,
      variables: assigned(this.variables.value),
    };
  }
  // A local date and time on the clocks of the installation's zone, with that zone's distance.
  instant(local) {
    const guess = new Date(`${local}:00Z`);
    const shown = new Date(`${guess.toLocaleString("sv-SE", { timeZone: this.zone }).replace(" ", "T")}Z`);
    const away = Math.round((shown - guess) / 60000);
    const sign = away < 0 ? "-" : "+";
    const two = (number) => String(Math.floor(number)).padStart(2, "0");
    return `${local}:00${sign}${two(Math.abs(away) / 60)}:${two(Math.abs(away) % 60)}`;
  }

  async begin(from = "") {
    this.moves = [];
    this.from = from || "";
    this.given = this.circumstances();
    this.log.replaceChildren();
    await this.walk();
  }
  async walk(played = 0) {
    silence();
    let told;
    try {
      told = await ask("POST", this.address(), { ...this.given, ...(await this.more()), start: this.from, moves: this.moves });
    } catch (fault) {
      toast(fault.message, true);
      return;
    }
    if (told.moves < this.moves.length) {
      this.moves.length = told.moves;
      toast("The flow has changed; the walk stands where it could still go.");
    }
    this.told = told;
    // When it began holds for the whole walk, also when it is walked anew a minute later.
    this.given.at = told.at;
    this.show(told, played);
    this.dispatchEvent(new CustomEvent("path", { detail: told }));
  }
  move(one) {
    this.moves.push(one);
    return this.walk(this.moves.length);
  }
  back() {
    this.moves.pop();
    return this.walk(-1);
  }
  end() {
    silence();
    this.moves = [];
    this.told = null;
    this.beginning.hidden = false;
    this.head.hidden = true;
    this.log.replaceChildren();
    this.asked.replaceChildren();
    this.dispatchEvent(new CustomEvent("path", { detail: null }));
  }

  show(told, played) {
    this.beginning.hidden = true;
    this.head.hidden = false;
    this.head.replaceChildren(
      el("b", {}, new Date(this.given.at).toLocaleString("en-GB", { timeZone: this.zone, weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" })),
      el("span", { class: "soft" }, this.given.caller || "number withheld"),
      el(
        "span",
        { class: "walk-tools" },
        key(this.sound ? "volume" : "player-stop", this.sound ? "Sound is on; switch it off" : "Sound is off; switch it on", { aria: { pressed: String(this.sound) }, onclick: () => ((this.sound = !this.sound), silence(), this.show(told, -1)) }),
        key("arrow-back-up", "Take the last step back", { disabled: !this.moves.length, onclick: () => this.back() }),
        key("refresh", "From the beginning", { onclick: () => ((this.moves = []), this.walk(0)) }),
        key("x", "End this walk", { onclick: () => this.end() }),
      ),
    );
    if (told.leads) this.head.append(el("p", { class: "walk-leads" }, `Leads to: ${told.leads}`, told.by && told.by !== told.leads && el("small", { class: "soft" }, ` (${told.by})`)));
    this.log.replaceChildren(...told.heard.map((each) => line(each)), ...(told.asks || []).map((each) => line({ ...each, asked: true })));
    this.question(told);
    this.asked.scrollIntoView({ block: "nearest" });
    if (played >= 0 && this.sound) this.speak(told, played);
  }
  // Let what is new be heard, one after the other.
  async speak(told, move) {
    const rows = [...this.log.children];
    const fresh = [...told.heard, ...(told.asks || [])].map((each, at) => ({ each, row: rows[at] })).filter(({ each }) => each.sound && (each.move === -1 || each.move === move) && (each.move === -1 || each.seconds > 0));
    for (const { each, row } of fresh) {
      if (this.told !== told) return;
      row?.classList.add("speaking");
      const whole = await play(each.sound);
      row?.classList.remove("speaking");
      if (!whole) return;
    }
  }
  question(told) {
    if (told.wants === "over") {
      const words = told.leads && !told.path.length ? "The call leaves the flows here." : `The call is over after ${length(told.elapsed)}: ${told.disposition.replaceAll("_", " ")}.`;
      this.asked.replaceChildren(
        el("p", { class: told.fault ? "notice bad" : "notice" }, icon(told.fault ? "alert-circle" : "phone-end"), el("span", {}, words, told.fault ? ` ${told.fault}` : "")),
        el("div", { class: "walk-choices" }, button("Again", { onclick: () => ((this.moves = []), this.walk(0)) }, "refresh"), this.testing && told.path.length > 0 && button("Keep as a test", { onclick: () => this.keep() }, "test-pipe"), button("Done", { onclick: () => this.end() })),
      );
      return;
    }
    if (told.wants === "key") {
      this.typed = "";
      const keys = el("div", { class: "keypad" }, KEYS.map((each) => el("button", { type: "button", onclick: () => this.press(each) }, each)));
      this.asked.replaceChildren(
        el("p", {}, "What does the caller press?"),
        keys,
        el("div", { class: "walk-choices" }, this.several(), button("Nothing", { onclick: () => this.move({ do: "wait" }), title: `Silence for ${told.patience} s` }, "hourglass"), this.hangUp()),
      );
      return;
    }
    // What a step that asks others would have set, for what comes behind it.
    const sets = told.wants === "exit" && el("textarea", { id: "walk-sets", rows: 2, placeholder: "order = 4711", spellcheck: false });
    this.asked.replaceChildren(...[
      el("p", {}, `${ASKED[told.wants] || "What happens?"} ${told.about && told.wants !== "exit" ? told.about : ""}`.trim(), told.wants === "exit" && el("small", { class: "soft" }, ` (${told.node})`)),
      el("div", { class: "walk-choices" }, told.choices.map((choice) => button(WORDS[choice] || choice.replaceAll("_", " "), { onclick: () => this.move({ do: "decide", choice, variables: sets ? assigned(sets.value) : {} }) })), this.hangUp()),
      sets && el("details", { class: "rare" }, el("summary", {}, "And what it finds out"), el("div", { class: "field" }, el("label", { htmlFor: "walk-sets" }, "Variables"), sets, el("div", { class: "help" }, "One a line, as name = value."))),
    ].filter(Boolean));
  }
  press(one) {
    return this.move({ do: "press", keys: one });
  }
  several() {
    const input = el("input", { type: "text", inputMode: "tel", maxLength: 40, pattern: "[0-9*#]+", placeholder: "Several keys", aria: { label: "Several keys at once" }, autocomplete: "off" });
    return el("form", { class: "walk-several", onsubmit: (event) => (event.preventDefault(), /^[0-9*#]+$/.test(input.value) && this.press(input.value)) }, input, el("button", {}, "Press"));
  }
  hangUp() {
    return el("button", { type: "button", class: "danger", onclick: () => this.move({ do: "hang_up", after: 0 }) }, icon("phone-off"), el("span", {}, "Hang up"));
  }
  // The walk as a test: what was pressed and decided, and the way it took.
  async keep() {
    const name = await confirm({ title: "Keep this walk as a test", said: "It will be run each time the flow is published, and block it where the call takes another way.", yes: "Keep", label: "Name of the test", value: "" });
    if (!name) return;
    const told = this.told;
    const main = this.testing.flow;
    const left = this.moves.findIndex((move) => move.do === "hang_up");
    const test = {
      name: name.trim(),
      at: this.given.at,
      caller: this.given.caller,
      keys: this.moves.filter((move) => move.do === "press" || move.do === "wait").map((move) => move.keys || ""),
      outcomes: outcomes(told, this.moves, main),
      expect: { path: told.path.map((step) => (step.flow === main ? step.node : `${step.flow}.${step.node}`)), end: told.disposition },
    };
    if (left >= 0) {
      test.hangs_up_in_step = told.path.length;
      test.expect.hung_up_by = "caller";
      delete test.expect.end;
    }
    const customer = this.customer.selectedOptions[0];
    if (this.given.customer_id) test.customer = { id: 0, name: "", company: "", category: /\((\w+)\)$/.exec(customer.textContent)?.[1] || "average" };
    this.testing.save(test);
  }
}

// `order = 4711` a line, as values by name.
function assigned(text) {
  const values = {};
  for (const line of text.split("\n")) {
    const [name, ...rest] = line.split("=");
    if (rest.length) values[name.trim()] = read(rest.join("=").trim());
  }
  return values;
}

// What was decided for others, by node: the k-th decision belongs to the k-th step that asks for one.
function outcomes(told, moves, main) {
  const decided = moves.filter((move) => move.do === "decide");
  return told.decided.map((node, at) => ({ node, outcome: decided[at]?.choice, ...(Object.keys(decided[at]?.variables || {}).length ? { variables: decided[at].variables } : {}) })).filter((each) => each.outcome).map((each) => ({ ...each, node: each.node.startsWith(`${main}.`) ? each.node.slice(main.length + 1) : each.node }));
}

function line(each) {
  const signs = { prompt: "volume", key: "dialpad", hang_up: "phone-end", left: "phone-off", queue: "stack-2", ring: "phone-ringing", dial: "phone-outgoing", message: "microphone", statement: "microphone" };
  const words = {
    key: `presses ${each.detail}`,
    hang_up: "The flow hangs up",
    left: "The caller hangs up",
    queue: `waits in queue ${each.detail} for ${length(each.seconds)}`,
    ring: `rings at ${each.detail} for ${length(each.seconds)}`,
    dial: `calls ${each.detail} for ${length(each.seconds)}`,
    message: `leaves a message for ${each.detail}`,
    statement: "is recorded",
  };
  const said = each.what === "prompt" ? each.text || each.name : words[each.what];
  return el(
    "li",
    { class: `spoken ${each.what}` },
    el("span", { class: "spoken-at" }, each.asked ? "" : length(each.after)),
    each.sound ? key("player-play", `Play ${each.name}`, { data: { play: "" }, onclick: () => play(each.sound) }) : icon(signs[each.what] || "point-filled"),
    el("span", {}, said, each.what === "prompt" && each.text && el("small", { class: "soft" }, ` ${each.name}`)),
  );
}
