// Where cards, their exits and the lines between them stand, in the canvas's own measure.

export const WIDTH = 224;
export const HEAD = 52;
export const ROW = 24;
export const FOOT = 6;

// The exits that a card shows: those that lead somewhere or have to, and where a call may end; all of them where it is open.
export function shown(model, name, open) {
  const exits = model.node(name).exits || {};
  return model.exitsOf(name).filter((exit) => open || exits[exit.name] || exit.must || (exit.ends && exit.name !== "error"));
}

export function height(rows) {
  return HEAD + rows * ROW + FOOT;
}

export function entry([x, y]) {
  return [x, y + HEAD / 2];
}

export function outlet([x, y], row) {
  return [x + WIDTH, y + HEAD + row * ROW + ROW / 2];
}

// A line from one point to another that leaves and enters level; one that leads back goes round.
export function line([x1, y1], [x2, y2]) {
  const across = x2 - x1;
  if (across > 30) {
    const bend = Math.min(Math.max(across / 2, 36), 160);
    return `M${x1} ${y1}C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2 - 7} ${y2}`;
  }
  const bend = Math.min(60 - across / 3, 320);
  const turn = Math.abs(y2 - y1) < 90 ? 130 : 0;
  return `M${x1} ${y1}C${x1 + bend} ${y1 - turn} ${x2 - bend} ${y2 - turn} ${x2 - 7} ${y2}`;
}

// The field that a whole flow takes.
export function bounds(model, names = Object.keys(model.doc.nodes)) {
  if (!names.length) return { x: 0, y: 0, width: 400, height: 300 };
  let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
  for (const name of names) {
    const [x, y] = model.place(name);
    left = Math.min(left, x);
    top = Math.min(top, y);
    right = Math.max(right, x + WIDTH);
    bottom = Math.max(bottom, y + height(shown(model, name, false).length));
  }
  return { x: left, y: top, width: right - left, height: bottom - top };
}

// The nearest node from one in a direction (dx, dy of -1, 0, 1), as arrow keys go.
export function nearest(model, from, dx, dy) {
  const [x, y] = model.place(from);
  let best = null;
  let least = Infinity;
  for (const name of Object.keys(model.doc.nodes)) {
    if (name === from) continue;
    const [a, b] = model.place(name);
    const along = (a - x) * dx + (b - y) * dy;
    if (along <= 0) continue;
    const aside = Math.abs((a - x) * dy) + Math.abs((b - y) * dx);
    const far = along + aside * 2.5;
    if (far < least) [least, best] = [far, name];
  }
  return best;
}
