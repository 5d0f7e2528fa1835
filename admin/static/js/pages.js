// What every page does by itself: the menu on small screens, keys in lists, ages that count, players, the live stream,
// messages that fade. No page needs it to be read; without it forms and links still work.
"use strict";

(() => {
  const one = (query, root = document) => root.querySelector(query);
  const all = (query, root = document) => [...root.querySelectorAll(query)];
  const csrf = one('meta[name="csrf-token"]').content;
  const icons = one("use")?.getAttribute("href")?.split("#")[0];

  // --- The installation's clock, which may run faster than the wall ---
  const begun = { there: Number(document.body.dataset.now), here: performance.now() };
  const factor = Number(document.body.dataset.factor) || 1;
  const now = () => begun.there + ((performance.now() - begun.here) / 1000) * factor;

  function length(seconds) {
    const whole = Math.max(0, Math.floor(seconds));
    const two = (n) => String(n).padStart(2, "0");
    const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
    return h ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
  }

  function tick() {
    const at = now();
    for (const age of all(".age[data-age]")) {
      const passed = at - Number(age.dataset.age);
      const said = length(passed);
      if (age.textContent !== said) age.textContent = said;
      if (age.dataset.alarm) age.classList.toggle("late", passed > Number(age.dataset.alarm));
    }
    for (const left of all("[data-until]")) {
      const said = length(Math.ceil(Number(left.dataset.until) - at));
      if (left.textContent !== said) left.textContent = said;
    }
  }
  setInterval(tick, 500);

  // --- Messages that say what came of an action ---
  function toast(said, bad = false) {
    const note = document.createElement("div");
    note.className = bad ? "toast bad" : "toast";
    const text = document.createElement("span");
    text.textContent = said;
    note.append(text);
    one("#toasts").append(note);
    fade(note);
  }
  function fade(note) {
    const stay = note.classList.contains("bad") || note.querySelector("form") ? 12000 : 5000;
    let timer = setTimeout(() => note.remove(), stay);
    note.addEventListener("mouseenter", () => clearTimeout(timer));
    note.addEventListener("mouseleave", () => (timer = setTimeout(() => note.remove(), 2000)));
    note.addEventListener("click", (event) => event.target.closest("form") || note.remove());
  }
  all("[data-toast]").forEach(fade);
  document.addEventListener("pointsman:said", (event) => toast(event.detail));

  // --- htmx: our token with each request, a word on each failure ---
  document.addEventListener("htmx:configRequest", (event) => {
    event.detail.headers["X-CSRFToken"] = csrf;
  });
  document.addEventListener("htmx:responseError", (event) => {
    const status = event.detail.xhr.status;
    if (status === 401) location.reload();
    else if (status === 409 && event.detail.xhr.getResponseHeader("Content-Type").startsWith("text/plain")) toast(event.detail.xhr.responseText, true);
    else if (status === 403) toast("Your role does not allow that.", true);
    else if (status === 503) toast("Not done: the live state cannot be reached. Nothing was changed; try again in a moment.", true);
    else toast("Not done. Nothing was changed; try again, and tell the administrator if it goes on.", true);
  });
  document.addEventListener("htmx:sendError", () => toast("No connection to the server. Nothing was changed.", true));
  document.addEventListener("htmx:afterRequest", (event) => {
    if (!event.detail.successful) return;
    event.detail.elt.closest("details.drop")?.removeAttribute("open");
    if (event.detail.elt.dataset.then === "reload") location.reload();
  });

  // --- Drop-downs: one open at a time; Escape and a click beside close them; one that would leave the page opens to the right ---
  document.addEventListener("toggle", ({ target: drop }) => {
    if (drop.open && drop.matches?.("details.drop:not(.left)") && one(".sheet", drop)?.getBoundingClientRect().left < 0) drop.classList.add("left");
  }, true);
  document.addEventListener("click", (event) => {
    for (const drop of all("details.drop[open]")) if (!drop.contains(event.target)) drop.open = false;
    if (one("#frame.open") && !event.target.closest("#side, [data-menu]")) menu(false);
  });
  function menu(open) {
    one("#frame").classList.toggle("open", open);
    one("[data-menu]").setAttribute("aria-expanded", String(open));
  }
  one("#side [aria-current]")?.scrollIntoView({ block: "nearest" });
  one("[data-menu]")?.addEventListener("click", () => menu(!one("#frame.open")));

  // --- Keys ---
  const typing = (target) => target.closest?.("input, select, textarea, [contenteditable]");
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      const drop = one("details.drop[open]");
      if (drop) {
        drop.open = false;
        one("summary", drop).focus();
      } else if (one("#frame.open")) menu(false);
      else if (document.body.classList.contains("wall")) wall(false);
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
    if (event.key === "/") {
      event.preventDefault();
      one("[data-search]")?.focus();
    } else if (["ArrowDown", "ArrowUp", "Home", "End", "Enter"].includes(event.key)) walk(event);
  });
  function walk(event) {
    const rows = all("[data-list-keys] tr[data-open]");
    if (!rows.length || event.target.closest("button, a, summary, audio")) return;
    const at = rows.indexOf(document.activeElement);
    if (event.key === "Enter") {
      if (at >= 0) location.href = rows[at].dataset.open;
      return;
    }
    event.preventDefault();
    const next = { ArrowDown: at + 1, ArrowUp: at < 0 ? 0 : at - 1, Home: 0, End: rows.length - 1 }[event.key];
    const row = rows[Math.min(rows.length - 1, Math.max(0, next))];
    rows.forEach((other) => (other.tabIndex = other === row ? 0 : -1));
    row.focus();
    row.scrollIntoView({ block: "nearest" });
  }
  document.addEventListener("click", (event) => {
    const row = event.target.closest("tr[data-open]");
    if (!row || event.target.closest("a, button, input, label, summary, audio, .player")) return;
    if (String(getSelection())) return;
    if (event.ctrlKey || event.metaKey) open(row.dataset.open);
    else location.href = row.dataset.open;
  });

  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-print]")) print();
  });

  // --- Filters and forms ---
  document.addEventListener("change", (event) => {
    const field = event.target;
    if (field.matches("[data-period]")) one("[data-dates]").hidden = field.value !== "dates";
    if (field.matches("[data-send]") && !(field.matches("[data-period]") && field.value === "dates")) field.form.requestSubmit();
    if (field.form?.matches("[data-guard]")) field.form.dataset.changed = "1";
    if (field.form?.matches("[data-guard]")) sides(field.form);
  });
  // A number's form: only the target that fits the kind is shown and sent, and the closed side only with a calendar.
  function sides(form) {
    const closed = one("[data-closed]", form);
    if (!closed) return;
    closed.hidden = !one("[name=calendar]", form).value;
    for (const part of all("[data-side]", form)) {
      part.hidden = one(`[name=${part.dataset.side}-to]`, form).value !== part.dataset.kind;
      all("select", part).forEach((inner) => (inner.disabled = part.hidden));
    }
  }
  all("form[data-guard]").forEach(sides);
  document.addEventListener("input", (event) => {
    const field = event.target;
    if (field.form?.matches("[data-guard]")) field.form.dataset.changed = "1";
    if (field.getAttribute("aria-invalid") === "true" || field.dataset.touched) checked(field);
  });
  document.addEventListener("focusout", (event) => {
    if (!event.target.form?.matches("[data-guard]") || !event.target.value) return;
    event.target.dataset.touched = "1";
    checked(event.target);
  });
  function checked(field) {
    const place = document.getElementById(field.getAttribute("aria-describedby") || "");
    if (!place || !field.willValidate) return;
    const bad = !field.validity.valid;
    field.setAttribute("aria-invalid", String(bad));
    one(".fault", place)?.remove();
    if (bad) {
      const fault = document.createElement("div");
      fault.className = "fault";
      fault.textContent = field.validity.patternMismatch && field.title ? field.title : field.validationMessage;
      place.prepend(fault);
    }
  }
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.matches("[data-guard]")) delete form.dataset.changed;
    const save = event.submitter;
    if (form.method === "post" && save) {
      setTimeout(() => (save.disabled = true));
      addEventListener("pageshow", () => (save.disabled = false), { once: true });
    }
  });
  // A field at fault in a part that is folded could not be shown: the part opens.
  document.addEventListener("invalid", (event) => {
    for (let part = event.target.closest("details:not([open])"); part; part = part.parentElement.closest("details:not([open])")) part.open = true;
  }, true);
  // A file that is chosen is sent at once.
  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-sends]") && event.target.files.length) event.target.form.requestSubmit();
  });
  addEventListener("beforeunload", (event) => {
    if (one("form[data-guard][data-changed]")) event.preventDefault();
  });
  all("[data-focus]").forEach((element) => element.focus());
  document.addEventListener("click", (event) => {
    const opens = event.target.closest("[data-dialog]");
    if (opens) document.getElementById(opens.dataset.dialog).showModal();
    if (event.target.closest("[data-close]")) event.target.closest("dialog").close();
  });

  // --- Players: one sound at a time, marked as listened to once it plays ---
  const sound = new Audio();
  sound.preload = "none";
  let playing = null;
  function drawn(player, on) {
    player.classList.toggle("playing", on);
    const use = one("button use", player);
    use.setAttribute("href", `${icons}#player-${on ? "pause" : "play"}`);
  }
  document.addEventListener("click", (event) => {
    const player = event.target.closest("[data-play]")?.closest("[data-player]");
    if (!player) return;
    if (playing === player) {
      if (sound.paused) sound.play();
      else sound.pause();
      return;
    }
    if (playing) drawn(playing, false);
    playing = player;
    sound.src = player.dataset.src;
    sound.play().catch(() => toast("The recording cannot be played; its file may be gone.", true));
  });
  sound.addEventListener("play", () => {
    drawn(playing, true);
    listened(playing.dataset.mark, one(".heard", playing));
  });
  sound.addEventListener("pause", () => playing && drawn(playing, false));
  sound.addEventListener("timeupdate", () => {
    const seconds = playing && one(".small", playing);
    if (seconds) seconds.textContent = `${length(sound.currentTime)} / ${length(Number(playing.dataset.seconds) + 0.5)}`;
  });
  async function listened(address, sign) {
    if (!address || sign?.classList.contains("yes")) return;
    const answer = await fetch(address, { method: "POST", headers: { "X-CSRFToken": csrf } }).catch(() => null);
    if (!answer?.ok || !sign) return;
    sign.classList.add("yes");
    sign.title = "Listened to";
    one("use", sign)?.setAttribute("href", `${icons}#checks`);
    const word = one(".unseen", sign);
    if (word) word.textContent = "listened to";
    sign.closest("tr")?.classList.remove("new");
  }
  all("audio[data-mark]").forEach((audio) => {
    audio.addEventListener("play", () => listened(audio.dataset.mark, one(".heard", audio.parentElement)));
  });

  // --- The live stream ---
  const sources = new WeakMap();

  // Bring a piece of the page up to date, touching only what differs, so that a menu that stands open stays open.
  function update(root, html) {
    const fresh = document.createElement("template");
    fresh.innerHTML = html;
    const keyed = (element) => element.dataset.key || element.dataset.part;
    const shape = (element) =>
      [...element.querySelectorAll("[data-list], [data-part]")].map((e) => e.dataset.list || e.dataset.part).join();
    if (shape(root) !== shape(fresh.content)) {
      if (one("details[open]", root)) return;
      root.replaceChildren(fresh.content);
      sourced(root);
    } else {
      for (const part of all("[data-part]", fresh.content)) swap(one(`[data-part="${part.dataset.part}"]`, root), part);
      for (const list of all("[data-list]", fresh.content)) {
        const shown = one(`[data-list="${list.dataset.list}"]`, root);
        const old = new Map([...shown.children].map((child) => [keyed(child), child]));
        let before = shown.firstElementChild;
        for (const child of [...list.children]) {
          const same = old.get(keyed(child));
          old.delete(keyed(child));
          const node = same ? swap(same, child, before) : child;
          if (same && before === same) before = node;
          if (node !== before) shown.insertBefore(node, before);
          else before = before.nextElementSibling;
        }
        for (const gone of old.values()) gone.remove();
        sourced(shown);
      }
    }
    htmx.process(root);
    tick();
  }
  function sourced(root) {
    for (const part of all("[data-part], [data-key]", root)) if (!sources.has(part)) sources.set(part, part.outerHTML);
  }
  const bare = (html) => html.replace(/(<time class="age[^>]*>)[^<]*/g, "$1");
  function swap(old, fresh) {
    const html = bare(fresh.outerHTML);
    if (bare(sources.get(old) || "") === html || one("details[open]", old)) return old;
    const focused = old.contains(document.activeElement) && one("summary", fresh);
    old.replaceWith(fresh);
    sources.set(fresh, html);
    if (focused) focused.focus();
    return fresh;
  }

  const board = one("[data-board]");
  const state = one("[data-state-bar]");
  const bar = one("#connection");
  let stream = null;
  let lost = null;
  let hidden = null;

  function connect() {
    stream?.close();
    stream = new EventSource(`/stream${board ? "?board=1" : ""}`);
    stream.addEventListener("open", () => {
      clearTimeout(lost);
      lost = null;
      bar.hidden = true;
    });
    stream.addEventListener("error", () => {
      if (lost === null) {
        const at = new Date();
        lost = setTimeout(() => {
          one("[data-lost-at]").textContent = at.toLocaleTimeString();
          bar.hidden = false;
        }, 1500);
      }
      if (stream.readyState === EventSource.CLOSED) setTimeout(connect, 3000);
    });
    stream.addEventListener("board", (event) => board && update(board, event.data));
    stream.addEventListener("state", (event) => state && !one("details[open]", state) && put(state, event.data));
    stream.addEventListener("desk", (event) => {
      const desk = one("[data-desk]");
      if (desk) put(desk, event.data);
    });
    stream.addEventListener("pop", (event) => pop(event.data));
  }
  function put(root, html) {
    const focused = root.contains(document.activeElement);
    root.innerHTML = html;
    htmx.process(root);
    if (focused) one("summary", root)?.focus();
  }
  if (board || state) {
    if (board) sourced(board);
    connect();
    // A browser allows six connections to one server: a page that nobody sees gives its own back.
    document.addEventListener("visibilitychange", () => {
      clearTimeout(hidden);
      if (document.hidden) {
        hidden = setTimeout(() => {
          stream.close();
          stream = null;
        }, 20000);
      } else if (!stream) connect();
    });
  }

  // --- The pop: slides in at the right, says so to screen readers, never takes the focus ---
  let place = null;
  let dismissed = "";
  function pop(html) {
    const fresh = document.createElement("template");
    fresh.innerHTML = html;
    const card = one(".pop-card", fresh.content);
    if (!card) return;
    if (dismissed === card.dataset.call && card.dataset.event !== "offered") return;
    if (!place) {
      place = document.createElement("aside");
      place.className = "pop";
      place.setAttribute("aria-label", "Call");
      place.setAttribute("aria-live", "assertive");
      document.body.append(place);
    }
    const same = one(".pop-card", place)?.dataset.call === card.dataset.call;
    if (!same && card.dataset.event !== "offered" && card.dataset.event !== "answered" && one(".pop-card.offered, .pop-card.answered", place)) return;
    place.classList.toggle("coming", !same);
    place.replaceChildren(card);
    htmx.process(place);
    tick();
    if (["ended", "missed"].includes(card.dataset.event)) setTimeout(again, 1500);
  }
  // The desk's list of calls, once the call that just ended has its record.
  async function again() {
    const mine = one("#mine");
    if (!mine || mine.contains(document.activeElement)) return;
    const answer = await fetch(location.href).catch(() => null);
    if (!answer?.ok) return;
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("#mine");
    if (fresh) mine.replaceWith(fresh);
  }
  document.addEventListener("click", (event) => {
    const card = event.target.closest("[data-close-pop]")?.closest(".pop-card");
    if (!card) return;
    dismissed = card.dataset.call;
    card.remove();
  });

  // --- Wall mode: the board alone, large ---
  function wall(on) {
    document.body.classList.toggle("wall", on);
    const address = new URL(location.href);
    if (on) address.searchParams.set("wall", "1");
    else address.searchParams.delete("wall");
    history.replaceState(null, "", address);
  }
  one("[data-wall]")?.addEventListener("click", () => wall(true));
  if (board && new URLSearchParams(location.search).get("wall") === "1") wall(true);
})();
