// What mouse and finger do on the canvas: choose, move, draw a line from an exit to a node, choose by a band.

import { line, outlet } from "./geometry.js";

const NEAR = 4; // pixels that a hand may tremble

export function gestures(surface) {
  const root = surface.root;
  root.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || !surface.model) return;
    const card = event.target.closest(".card");
    const wire = event.target.closest(".wire");
    const exit = event.target.closest(".exit");
    // The card may be drawn anew under the hand; what follows must not be taken for a hand on the ground, which pans.
    if (card || wire) event.preventDefault();
    if (card) {
      const grabbed = exit && (event.target.closest(".port") || event.clientX > exit.getBoundingClientRect().right - 34 * surface.view.k);
      root.focus({ preventScroll: true });
      if (grabbed && !surface.model.readOnly) pull(surface, event, card.dataset.node, exit.dataset.exit);
      else grab(surface, event, card.dataset.node);
    } else if (wire) {
      surface.model.selectWire(wire.dataset.node, wire.dataset.exit);
      root.focus({ preventScroll: true });
    } else if (event.shiftKey) band(surface, event);
    else if (!event.target.closest(".canvas-note")) press(surface, event);
  });
  root.addEventListener("dblclick", (event) => {
    const card = event.target.closest(".card");
    if (card) surface.dispatchEvent(new CustomEvent("open", { detail: { node: card.dataset.node } }));
    else if (!surface.model.readOnly && !event.target.closest(".wire, .canvas-note")) {
      surface.dispatchEvent(new CustomEvent("wanted", { detail: { place: surface.at(event.clientX, event.clientY), from: null } }));
    }
  });
}

function follow(event, moved, done) {
  const begin = [event.clientX, event.clientY];
  let far = false;
  const stop = new AbortController();
  const options = { signal: stop.signal };
  addEventListener("pointermove", (now) => {
    const [dx, dy] = [now.clientX - begin[0], now.clientY - begin[1]];
    if (!far && Math.hypot(dx, dy) < NEAR) return;
    far = true;
    moved(dx, dy, now);
  }, options);
  const end = (now, given) => {
    stop.abort();
    done(far && given, now);
  };
  addEventListener("pointerup", (now) => end(now, true), options);
  addEventListener("pointercancel", (now) => end(now, false), options);
  addEventListener("keydown", (now) => {
    if (now.key !== "Escape") return;
    now.stopPropagation();
    end(now, false);
  }, { ...options, capture: true });
}

// A click on the ground chooses nothing; moving it pans, which is the zoom's own work.
function press(surface, event) {
  let moved = false;
  follow(event, () => (moved = true), () => {
    if (!moved && (surface.model.selection.size || surface.model.wire)) surface.model.select([]);
  });
}

function grab(surface, event, name) {
  const model = surface.model;
  const more = event.shiftKey || event.ctrlKey || event.metaKey;
  const before = model.selection.has(name);
  if (more) {
    const names = new Set(model.selection);
    if (before) names.delete(name);
    else names.add(name);
    model.select(names);
  } else if (!before) model.select([name]);
  const names = new Set(model.selection);
  if (model.readOnly || !names.has(name)) return;
  follow(
    event,
    (dx, dy) => {
      surface.dragged = { names, dx: dx / surface.view.k, dy: dy / surface.view.k };
      surface.later();
    },
    (far) => {
      const drag = surface.dragged;
      surface.dragged = null;
      if (far && drag) model.move([...names], round(drag.dx), round(drag.dy));
      else if (!more && before && names.size > 1) model.select([name]);
      surface.draw();
    },
  );
}

function round(pixels) {
  return Math.round(pixels / 4) * 4;
}

// Draw a line out of an exit; let go over a node to connect, over the ground to add one there.
function pull(surface, event, name, exit) {
  const model = surface.model;
  const row = surface.rows(name).findIndex((each) => each.name === exit);
  const from = outlet(surface.placeOf(name), Math.max(0, row));
  let over = null;
  follow(
    event,
    (dx, dy, now) => {
      const card = document.elementFromPoint(now.clientX, now.clientY)?.closest(".card");
      if (over !== card) {
        over?.classList.remove("target");
        card?.classList.add("target");
        over = card;
      }
      surface.pulled = line(from, surface.at(now.clientX, now.clientY));
      surface.later();
    },
    (far, now) => {
      over?.classList.remove("target");
      surface.pulled = null;
      surface.draw();
      if (far && over) model.connect(name, exit, over.dataset.node);
      else if (far && document.elementFromPoint(now.clientX, now.clientY)?.closest(".canvas")) {
        surface.dispatchEvent(new CustomEvent("wanted", { detail: { place: surface.at(now.clientX, now.clientY - 20), from: { node: name, exit } } }));
      } else if (!far && now.type === "pointerup") {
        model.select([name]);
        surface.dispatchEvent(new CustomEvent("lead", { detail: { node: name, exit } }));
      }
    },
  );
}

function band(surface, event) {
  const field = surface.root.getBoundingClientRect();
  const frame = surface.band;
  const already = new Set(surface.model.selection);
  follow(
    event,
    (dx, dy) => {
      const [left, top] = [Math.min(event.clientX, event.clientX + dx), Math.min(event.clientY, event.clientY + dy)];
      frame.hidden = false;
      frame.style.transform = `translate(${left - field.left}px, ${top - field.top}px)`;
      frame.style.width = `${Math.abs(dx)}px`;
      frame.style.height = `${Math.abs(dy)}px`;
      const [x1, y1] = surface.at(left, top);
      const [x2, y2] = surface.at(left + Math.abs(dx), top + Math.abs(dy));
      const inside = Object.keys(surface.model.doc.nodes).filter((name) => {
        const [x, y] = surface.model.place(name);
        return x < x2 && x + 224 > x1 && y < y2 && y + 80 > y1;
      });
      surface.model.select([...already, ...inside]);
    },
    () => (frame.hidden = true),
  );
}

