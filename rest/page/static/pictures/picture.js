/** One picture: its faces, and every other picture that shows one of them. */

import { address, faceAt, get, kept, may, pictureAt, post } from "../parts/api.js";
import { Boxes } from "../parts/boxes.js";
import { button, dialog, emptyState, errorState, faceChip, icon, loading, make, plural, titleOf, toastError } from "../parts/components.js";
import { erasePicture, receiptOf } from "../parts/erasing.js";
import { follow } from "../parts/live.js";
import { Matches } from "../parts/matches.js";

const LARGE = 1600; // pixels of the picture that is shown
const MAX_MATCHES = 1000; // matches that are asked for

const hash = location.pathname.split("/").pop();
const host = document.getElementById("picture");
const order = remembered();

let boxes = null;
let rows = [];
let people = [];
let found = null;

function remembered() {
  try {
    return JSON.parse(sessionStorage.getItem("order")) ?? {};
  } catch {
    return {};
  }
}

async function begin() {
  host.replaceChildren(loading(1));
  try {
    show(await get(`/v1/images/${hash}`));
  } catch (error) {
    if (error.status === 404) host.replaceChildren(gone());
    else host.replaceChildren(errorState(error, begin));
  }
}

function gone() {
  return emptyState(
    "pictures",
    "This picture is not here",
    make("p", {}, "It was erased, or the address is incomplete."),
    make("a", { className: "button", href: "/" }, "All pictures"),
  );
}

function show(image) {
  document.title = `${titleOf(image)} – Facefleet`;
  const faces = image.faces.map((face, place) => ({ box: face.box, label: nameOf(face, place) }));
  const crop = kept.crops ? (face) => faceAt(image.hash, face, 160) : null;
  const source = kept.originals ? pictureAt(image.hash, LARGE) : null;
  boxes = new Boxes(source, faces, { alt: titleOf(image), size: image.size, crop, choose, hover });
  people = image.faces.map((face) => face.person);
  rows = image.faces.map((face, place) => faceRow(image, face, place));
  host.replaceChildren(make("div", { className: "look" }, boxes.root, about(image)), make("section", { id: "found" }));
  const asked = new URLSearchParams(location.search).get("face");
  if (asked !== null && image.faces[asked]?.indexed) choose(Number(asked));
  else if (image.faces.filter((face) => face.indexed).length === 1) choose(image.faces.findIndex((face) => face.indexed), true);
  else if (image.faces.length && may("search")) {
    document.getElementById("found").append(make("p", { className: "hint found-head" }, "Click a face to see every picture that shows it."));
  }
}

const nameOf = (face, place) => face.person?.name || `Face ${place + 1}`;

function about(image) {
  const facts = [
    ["Added", new Date(image.accepted * 1000).toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "short" })],
    ["Size", image.size && `${image.size.width} × ${image.size.height} pixels, ${bytes(image.size.bytes)}`],
    ...image.names.slice(0, 5).map((name) => name !== titleOf(image) && ["Name", name]),
    image.names.length > 5 && ["", `and ${plural(image.names.length - 5, "other name")}`],
  ].filter((fact) => fact && fact[1]);
  const list = make("dl", {}, ...facts.flatMap(([term, fact]) => [make("dt", {}, term), make("dd", {}, fact)]));
  return make("aside", { className: "about card" }, make("h1", {}, titleOf(image)), state(image), make("ul", { className: "people" }, ...rows), list, actions(image));
}

function state(image) {
  if (image.state === "pending") {
    const stop = follow(["done", "no_face", "failed"], () => (stop(), begin()), { hash });
    return make("p", { className: "hint", role: "status" }, "Waiting to be processed.");
  }
  if (image.state === "done") return image.faces.length ? null : make("p", { className: "hint" }, "No face was found in this picture.");
  return make("p", { className: "wrong" }, icon("warning"), ` Failed: ${image.reason ?? "its record is damaged"}`);
}

function faceRow(image, face, place) {
  const detail = face.indexed ? (face.person?.name ? "" : "not named yet") : `not compared: ${face.reason ?? "too poor"}`;
  const shown = button("", () => choose(place), { ariaPressed: "false", disabled: !face.indexed || !may("search") });
  shown.append(faceChip(image.hash, place), make("span", {}, nameOf(face, place), detail && make("small", {}, detail)));
  const item = make("li", {}, shown);
  item.onpointerenter = () => hover(place);
  item.onpointerleave = () => hover(null);
  return item;
}

