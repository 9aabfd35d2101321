/** Who is in a picture that is not stored. */

import { ask } from "../parts/api.js";
import { Boxes } from "../parts/boxes.js";
import { button, emptyState, errorState, make, plural } from "../parts/components.js";
import { Matches } from "../parts/matches.js";
import { picker, dropTarget, pasting } from "./picking.js";

const MAX_MATCHES = 100; // matches of a face that are asked for

const host = document.getElementById("search");
let boxes = null;
let rows = [];
let latest = null;
let preview = null;

const field = () => picker(search, { title: "Whose face is this?", hint: "Drop or paste a picture. It is compared with yours, and not stored." });

async function search(file) {
  latest?.abort();
  const asking = (latest = new AbortController());
  if (preview) URL.revokeObjectURL(preview);
  preview = URL.createObjectURL(file);
  const shown = make("div", { className: "boxed busy" }, make("img", { className: "boxed-picture", src: preview, alt: "The picture searched by" }));
  host.replaceChildren(make("div", { className: "look" }, shown, make("aside", { className: "about card" }, make("p", { role: "status" }, "Looking for faces…"))));
  try {
    const options = { method: "POST", query: { limit: MAX_MATCHES }, body: file, type: file.type || "application/octet-stream", signal: asking.signal };
    show(await ask("/v1/search", options));
  } catch (error) {
    if (error.name !== "AbortError") host.replaceChildren(failed(error, file), field());
  }
}

function failed(error, file) {
  const hint = error.code === "no_worker" ? "All workers are busy, or none is running." : "";
  const shown = errorState(error, () => search(file));
  if (hint) shown.append(make("p", {}, hint));
  return shown;
}

function show({ faces, tolerance }) {
  const labels = faces.map((face, place) => ({ box: face.box, label: `Face ${place + 1}` }));
  const choose = (face) => pick(face, faces, tolerance);
  boxes = new Boxes(preview, labels, { alt: "The picture searched by", choose, hover });
  rows = faces.map((face, place) => row(face, place, choose));
  const again = make("p", { className: "actions" }, button("Another picture", () => host.replaceChildren(field()), { symbol: "search" }));
  const found = faces.length ? plural(faces.length, "face") : "No face found";
  const about = make("aside", { className: "about card" }, make("h2", {}, found), make("ul", { className: "people" }, ...rows), again);
  if (!faces.length) about.children[1].replaceWith(make("p", { className: "hint" }, "Try a picture in which a face is larger or turned to the camera."));
  host.replaceChildren(make("div", { className: "look" }, boxes.root, about), make("section", { id: "found" }));
  dropTarget(boxes.root, search);
  const best = faces.findIndex((face) => face.matches.length);
  if (faces.length) choose(Math.max(0, best));
}

function row(face, place, choose) {
  const [nearest] = face.matches;
  const name = nearest?.person?.name;
  const count = face.matches.length >= MAX_MATCHES ? `${MAX_MATCHES} pictures or more` : plural(face.matches.length, "picture");
  const detail = face.indexed === false ? `not compared: ${face.reason ?? "too poor"}` : nearest ? count : "nobody known";
  const shown = button("", () => choose(place), { ariaPressed: "false", disabled: face.indexed === false });
  shown.append(make("span", {}, name ? `${name}?` : `Face ${place + 1}`, make("small", {}, detail)));
  const item = make("li", {}, shown);
  item.onpointerenter = () => hover(place);
  item.onpointerleave = () => hover(null);
  return item;
}

let chosen = null;

function hover(face) {
  boxes.light(chosen, face);
  rows.forEach((one, place) => one.classList.toggle("hovered", place === face));
}

function pick(face, faces, tolerance) {
  chosen = face;
  hover(null);
  rows.forEach((one, place) => (one.firstChild.ariaPressed = String(place === face)));
  const { matches } = faces[face];
  const found = document.getElementById("found");
  if (!matches.length) {
    const about = make("p", {}, "None of your pictures shows this face, as far as can be told.");
    found.replaceChildren(emptyState("face", "Nobody you know", about));
    return;
  }
  const list = new Matches();
  list.fill(matches, tolerance);
  found.replaceChildren(make("div", { className: "found-head" }, make("h2", {}, "Your pictures with this face, most alike first")), list.root);
}

pasting(search);
host.append(field());
