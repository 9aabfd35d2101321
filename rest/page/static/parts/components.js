/** What every screen is made of. */

import { faceAt, kept, pictureAt } from "./api.js";

/** An element with properties and children; text is only ever text. `data` and `aria` are objects of their own. */
export function make(tag, { data = {}, aria = {}, ...properties } = {}, ...children) {
  const element = document.createElement(tag);
  Object.assign(element, properties);
  Object.assign(element.dataset, data);
  for (const [name, value] of Object.entries(aria)) element.setAttribute(`aria-${name}`, value);
  element.append(...children.filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

const SVG = "http://www.w3.org/2000/svg";

/** An SVG element with attributes. */
export function draw(tag, attributes = {}, ...children) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/** One of the icons of icons.html. */
export function icon(name) {
  return draw("svg", { class: "icon", "aria-hidden": "true" }, draw("use", { href: `#icon-${name}` }));
}

/** A button. `kind`: primary, quiet, danger, or none. */
export function button(text, run, { kind = "", symbol = "", ...properties } = {}) {
  return make("button", { type: "button", className: kind, onclick: run, ...properties }, symbol && icon(symbol), text);
}

/** A name as people read it: the last part of a path or URL. */
export function shortName(name) {
  const last = name.replace(/[?#].*$/, "").replace(/\/+$/, "").split("/").pop();
  try {
    return decodeURIComponent(last || name);
  } catch {
    return last || name;
  }
}

/** What a picture is called, in short. */
export function titleOf(image) {
  return image.names?.length ? shortName(image.names[0]) : `${image.hash.slice(0, 8)}…`;
}

export const plural = (count, one, many = `${one}s`) => `${count.toLocaleString("en")} ${count === 1 ? one : many}`;

/** What is to be said of a picture in a few words. */
export function stateOf(image) {
  if (image.state === "pending") return "waiting";
  if (image.state === "failed" || image.state === "damaged") return "failed";
  return image.faces.length ? plural(image.faces.length, "face") : "no face";
}

/**
 * A picture as a square: its thumbnail, or where that cannot be had its face, or its name.
 * `deferred`: the thumbnail is not loaded before `load` is called on the tile.
 */
export function tile(image, { size = 320, href = `/pictures/${image.hash}`, deferred = false } = {}) {
  const title = titleOf(image);
  const link = make("a", { className: "tile", href, data: { hash: image.hash, state: image.state }, title });
  link.append(thumbnail(image, size, link, deferred), make("span", { className: "tile-name" }, title));
  link.setAttribute("aria-label", `${title}, ${stateOf(image)}`);
  if (image.state !== "done" || !image.faces.length) {
    link.append(make("span", { className: "badge", data: { state: image.state } }, stateOf(image)));
  }
  return link;
}

function thumbnail(image, size, link, deferred) {
  const none = () => (link.classList.add("plain"), make("span", { className: "no-picture" }, icon("pictures")));
  if (image.state === "failed" || image.state === "damaged") return none();
  const shown = make("img", { alt: "", decoding: "async", loading: "lazy" });
  if (kept.originals) shown.style.objectPosition = focus(image);
  const sources = kept.originals ? [pictureAt(image.hash, size)] : [];
  if (kept.crops && image.state === "done" && image.faces.length) sources.push(faceAt(image.hash, image.face ?? 0, size));
  if (!sources.length) return none();
  const next = () => (sources.length ? (shown.src = sources.shift()) : shown.replaceWith(none()));
  shown.onerror = next;
  if (deferred) loads.set(link, next);
  else next();
  return shown;
}

const loads = new WeakMap();

/** Load the thumbnail of a tile that was made to defer that. */
export function load(tile) {
  loads.get(tile)?.();
  loads.delete(tile);
}

/** What a square should keep of a picture: its first face. Boxes are upright, the size may not be. */
function focus({ size, faces }) {
  const box = faces[0]?.box;
  if (!box || !size) return "50% 25%";
  const sides = box.right > size.width || box.bottom > size.height ? [size.height, size.width] : [size.width, size.height];
  const [across, down] = [(box.left + box.right) / 2, (box.top + box.bottom) / 2];
  const side = Math.min(...sides);
  const share = (at, length) => (length > side ? Math.min(1, Math.max(0, (at - side / 2) / (length - side))) * 100 : 50);
  return `${share(across, sides[0])}% ${share(down, sides[1])}%`;
}

/** A face alone, round, with its name below it or beside it. */
export function faceChip(hash, face, { name = "", size = 96 } = {}) {
  if (!kept.crops) return make("span", { className: "face" }, icon("face"));
  const shown = make("img", { alt: name, loading: "lazy", decoding: "async", src: faceAt(hash, face, size) });
  shown.onerror = () => shown.replaceWith(icon("face"));
  return make("span", { className: "face" }, shown);
}

/** Say something briefly, with a way back if there is one. */
export function toast(text, { undo = null, action = "Undo", kind = "", seconds = undo ? 10 : 5 } = {}) {
  const shown = make("div", { className: `toast ${kind}` }, make("span", {}, text));
  const gone = () => shown.remove();
  if (undo) {
    shown.append(
      button(action, async () => {
        gone();
        await undo();
      }),
    );
  }
  shown.append(button("", gone, { kind: "quiet", symbol: "close", ariaLabel: "Dismiss" }));
  let timer = setTimeout(gone, seconds * 1000);
  shown.onpointerenter = shown.onfocusin = () => clearTimeout(timer);
  shown.onpointerleave = shown.onfocusout = () => (timer = setTimeout(gone, seconds * 1000));
  document.getElementById("toasts").append(shown);
  return shown;
}

/** Say that something went wrong, in the error's own words. */
export function toastError(error) {
  if (error.name !== "AbortError") toast(error.message, { kind: "wrong", seconds: 8 });
}

/**
 * A dialog in the middle of the page; Escape closes it.
 * @param {string} title
 * @param {(close: (value: any) => void) => (Node | string)[]} fill gives its content
 * @returns {Promise<any>} what it was closed with; undefined if it was dismissed
 */
export function dialog(title, fill) {
  return new Promise((resolve) => {
    let value;
    const shown = make("dialog", { className: "card" });
    const close = (with_) => {
      value = with_;
      shown.close();
    };
    const heading = make("h2", { id: "dialog-title" }, title);
    shown.setAttribute("aria-labelledby", heading.id);
    shown.append(heading, ...fill(close));
    shown.onclose = () => {
      shown.remove();
      resolve(value);
    };
    shown.addEventListener("click", (event) => event.target === shown && shown.close());
    document.body.append(shown);
    shown.showModal();
  });
}

/** Ask before something that cannot be taken back. */
export function confirm(title, text, yes, { kind = "danger" } = {}) {
  return dialog(title, (close) => [
    make("p", {}, text),
    make(
      "p",
      { className: "actions" },
      button("Cancel", () => close(false)),
      button(yes, () => close(true), { kind }),
    ),
  ]);
}

/** What stands where there is nothing yet, or nothing any more. */
export function emptyState(symbol, title, ...content) {
  const big = icon(symbol);
  big.classList.add("large");
  return make("section", { className: "empty" }, big, make("h2", {}, title), ...content);
}

/** What stands where something could not be loaded, with a way to try again. */
export function errorState(error, again) {
  return emptyState("warning", "This could not be loaded", make("p", {}, error.message), button("Try again", again, { kind: "primary" }));
}

/** Grey shapes while something loads. */
export function loading(count = 12) {
  const shapes = Array.from({ length: count }, () => make("span", { className: "shape" }));
  return make("div", { className: "loading", role: "status", aria: { label: "Loading" } }, ...shapes);
}

/** Run once things have settled, as after typing. */
export function settled(run, milliseconds = 250) {
  let timer;
  return (...values) => {
    clearTimeout(timer);
    timer = setTimeout(run, milliseconds, ...values);
  };
}
