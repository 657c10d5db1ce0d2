"use strict";
// Turns the SVG models of the page: drag or arrow keys, wheel or + and − to zoom, a slider and a button for
// the frames. Nothing moves by itself, and nothing plays for readers who asked for less motion.
for (const box of document.querySelectorAll(".viewer")) startViewer(box);

function startViewer(box) {
  const data = JSON.parse(box.querySelector("script").textContent);
  const svg = box.querySelector("svg");
  const slider = box.querySelector("input");
  const output = box.querySelector("output");
  const play = box.querySelector(".play");
  const less = matchMedia("(prefers-reduced-motion: reduce)");
  const byIndex = (a, b) => a.dataset.i - b.dataset.i;
  const atoms = [...svg.querySelectorAll("circle")].sort(byIndex);
  const bonds = [...svg.querySelectorAll("line")].sort(byIndex);
  const STEP = 0.12; // radians of a key
  const INSIDE = 0.85; // where a stick begins, in radii of its ball
  let rotation = [1, 0, 0, 0, 1, 0, 0, 0, 1];
  let zoom = 1;
  let shown = []; // from back to front
  let waiting = false;
  let playing = 0;

  // many moves of the mouse make one picture
  function draw() {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      drawNow();
    });
  }

  function drawNow() {
    const x = data.frames[slider.value];
    const [a, b, c, d, e, f, g, h, k] = rotation;
    const at = atoms.map((_, i) => {
      const [u, v, w] = [x[3 * i] / 10, x[3 * i + 1] / 10, x[3 * i + 2] / 10];
      return [a * u + b * v + c * w, -(d * u + e * v + f * w), g * u + h * v + k * w];
    });
    const order = atoms.map((circle, i) => {
      circle.setAttribute("cx", at[i][0].toFixed(1));
      circle.setAttribute("cy", at[i][1].toFixed(1));
      return [at[i][2], circle];
    });
    data.bonds.forEach(([i, j], n) => {
      const way = at[i].map((from, k) => at[j][k] - from);
      const length = Math.hypot(...way) || 1;
      // from surface to surface, so that a stick never crosses the ball that it comes from
      const point = (end, share) => at[end].map((from, k) => from + (share * data.radii[end] * way[k]) / length);
      const [from, to] = [point(i, INSIDE), point(j, -INSIDE)];
      const line = bonds[n];
      line.setAttribute("x1", from[0].toFixed(1));
      line.setAttribute("y1", from[1].toFixed(1));
      line.setAttribute("x2", to[0].toFixed(1));
      line.setAttribute("y2", to[1].toFixed(1));
      order.push([(from[2] + to[2]) / 2, line]);
    });
    order.sort((p, q) => p[0] - q[0]);
    const nodes = order.map((pair) => pair[1]);
    if (nodes.some((node, n) => node !== shown[n])) svg.append(...nodes);
    shown = nodes;
    const side = 100 / zoom;
    svg.setAttribute("viewBox", `${-side} ${-side} ${2 * side} ${2 * side}`);
    output.textContent = data.notes[slider.value];
  }

  // about the upright axis by `right`, about the horizontal one by `down`, both of the screen
  function turn(right, down) {
    const [cy, sy, cx, sx] = [Math.cos(right), Math.sin(right), Math.cos(down), Math.sin(down)];
    const by = [cy, 0, sy, sx * sy, cx, -sx * cy, -cx * sy, sx, cx * cy];
    rotation = by.map((_, n) => {
      const [row, column] = [3 * Math.floor(n / 3), n % 3];
      return by[row] * rotation[column] + by[row + 1] * rotation[column + 3] + by[row + 2] * rotation[column + 6];
    });
    draw();
  }

  function zoomBy(factor) {
    zoom = Math.min(8, Math.max(0.5, zoom * factor));
    draw();
  }

  function setPlaying(on) {
    if (playing) clearInterval(playing);
    playing = on ? setInterval(next, 350) : 0;
    play.setAttribute("aria-pressed", on ? "true" : "false");
    play.textContent = on ? "Stop" : "Play";
    output.setAttribute("aria-live", on ? "off" : "polite"); // not read aloud at every step
  }

  function next() {
    if (document.hidden || !box.isConnected) return setPlaying(false);
    slider.value = (Number(slider.value) + 1) % data.frames.length;
    draw();
  }

  function offer() {
    play.hidden = less.matches || data.frames.length < 2;
    if (less.matches) setPlaying(false);
  }

  const keys = {
    ArrowLeft: () => turn(-STEP, 0),
    ArrowRight: () => turn(STEP, 0),
    ArrowUp: () => turn(0, -STEP),
    ArrowDown: () => turn(0, STEP),
    "+": () => zoomBy(1.15),
    "=": () => zoomBy(1.15),
    "-": () => zoomBy(1 / 1.15),
  };
  box.addEventListener("keydown", (event) => {
    if (event.target === slider || event.target === play || event.ctrlKey || event.metaKey || event.altKey) return;
    const act = keys[event.key];
    if (act) {
      event.preventDefault();
      act();
    }
  });
  svg.addEventListener("pointerdown", (event) => svg.setPointerCapture(event.pointerId));
  svg.addEventListener("pointermove", (event) => {
    if (event.buttons) turn(event.movementX * 0.01, event.movementY * 0.01);
  });
  svg.addEventListener(
    "wheel",
    (event) => {
      if (document.activeElement !== box) return; // a page that scrolls is not caught
      event.preventDefault();
      zoomBy(event.deltaY < 0 ? 1.1 : 1 / 1.1);
    },
    { passive: false },
  );
  slider.addEventListener("input", () => {
    setPlaying(false);
    draw();
  });
  play.addEventListener("click", () => setPlaying(!playing));
  less.addEventListener("change", offer);
  offer();
  slider.parentElement.hidden = data.frames.length < 2;
  box.querySelector(".controls").hidden = false;
  drawNow();
}
