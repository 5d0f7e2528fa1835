// One call's page: the recording's place on the time line moves with the sound, and a click there moves the sound.
"use strict";

(() => {
  const players = [...document.querySelectorAll("[data-recording] audio")];
  document.querySelectorAll("[data-track]").forEach((track, number) => {
    const audio = players[number];
    if (!audio) return;
    const [left, width] = [Number(track.dataset.left), Number(track.dataset.width)];
    const line = track.querySelector(".head-line");
    const whole = () => (Number.isFinite(audio.duration) ? audio.duration : 0);

    function draw() {
      const at = `${left + (whole() ? (width * audio.currentTime) / whole() : 0)}%`;
      line.setAttribute("x1", at);
      line.setAttribute("x2", at);
      if (!audio.paused) requestAnimationFrame(draw);
    }
    audio.addEventListener("play", draw);
    audio.addEventListener("seeked", draw);
    track.addEventListener("click", (event) => {
      const field = track.getBoundingClientRect();
      const part = ((event.clientX - field.left) / field.width) * 100;
      const wanted = Math.min(1, Math.max(0, (part - left) / width));
      const go = () => {
        audio.currentTime = wanted * whole();
        audio.play();
      };
      if (whole()) go();
      else {
        audio.addEventListener("loadedmetadata", go, { once: true });
        audio.load();
        audio.preload = "metadata";
      }
    });
  });
})();
