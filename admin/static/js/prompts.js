// Prompts: several uploads at once with their progress, a single one, and recording in the browser.
"use strict";

(() => {
  const one = (query, root = document) => root.querySelector(query);
  const all = (query, root = document) => [...root.querySelectorAll(query)];
  const csrf = one('meta[name="csrf-token"]').content;
  const letters = { ø: "oe", æ: "ae", å: "aa", ß: "ss", ł: "l", đ: "d", þ: "th", ð: "d" };

  // The name that a file's name suggests, as the server makes it.
  function slug(name) {
    const stem = name.includes(".") ? name.slice(0, name.lastIndexOf(".")) : name;
    return stem
      .toLowerCase()
      .replace(/[øæåßłđþð]/g, (letter) => letters[letter])
      .normalize("NFKD")
      .replace(/\p{M}/gu, "")
      .replace(/[^a-z0-9]+/g, "_")
      .slice(0, 80)
      .replace(/^_+|_+$/g, "");
  }
  function size(bytes) {
    return bytes < 1048576 ? `${Math.max(1, Math.round(bytes / 1024))} KB` : `${(bytes / 1048576).toFixed(1)} MB`;
  }
  function say(place, text, tone = "") {
    place.textContent = text;
    place.classList.toggle("bad", tone === "bad");
    place.classList.toggle("good", tone === "good");
  }

  // Send fields to an address; `moved` hears of the share that has gone. Resolves with what was made, rejects with a sentence.
  function send(address, fields, moved) {
    return new Promise((done, failed) => {
      const form = new FormData();
      for (const [name, value, file] of fields) file ? form.append(name, value, file) : form.append(name, value);
      const request = new XMLHttpRequest();
      request.open("POST", address);
      request.setRequestHeader("Accept", "application/json");
      request.setRequestHeader("X-CSRFToken", csrf);
      request.responseType = "json";
      request.upload.addEventListener("progress", (event) => event.lengthComputable && moved(event.loaded / event.total));
      request.addEventListener("load", () => {
        if (request.status === 200) done(request.response);
        else if (request.status === 401) failed("You are not signed in any more. Reload the page and sign in.");
        else if (request.status === 413) failed("The file is too large.");
        else failed(request.response?.error || "It was not taken. Try again, and tell the administrator if it goes on.");
      });
      request.addEventListener("error", () => failed("The connection was lost. Nothing was changed; try again."));
      request.addEventListener("abort", () => failed("Cancelled. Nothing was changed."));
      request.send(form);
    });
  }
  function player(made) {
    const place = document.createElement("span");
    const link = document.createElement("a");
    link.href = made.page;
    link.textContent = "Show it";
    const sound = document.createElement("audio");
    sound.controls = true;
    sound.preload = "none";
    sound.src = made.audio;
    place.className = "line";
    place.append(sound, link);
    return place;
  }

  // --- Several files at once ---
  for (const form of all("[data-uploads]")) {
    const queue = one("[data-queue]", form);
    const zone = one("[data-zone]", form);
    const input = one("input[type=file]", form);
    const start = one("[data-start]", form);
    const waiting = new Map();
    let busy = false;

    function shown() {
      const count = waiting.size;
      const unit = form.dataset.unit;
      one("span", start).textContent = busy ? "Uploading" : count > 1 ? `Upload ${count} ${unit}s` : "Upload";
      start.disabled = busy;
    }
    function add(files) {
      for (const file of files) {
        const row = one("[data-row]", form).content.firstElementChild.cloneNode(true);
        one(".file", row).textContent = `${file.name} (${size(file.size)})`;
        one(".file", row).title = file.name;
        const name = one("input", row);
        if (name) name.value = slug(file.name);
        const said = one(".said", row);
        if (file.size > Number(form.dataset.most)) {
          say(said, `It has ${size(file.size)}; ${size(Number(form.dataset.most))} is the most.`, "bad");
        } else {
          waiting.set(row, file);
        }
        one("[data-drop-file]", row).addEventListener("click", () => {
          waiting.delete(row);
          row.remove();
          shown();
        });
        queue.append(row);
      }
      input.value = "";
      shown();
    }
    async function upload(row, file) {
      const [bar, said, name] = [one("progress", row), one(".said", row), one("input", row)];
      if (name && !name.checkValidity()) {
        say(said, "A name has small letters, digits and _ only.", "bad");
        name.focus();
        return;
      }
      if (name && !name.value) {
        say(said, "Give it a name.", "bad");
        name.focus();
        return;
      }
      const drop = one("[data-drop-file]", row);
      drop.hidden = true;
      bar.hidden = false;
      bar.value = 0;
      say(said, "Sending");
      const fields = all("input[name]:not([type=file]):not(.unseen), select[name]", form).map((field) => [field.name, field.value]);
      if (name) fields.push(["name", name.value]);
      fields.push(["file", file, file.name]);
      try {
        const made = await send(form.action, fields, (share) => {
          bar.value = share * 100;
          if (share === 1) {
            bar.removeAttribute("value");
            say(said, "Converting");
          }
        });
        waiting.delete(row);
        say(said, `Saved, ${made.seconds.toFixed(1)} s`, "good");
        if (name) name.readOnly = true;
        one(".result", row).replaceChildren(player(made));
      } catch (fault) {
        say(said, String(fault), "bad");
        drop.hidden = false;
      }
      bar.hidden = true;
    }
    input.addEventListener("change", () => add(input.files));
    for (const kind of ["dragenter", "dragover"]) {
      zone.addEventListener(kind, (event) => {
        event.preventDefault();
        zone.classList.add("over");
      });
    }
    zone.addEventListener("dragleave", () => zone.classList.remove("over"));
    zone.addEventListener("drop", (event) => {
      event.preventDefault();
      zone.classList.remove("over");
      add(event.dataTransfer.files);
    });
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      event.stopImmediatePropagation();
      if (busy) return;
      if (!waiting.size) {
        input.click();
        return;
      }
      busy = true;
      shown();
      // Two at a time: as many as the server converts at once.
      const rows = [...waiting];
      const next = async () => {
        for (let pair = rows.shift(); pair; pair = rows.shift()) await upload(...pair);
      };
      await Promise.all([next(), next()]);
      busy = false;
      shown();
    }, true);
    addEventListener("beforeunload", (event) => busy && event.preventDefault());
    shown();
  }

  // --- One file for one prompt ---
  for (const form of all("[data-one-upload]")) {
    const [bar, said, button] = [one("progress", form), one(".said", form), one("button", form)];
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      event.stopImmediatePropagation();
      const file = one("input[type=file]", form).files[0];
      if (!file) return;
      if (file.size > Number(form.dataset.most)) {
        say(said, `It has ${size(file.size)}; ${size(Number(form.dataset.most))} is the most.`, "bad");
        return;
      }
      const fields = all("input[type=hidden]", form).map((field) => [field.name, field.value]);
      fields.push(["file", file, file.name]);
      button.disabled = true;
      bar.hidden = false;
      bar.value = 0;
      say(said, "Sending");
      try {
        await send(form.action, fields, (share) => {
          bar.value = share * 100;
          if (share === 1) {
            bar.removeAttribute("value");
            say(said, "Converting");
          }
        });
        location.reload();
      } catch (fault) {
        say(said, String(fault), "bad");
        button.disabled = false;
        bar.hidden = true;
      }
    }, true);
  }

  // --- Recording in the browser ---
  for (const place of all("[data-recorder]")) {
    const [record, stop, again] = [one("[data-record]", place), one("[data-stop]", place), one("[data-again]", place)];
    const [save, keep, sound] = [one("[data-save]", place), one("[data-keep]", place), one("audio", place)];
    const [said, clock, meter] = [one(".said", place), one(".clock", place), one("meter", place)];
    const most = Number(place.dataset.mostSeconds);
    let recorder = null;
    let stream = null;
    let taken = null;
    let timer = 0;
    let sounding = null;

    function state(name) {
      record.hidden = name !== "idle";
      stop.hidden = clock.hidden = meter.hidden = name !== "recording";
      keep.hidden = sound.hidden = name !== "taken";
    }
    function why(fault) {
      if (fault.name === "NotAllowedError" || fault.name === "SecurityError")
        return "The browser was not allowed to use the microphone. Allow it beside the address, then try again.";
      if (fault.name === "NotFoundError") return "There is no microphone. Connect one, or record by telephone.";
      if (fault.name === "NotReadableError") return "Another program has the microphone. Close it there, then try again.";
      return "The microphone cannot be used. Record by telephone, or upload a file.";
    }
    function ended() {
      clearInterval(timer);
      stream?.getTracks().forEach((track) => track.stop());
      sounding?.close();
      stream = sounding = null;
    }
    async function begin() {
      if (!navigator.mediaDevices?.getUserMedia || typeof MediaRecorder === "undefined") {
        say(said, isSecureContext
          ? "This browser cannot record. Record by telephone, or upload a file."
          : "Browsers record only on pages that come by https, or from this very machine. Record by telephone, or upload a file.", "bad");
        return;
      }
      record.disabled = true;
      try {
        stream = await navigator.mediaDevices.getUserMedia({ audio: { channelCount: 1, noiseSuppression: true } });
      } catch (fault) {
        say(said, why(fault), "bad");
        return;
      } finally {
        record.disabled = false;
      }
      const parts = [];
      recorder = new MediaRecorder(stream);
      recorder.addEventListener("dataavailable", (event) => event.data.size && parts.push(event.data));
      recorder.addEventListener("stop", () => {
        ended();
        taken = new Blob(parts, { type: recorder.mimeType });
        if (sound.src) URL.revokeObjectURL(sound.src);
        sound.src = URL.createObjectURL(taken);
        say(said, "Listen to it, then save it or record it again. Silence at both ends will be cut.");
        state("taken");
        save.focus();
      });
      recorder.start(1000);
      const begun = performance.now();
      sounding = new AudioContext();
      const ear = sounding.createAnalyser();
      sounding.createMediaStreamSource(stream).connect(ear);
      const heard = new Float32Array(ear.fftSize);
      timer = setInterval(() => {
        const seconds = Math.floor((performance.now() - begun) / 1000);
        clock.textContent = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
        ear.getFloatTimeDomainData(heard);
        meter.value = Math.min(1, Math.max(...heard.map(Math.abs)) * 1.5);
        if (seconds >= most) recorder.stop();
      }, 100);
      say(said, "Recording. Speak now.");
      state("recording");
      stop.focus();
    }
    record.addEventListener("click", begin);
    stop.addEventListener("click", () => recorder?.state === "recording" && recorder.stop());
    again.addEventListener("click", () => {
      sound.pause();
      taken = null;
      begin();
    });
    save.addEventListener("click", async () => {
      save.disabled = again.disabled = true;
      say(said, "Sending");
      const fields = [["name", place.dataset.name], ["language", place.dataset.language], ["origin", "browser"]];
      fields.push(["file", taken, "recording"]);
      try {
        await send(place.dataset.address, fields, (share) => share === 1 && say(said, "Converting"));
        taken = null;
        location.reload();
      } catch (fault) {
        say(said, String(fault), "bad");
        save.disabled = again.disabled = false;
      }
    });
    addEventListener("beforeunload", (event) => taken && event.preventDefault());
  }
})();
