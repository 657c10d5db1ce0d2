"use strict";
// Follows a run: asks for its state, and for those pictures that have changed. What has the keyboard keeps it.
(() => {
  const OFTEN = 2000; // ms between questions
  const SELDOM = 10000; // of a run that is finished, or where the page is not seen
  const at = (id) => document.getElementById(id);
  const slider = at("epoch");
  const drawn = new Map(); // section → version of what it shows
  let state = null;
  let timer = 0;
  let busy = false;
  let again = false;

  async function ask(path) {
    const answer = await fetch(path, { cache: "no-store" });
    if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
    return answer.json();
  }

  function say(node, text) {
    if (node.textContent !== text) node.textContent = text;
  }

  function make(name, text, kind) {
    const node = document.createElement(name);
    if (text !== undefined) node.textContent = text;
    if (kind) node.className = kind;
    return node;
  }

  // --- pictures -------------------------------------------------------------------------------------

  // one figure for each title, kept while there is one of that title
  function showPictures(section, pictures) {
    const box = section.querySelector(".pictures");
    const old = new Map([...box.children].map((figure) => [figure.dataset.title, figure]));
    const wanted = pictures.map((picture, n) => {
      const figure = old.get(picture.title) || newFigure(`${section.id}-${n}`, picture.title);
      old.delete(picture.title);
      fill(figure, picture);
      return figure;
    });
    for (const figure of old.values()) figure.remove();
    wanted.forEach((figure, n) => {
      if (box.children[n] !== figure) box.insertBefore(figure, box.children[n] || null);
    });
  }

  function newFigure(id, title) {
    const figure = make("figure");
    figure.dataset.title = title;
    const heading = make("h4", title);
    heading.id = `${id}-title`;
    figure.setAttribute("aria-labelledby", heading.id);
    const scroll = make("div", undefined, "scroll");
    scroll.tabIndex = 0;
    scroll.setAttribute("role", "region");
    scroll.setAttribute("aria-labelledby", heading.id);
    figure.append(heading, scroll, make("figcaption"));
    return figure;
  }

  const HELD = ["input", "button", ".viewer"]; // what in a picture can have the keyboard

  function fill(figure, picture) {
    const scroll = figure.querySelector(".scroll");
    const active = document.activeElement;
    const held = scroll.contains(active) && scroll !== active ? HELD.find((s) => active.matches(s)) : null;
    const frame = scroll.querySelector(".viewer input")?.value;
    scroll.innerHTML = picture.svg;
    for (const box of scroll.querySelectorAll(".viewer")) {
      startViewer(box);
      const own = box.querySelector("input");
      if (own && frame !== undefined) {
        own.value = frame; // the browser keeps it within the range
        own.dispatchEvent(new Event("input", { bubbles: true }));
      }
    }
    if (held) scroll.querySelector(held)?.focus();
    say(figure.querySelector("figcaption"), picture.caption);
  }

  function showLook(section, answer) {
    const problem = section.querySelector(".problem");
    problem.hidden = !answer.problem;
    say(problem, answer.problem || "");
    showPictures(section, answer.pictures);
    const numbers = section.querySelector(".numbers");
    numbers.hidden = !answer.numbers.length;
    numbers.querySelector("tbody").replaceChildren(
      ...answer.numbers.map(([name, value, unit]) => {
        const row = make("tr");
        const head = make("th", name);
        head.scope = "row";
        row.append(head, make("td", value, "number"), make("td", unit));
        return row;
      }),
    );
    const left = section.querySelector(".left-out");
    left.hidden = !answer.left_out.length;
    left.querySelector("ul").replaceChildren(...answer.left_out.map(([name, why]) => make("li", `${name}: ${why}`)));
  }

  // --- which epoch ----------------------------------------------------------------------------------

  function chosen() {
    return state && state.looks[Number(slider.value)];
  }

  function showChooser() {
    const looks = state.looks;
    const before = slider.dataset.epochs; // as numbers may have moved
    slider.max = Math.max(0, looks.length - 1);
    if (at("follow").checked) {
      slider.value = slider.max;
    } else {
      const same = looks.findIndex((look) => String(look.epochs) === before);
      if (same >= 0) slider.value = same;
    }
    at("no-looks").hidden = looks.length > 0;
    at("chooser").hidden = looks.length === 0;
    nameChosen();
  }

  function nameChosen() {
    const look = chosen();
    if (!look) return;
    slider.dataset.epochs = look.epochs;
    slider.setAttribute("aria-valuetext", `after ${look.epochs} epochs`);
    say(at("chosen"), `after ${look.epochs} epochs`);
    at("earlier").disabled = Number(slider.value) === 0;
    at("later").disabled = slider.value === slider.max;
  }

  function choose(place) {
    slider.value = place;
    at("follow").checked = slider.value === slider.max;
    nameChosen();
    update();
  }

  slider.addEventListener("input", () => choose(slider.value));
  at("earlier").addEventListener("click", () => choose(Number(slider.value) - 1));
  at("later").addEventListener("click", () => choose(Number(slider.value) + 1));
  at("follow").addEventListener("change", () => {
    showChooser();
    update();
  });

  // --- the run --------------------------------------------------------------------------------------

  function showState() {
    document.title = `${state.run}: ${state.headline}`;
    say(at("name"), state.run);
    say(at("about"), state.about);
    say(at("headline"), state.headline);
    say(at("detail"), state.detail);
    const list = at("flag-list");
    const text = JSON.stringify(state.flags);
    if (list.dataset.shown !== text) {
      list.dataset.shown = text;
      list.replaceChildren(
        ...state.flags.map((flag) => {
          const line = make("p", undefined, "flag");
          line.append(make("strong", `${flag.kind}.`), ` ${flag.text}`);
          return line;
        }),
      );
    }
    at("flags").hidden = state.flags.length === 0;
    const others = Object.entries(state.problems).filter(([kind]) => !at(`look-${kind}`));
    say(at("problems"), others.map(([kind, why]) => `No look at ${kind}: ${why}.`).join(" "));
    at("problems").hidden = others.length === 0;
    showChooser();
  }

  async function showCurves() {
    const section = at("curves");
    section.hidden = !state.curves;
    if (!state.curves || drawn.get("curves") === state.curves) return;
    const answer = await ask("curves.json");
    showPictures(section, answer.pictures);
    drawn.set("curves", answer.version);
  }

  async function showLooks() {
    for (const section of document.querySelectorAll(".look")) {
      const kind = section.dataset.kind;
      const look = chosen();
      const version = look && look.kinds[kind];
      const why = state.problems[kind];
      section.hidden = !version && !why;
      if (!version) {
        drawn.delete(kind);
        showLook(section, { problem: why && `No look: ${why}`, pictures: [], numbers: [], left_out: [] });
        continue;
      }
      const mark = `${look.epochs}/${version}`;
      if (drawn.get(kind) === mark) continue;
      section.setAttribute("aria-busy", "true");
      try {
        const answer = await ask(`look.json?kind=${kind}&epochs=${look.epochs}`);
        if (chosen() !== look && chosen().epochs !== look.epochs) continue; // another was chosen meanwhile
        showLook(section, answer);
        drawn.set(kind, `${answer.epochs}/${answer.version}`);
      } finally {
        section.removeAttribute("aria-busy");
      }
    }
  }

  async function update() {
    if (busy) {
      again = true;
      return;
    }
    busy = true;
    clearTimeout(timer);
    try {
      state = await ask("state.json");
      showState();
      await showCurves();
      await showLooks();
    } catch (error) {
      say(at("detail"), "No answer: is zoo watch still running?");
    } finally {
      busy = false;
    }
    if (again) {
      again = false;
      update();
      return;
    }
    const still = document.hidden || (state && state.state === "finished");
    timer = setTimeout(update, still ? SELDOM : OFTEN);
  }

  document.addEventListener("visibilitychange", () => document.hidden || update());
  update();
})();