function actions(image) {
  const shown = [
    kept.originals && make("a", { className: "button", href: pictureAt(image.hash), download: titleOf(image) }, "Download"),
    may("search") && image.faces.length && make("a", { className: "button", href: address("/compare", { first: image.hash }) }, icon("compare"), "Compare"),
    may("admin") && kept.originals && image.state === "failed" && button("Try again", () => replay(), { kind: "primary" }),
    may("admin") && button("Erase…", () => erase(image), { kind: "danger", symbol: "erase" }),
  ];
  return make("p", { className: "row" }, ...shown.filter(Boolean));
}

async function replay() {
  try {
    await post(`/v1/failures/${hash}/replay`);
    begin();
  } catch (error) {
    toastError(error);
  }
}

let chosen = null;

function hover(face) {
  boxes.light(chosen, face);
  rows.forEach((row, place) => row.classList.toggle("hovered", place === face));
}

/** Show the pictures with a face; the address has it. */
async function choose(face, quiet = false) {
  if (!may("search")) return;
  chosen = face;
  hover(null);
  rows.forEach((row, place) => (row.firstChild.ariaPressed = String(place === face)));
  const query = new URLSearchParams(location.search);
  if (!quiet && query.get("face") !== String(face)) history.replaceState(null, "", `?face=${face}`);
  const section = document.getElementById("found");
  found ??= get(`/v1/images/${hash}/matches`, { limit: MAX_MATCHES }).catch((error) => ((found = null), Promise.reject(error)));
  try {
    const { matches, tolerance } = await found;
    if (chosen === face) section.replaceChildren(...ofFace(face, people[face], matches, tolerance));
  } catch (error) {
    section.replaceChildren(errorState(error, () => choose(face)));
  }
}

function ofFace(face, person, matches, tolerance) {
  const own = matches.flatMap((match) => {
    const pairs = match.pairs.filter((pair) => pair.face === face);
    return pairs.length ? [{ ...match, ...near(pairs[0]) }] : [];
  });
  own.sort((a, b) => a.distance - b.distance);
  const list = new Matches({ moved: (within) => history.replaceState(null, "", address(location.pathname, { face, within })) });
  list.fill(own, tolerance, new URLSearchParams(location.search).get("within") ?? tolerance);
  const head = make("div", { className: "found-head" }, make("h2", {}, "Pictures with this face, most alike first"));
  if (person) head.append(make("a", { className: "button", href: `/people/${person.id}` }, icon("people"), person.name ? `More of ${person.name}` : "Who is this?"));
  if (matches.length >= MAX_MATCHES) head.append(make("p", { className: "hint" }, `The nearest ${MAX_MATCHES.toLocaleString("en")} are shown.`));
  return [head, list.root];
}

const near = (pair) => ({ distance: pair.distance, probability: pair.probability, face: pair.other_face, box: pair.other_box });

/** Erase the picture with everything made from it, and show the receipt. */
async function erase(image) {
  const receipt = await erasePicture(hash, titleOf(image));
  if (!receipt) return;
  await dialog("Erased", (close) => {
    const { list, copy } = receiptOf(receipt);
    return [list, make("p", { className: "actions" }, copy, button("Done", () => close(true), { kind: "primary" }))];
  });
  leave(neighbour(1) ?? neighbour(-1));
}

function leave(next) {
  const hashes = (order.hashes ?? []).filter((other) => other !== hash);
  sessionStorage.setItem("order", JSON.stringify({ ...order, hashes }));
  location.replace(next ? `/pictures/${next}` : (order.back ?? "/"));
}

/** The picture before or after this one, in the order of the wall that it was opened from. */
function neighbour(step) {
  const place = order.hashes?.indexOf(hash) ?? -1;
  return place < 0 ? undefined : order.hashes[place + step];
}

function steps() {
  document.getElementById("back").href = order.back ?? "/";
  for (const [id, step] of [["previous", -1], ["next", 1]]) {
    const link = document.getElementById(id);
    const other = neighbour(step);
    link.hidden = !other;
    if (!other) continue;
    link.href = `/pictures/${other}`;
    document.getElementById("steps").hidden = false;
  }
}

addEventListener("keydown", (event) => {
  if (event.altKey || event.ctrlKey || event.metaKey || event.target.matches("input, textarea, select") || document.querySelector("dialog")) return;
  const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  if (step && neighbour(step)) location.replace(`/pictures/${neighbour(step)}`);
  if (event.key === "Escape") location.assign(order.back ?? "/");
});

function bytes(count) {
  return count < 1e6 ? `${Math.max(1, Math.round(count / 1e3))} kB` : `${(count / 1e6).toFixed(1)} MB`;
}

document.addEventListener("back", () => host.querySelector(".empty") && begin());
steps();
begin();
