/** Two pictures side by side, stored or not, and how far apart their faces are. */

import { ask, get, kept, pictureAt, post } from "../parts/api.js";
import { Boxes } from "../parts/boxes.js";
import { button, draw, errorState, make, plural } from "../parts/components.js";
import { dropTarget, pasting, picker } from "./picking.js";

const LARGE = 1000; // pixels of a picture

const result = document.getElementById("result");
const [mean, deviation, tolerance] = ["mean", "deviation", "tolerance"].map((name) => Number(result.dataset[name]));

/** One of the two: its faces have a box and an encoding. */
class Side {
  constructor(id, title) {
    this.id = id;
    this.host = document.getElementById(id);
    this.title = title;
    this.clear();
  }

  get face() {
    return this.faces?.[this.chosen];
  }

  clear() {
    this.faces = null;
    this.host.replaceChildren(picker((file) => this.take(file), { title: this.title, hint: "Drop, choose or paste a picture. It is not stored." }));
  }

  /** Take a picture that is not stored. */
  take(file) {
    keep(this.id, null);
    return this.#show(URL.createObjectURL(file), async () => {
      const found = await ask("/v1/search", { method: "POST", query: { limit: 1, encodings: true }, body: file, type: file.type || "application/octet-stream" });
      return { faces: found.faces, size: null };
    });
  }

  /** Take a stored picture. */
  open(hash) {
    return this.#show(kept.originals ? pictureAt(hash, LARGE) : null, async () => {
      const [image, { encodings }] = await Promise.all([get(`/v1/images/${hash}`), get(`/v1/images/${hash}/encodings`)]);
      const known = new Map(encodings.map(({ face, encoding }) => [face, encoding]));
      return { faces: image.faces.map((face, place) => ({ ...face, encoding: known.get(place) })), size: image.size };
    });
  }

  async #show(source, load) {
    this.faces = null;
    result.replaceChildren();
    const image = source ? make("img", { className: "boxed-picture", src: source, alt: this.title }) : make("p", { className: "hint" }, "Loading…");
    this.host.replaceChildren(make("div", { className: "side" }, make("div", { className: "boxed busy" }, image)));
    try {
      const { faces, size } = await load();
      this.faces = faces;
      const labels = faces.map((face, place) => ({ box: face.encoding && face.box, label: face.person?.name || `Face ${place + 1}` }));
      this.boxes = new Boxes(source, labels, { alt: this.title, size, choose: (face) => this.#choose(face) });
      const able = faces.filter((face) => face.encoding).length;
      const said = able ? (able > 1 ? `${plural(able, "face")}: click the one to compare` : "") : "No face found that could be compared";
      const other = button("Another picture", () => (this.clear(), keep(this.id, null), compare()), { kind: "quiet" });
      this.host.replaceChildren(make("div", { className: "side" }, this.boxes.root, said && make("p", { className: "hint" }, said), other));
      dropTarget(this.boxes.root, (file) => this.take(file));
      if (able) this.#choose(largest(faces));
    } catch (error) {
      this.host.replaceChildren(errorState(error, () => this.clear()));
    }
  }

  #choose(face) {
    this.chosen = face;
    this.boxes.light(face);
    compare();
  }
}

function largest(faces) {
  const area = ({ box, encoding }) => (encoding && box ? (box.right - box.left) * (box.bottom - box.top) : encoding ? 0 : -1);
  return faces.reduce((best, face, place) => (area(face) > area(faces[best]) ? place : best), 0);
}

/** The address has the pictures that are stored. */
function keep(id, hash) {
  const query = new URLSearchParams(location.search);
  if (hash) query.set(id, hash);
  else query.delete(id);
  history.replaceState(null, "", query.size ? `?${query}` : location.pathname);
}

async function compare() {
  const [first, second] = sides.map((side) => side.face?.encoding);
  if (!first || !second) return result.replaceChildren();
  try {
    const { distance } = await post("/v1/compare", { first: { encoding: first }, second: { encoding: second } });
    result.replaceChildren(verdict(distance));
  } catch (error) {
    result.replaceChildren(errorState(error, compare));
  }
}

function verdict(distance) {
  const farthest = mean + 2 * deviation;
  const usual = `Two pictures of one person are usually less than ${farthest.toFixed(2)} apart, pictures of two people more than ${tolerance.toFixed(2)}.`;
  return make("div", { className: "verdict card" }, make("h2", {}, inWords(distance)), scale(distance, farthest), make("p", {}, usual));
}

function inWords(distance) {
  if (distance < 0.005) return "The very same face";
  if (distance <= mean + deviation) return "Very likely the same person";
  if (distance <= tolerance) return "Probably the same person";
  if (distance <= tolerance + deviation) return "Probably two people";
  return "Very likely two people";
}

/** A distance on a line from 0 to 1.2, with what is usual above it. */
function scale(distance, farthest) {
  const x = (at) => 10 + (Math.min(Math.max(at, 0), 1.2) / 1.2) * 580;
  const bar = (name, from, to, text) => [
    draw("rect", { class: name, x: x(from), y: 62, width: x(to) - x(from), height: 26, rx: 6 }),
    draw("text", { class: "on-band", x: (x(from) + x(to)) / 2, y: 80, "text-anchor": "middle" }, text),
  ];
  const ticks = [0, 0.2, 0.4, 0.6, 0.8, 1, 1.2].map((at) => draw("text", { x: x(at), y: 120, "text-anchor": "middle" }, at.toFixed(1)));
  const at = x(distance);
  return draw(
    "svg",
    { class: "scale", viewBox: "0 0 600 128", role: "img", "aria-label": `Distance ${distance.toFixed(2)}` },
    draw("line", { class: "axis", x1: 10, x2: 590, y1: 100, y2: 100 }),
    ...bar("same", 0, farthest, "one person"),
    ...bar("different", tolerance, 1.2, "two people"),
    draw("path", { class: "needle", d: `M${at} 58 l-7 -12 h14 z M${at - 1.2} 88 h2.4 V104 h-2.4 z` }),
    draw("text", { class: "value", x: Math.min(Math.max(at, 30), 570), y: 36, "text-anchor": "middle" }, distance.toFixed(2)),
    ...ticks,
  );
}

const sides = [new Side("first", "The first picture"), new Side("second", "The second picture")];
pasting((file) => (sides.find((side) => !side.faces) ?? sides[1]).take(file));
for (const side of sides) {
  const hash = new URLSearchParams(location.search).get(side.id);
  if (hash) side.open(hash);
}
