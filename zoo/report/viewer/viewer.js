"use strict";
// Turns the SVG models of the page: drag or arrow keys, wheel or + and − to zoom, a slider for the frames.
for (const box of document.querySelectorAll(".viewer")) startViewer(box);

function startViewer(box) {
  const data = JSON.parse(box.querySelector("script").textContent);
  const svg = box.querySelector("svg");
  const slider = box.querySelector("input");
  const output = box.querySelector("output");
  const byIndex = (a, b) => a.dataset.i - b.dataset.i;
  const atoms = [...svg.querySelectorAll("circle")].sort(byIndex);
  const bonds = [...svg.querySelectorAll("line")].sort(byIndex);
  const STEP = 0.12; // radians of a key
  const INSIDE = 0.85; // where a stick begins, in radii of its ball
  let rotation = [1, 0, 0, 0, 1, 0, 0, 0, 1];
  let zoom = 1;

  function draw() {
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
    svg.append(...order.map((pair) => pair[1])); // from back to front
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
    if (event.target === slider || event.ctrlKey || event.metaKey || event.altKey) return;
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
  slider.addEventListener("input", draw);
  box.querySelector(".controls").hidden = false;
  draw();
}
