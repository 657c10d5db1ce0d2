"use strict";
// Saves pictures as SVG and tables as CSV, and copies commands. One listener for the whole page, so that
// what is put into it later works as well.
(() => {
  const BLACK = "#000000";
  // what the style sheet says of the viewer's balls and sticks; `vector.py` says the same
  const VIEWER =
    "circle{stroke:#000;stroke-width:.5;stroke-opacity:.6}" +
    "line{stroke:#5a6472;stroke-width:2.6;stroke-linecap:round}";
  document.documentElement.classList.add("scripted");

  function offer(content, kind, name) {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([content], { type: kind }));
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  }

  function saveSvg(button) {
    const svg = button.closest("figure").querySelector("svg").cloneNode(true);
    const [, , width, height] = svg.getAttribute("viewBox").split(" ");
    svg.setAttribute("width", `${width}pt`);
    svg.setAttribute("height", `${height}pt`);
    svg.removeAttribute("style");
    if (svg.querySelector("circle[data-i]")) {
      const style = document.createElementNS(svg.namespaceURI, "style");
      style.textContent = VIEWER;
      svg.prepend(style);
    }
    const text = new XMLSerializer().serializeToString(svg).replaceAll("currentColor", BLACK);
    offer(`<?xml version="1.0" encoding="UTF-8"?>\n${text}\n`, "image/svg+xml", button.dataset.file);
  }

  async function saveCsv(link) {
    const packed = Uint8Array.from(atob(link.href.split(",")[1]), (letter) => letter.charCodeAt(0));
    const plain = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
    offer(await new Response(plain).blob(), "text/csv", link.download.replace(/\.gz$/, ""));
  }

  async function copy(button) {
    const code = button.parentElement.querySelector("code");
    let done = true;
    try {
      await navigator.clipboard.writeText(code.textContent);
    } catch {
      getSelection().selectAllChildren(code); // where the page may not write: marked, to be copied by hand
      done = document.execCommand("copy");
    }
    const told = button.nextElementSibling;
    told.textContent = done ? "copied" : "marked, to be copied";
    setTimeout(() => (told.textContent = ""), 3000);
  }

  document.addEventListener("click", (event) => {
    const hit = event.target.closest("[data-act]");
    if (!hit) return;
    if (hit.dataset.act === "svg") saveSvg(hit);
    if (hit.dataset.act === "copy") copy(hit);
    if (hit.dataset.act === "csv" && window.DecompressionStream) {
      event.preventDefault();
      saveCsv(hit);
    }
  });
})();
