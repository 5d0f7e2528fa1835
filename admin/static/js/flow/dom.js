// Small things that all parts of the flow editor use: elements made without HTML, icons, requests, sounds.

export const page = document.getElementById("flow");
const csrf = document.querySelector("meta[name=csrf-token]").content;
const sprite = page.dataset.icons;

// An element; text is always text. `on…` are listeners, `data` and `aria` objects, all else attributes or properties.
export function el(name, about = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(about)) {
    if (value === undefined || value === null || value === false) continue;
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (key === "data") for (const [part, given] of Object.entries(value)) made.dataset[part] = given;
    else if (key === "aria") for (const [part, given] of Object.entries(value)) made.setAttribute(`aria-${part}`, given);
    else if (key === "class") made.className = value;
    else if (key in made && key !== "list" && key !== "form") made[key] = value;
    else made.setAttribute(key, value);
  }
  made.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return made;
}

const SVG = "http://www.w3.org/2000/svg";
export function svg(name, about = {}, ...children) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(about)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

export function icon(name, more = "") {
  return svg("svg", { class: `icon ${more}`, "aria-hidden": "true" }, svg("use", { href: `${sprite}#${name}` }));
}

export function button(label, about = {}, sign = null) {
  return el("button", { type: "button", ...about }, sign && icon(sign), label && el("span", {}, label));
}

// A button that is an icon alone; its label is read out and shown as a hint.
export function key(sign, label, about = {}) {
  return el("button", { type: "button", title: label, "aria-label": label, ...about, class: `bare round ${about.class || ""}` }, icon(sign));
}

export class Refusal extends Error {
  constructor(status, body) {
    super(body.detail || body.error || `The server answered ${status}.`);
    this.status = status;
    this.body = body;
  }
}

// JSON to and from the server. Refusal for what it does not accept; TypeError where it does not answer.
export async function ask(method, address, body) {
  const answer = await fetch(address, {
    method,
    headers: { "X-CSRFToken": csrf, Accept: "application/json", ...(body ? { "Content-Type": "application/json" } : {}) },
    body: body ? JSON.stringify(body) : undefined,
  });
  if (answer.status === 204) return null;
  const told = await answer.json().catch(() => ({}));
  if (!answer.ok) {
    if (Array.isArray(told)) throw new Refusal(answer.status, { detail: told.map((fault) => `${fault.loc.at(-1)}: ${fault.msg}`).join("; ") });
    throw new Refusal(answer.status, told);
  }
  return told;
}

export function toast(said, bad = false) {
  const note = el("div", { class: bad ? "toast bad" : "toast", role: bad ? "alert" : null }, icon(bad ? "alert-circle" : "check"), el("span", {}, said));
  document.getElementById("toasts").append(note);
  setTimeout(() => note.remove(), bad ? 9000 : 4000);
}

// A question with a yes and a no, or with a text to fill in. Resolves to true (or the text), or to null.
export function confirm({ title, said = "", yes, danger = false, label = "", value = "" }) {
  return new Promise((resolve) => {
    const input = label && el("input", { value, maxLength: 400, id: "asked" });
    const box = el(
      "dialog",
      { aria: { label: title } },
      el(
        "form",
        { method: "dialog" },
        el("h2", {}, title),
        ...[said].flat().filter(Boolean).map((line) => el("p", {}, line)),
        input && el("div", { class: "field" }, el("label", { htmlFor: "asked" }, label), input),
        el(
          "footer",
          {},
          button("Cancel", { onclick: () => box.close() }),
          el("button", { class: danger ? "danger" : "main", value: "yes" }, yes),
        ),
      ),
    );
    box.addEventListener("close", () => {
      box.remove();
      resolve(box.returnValue === "yes" ? (input ? input.value : true) : null);
    });
    document.body.append(box);
    box.showModal();
    (input || box.querySelector("footer button:last-child")).focus();
  });
}

// One sound at a time.
const sound = new Audio();
let ended = null;
export function silence() {
  sound.pause();
  if (ended) ended(false);
}
// Resolves to whether it was heard to its end.
export function play(address) {
  silence();
  return new Promise((resolve) => {
    ended = (whole) => {
      ended = null;
      resolve(whole);
    };
    const mine = ended;
    sound.src = address;
    sound.onended = () => mine(true);
    sound.onerror = () => mine(true);
    sound.play().catch(() => mine(false));
  });
}

export function length(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

// A time on the clocks of the installation, with its day where that is not today.
export function when(iso) {
  const at = new Date(iso);
  const zone = { timeZone: page.dataset.zone };
  const today = new Date().toLocaleDateString("en-GB", zone) === at.toLocaleDateString("en-GB", zone);
  return at.toLocaleString("en-GB", { ...zone, ...(today ? {} : { day: "numeric", month: "short" }), hour: "2-digit", minute: "2-digit" });
}
