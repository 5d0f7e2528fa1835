// The page that tells what a caller of a number would get, at any date and time.

import { el, icon, page } from "./dom.js";
import { Simulator } from "./simulator.js";

if (page) {
  const numbers = el("select", { id: "walk-number" });
  numbers.append(document.getElementById("numbers").content.cloneNode(true));
  const asked = new URLSearchParams(location.search).get("number");
  if (asked) numbers.value = asked;
  const way = document.querySelector("[data-way]");
  const simulator = new Simulator(document.querySelector("[data-walk]"), {
    address: () => "/data/number-walks",
    more: () => ({ number: numbers.value }),
    zone: page.dataset.zone,
    numbers,
  });
  simulator.addEventListener("path", ({ detail }) => {
    const steps = detail?.path || [];
    document.querySelector("[data-way-empty]").hidden = steps.length > 0;
    way.replaceChildren(
      ...steps.map((step) => el("li", {}, el("a", { href: `/setup/flows/${encodeURIComponent(step.flow)}` }, step.flow), el("b", {}, step.node), step.exit ? el("span", { class: "soft" }, icon("arrow-forward-up", "s"), step.exit.replaceAll("_", " ")) : el("span", { class: "badge talk" }, "here"))),
    );
  });
}
