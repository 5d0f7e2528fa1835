// Callers who wait are dragged: onto another caller of the queue (before it), onto a queue, onto an agent.
"use strict";

(() => {
  const board = document.querySelector("[data-board]");
  let dragged = null;

  function target(event) {
    const to = event.target.closest?.("[data-to]");
    if (!to || !dragged || to === dragged) return null;
    if (to.dataset.to === "before") return to.dataset.queue === dragged.dataset.queue ? to : null;
    if (to.dataset.to === "queue") return to.dataset.toName === dragged.dataset.queue ? null : to;
    return to;
  }
  const unmark = () => board.querySelectorAll(".drop-here").forEach((row) => row.classList.remove("drop-here"));

  board.addEventListener("dragstart", (event) => {
    dragged = event.target.closest?.("[data-entry]");
    if (!dragged) return;
    event.dataTransfer.effectAllowed = "move";
    event.dataTransfer.setData("text/plain", dragged.dataset.entry);
    board.classList.add("dragging");
  });
  board.addEventListener("dragover", (event) => {
    const to = target(event);
    unmark();
    if (!to) return;
    event.preventDefault();
    to.classList.add("drop-here");
  });
  board.addEventListener("dragend", () => {
    dragged = null;
    unmark();
    board.classList.remove("dragging");
  });
  board.addEventListener("drop", (event) => {
    const to = target(event);
    if (!to) return;
    event.preventDefault();
    const entry = `/live/entries/${dragged.dataset.entry}`;
    if (to.dataset.to === "before") send(`${entry}/place`, { before: to.dataset.entry }, "The order is changed.");
    else if (to.dataset.to === "queue") send(`${entry}/queue`, { queue: to.dataset.toName }, `On the way to ${to.dataset.toTitle}.`);
    else send(`${entry}/agent`, { agent_id: to.dataset.toName }, `${to.dataset.toTitle} gets the caller as soon as free.`);
  });

  // The same word for what is dragged and what is chosen from the menu; a refusal says why by itself.
  function send(address, values, said) {
    htmx.ajax("POST", address, { values, swap: "none", source: board }).then(() => tell(said));
  }
  let refused = false;
  document.addEventListener("htmx:beforeRequest", () => (refused = false));
  document.addEventListener("htmx:responseError", () => (refused = true));
  document.addEventListener("htmx:afterRequest", (event) => {
    const said = event.detail.elt.dataset?.said;
    if (said && event.detail.successful) tell(said);
  });
  function tell(said) {
    if (!refused) document.dispatchEvent(new CustomEvent("pointsman:said", { detail: said }));
  }
})();
