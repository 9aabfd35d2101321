/** One person: their faces, the most typical first; taken out, split off, given to somebody else. */

import { faceAt, get, may } from "../parts/api.js";
import { button, emptyState, errorState, faceChip, icon, loading, make, plural, shortName } from "../parts/components.js";
import { called, correct, hide, merge, rename, unhide } from "./corrections.js";
import { follow } from "../parts/live.js";
import { askWho, nameField } from "./naming.js";
import { Selection } from "./selecting.js";
import { tellWhy } from "./why.js";

const PAGE = 100;
const MAX_FACES = 500; // faces in one question
const id = location.pathname.split("/").pop();
const main = document.getElementById("main");
const editable = may("people");

let person = null;
let cursor = null;
const faces = new Map(); // by key
const head = make("div", { className: "person-head" });
const note = make("p", { className: "notice", hidden: true });
const list = make("ul", { className: "tiles faces" });
const content = make("div", {}, loading());
const more = button("Show more", () => load(), { hidden: true });
const selection = new Selection(list, "face", actions);
main.prepend(head, note, content, make("p", { className: "more" }, more), selection.bar);
load();

const keyOf = (face) => `${face.hash}:${face.face}`;
const asFace = ({ hash, face }) => ({ hash, face });

async function load() {
  more.disabled = true;
  try {
    const page = await get(`/v1/people/${id}/faces`, { limit: PAGE, cursor });
    if (page.person.id !== id) return location.replace(`/people/${page.person.id}`); // merged
    person = page.person;
    cursor = page.next;
    for (const face of page.faces) if (!faces.has(keyOf(face))) add(face);
    showHead();
    content.replaceChildren(faces.size ? list : emptyState("face", "No faces left", make("p", {}, "All pictures of this person were erased, or their faces taken out.")));
    more.hidden = !cursor;
    more.disabled = false;
  } catch (error) {
    const gone = error.status === 404;
    content.replaceChildren(
      gone
        ? emptyState("people", "There is nobody here", make("p", {}, "This person never existed, or their pictures were erased."), make("a", { className: "button", href: "/people" }, "All people"))
        : errorState(error, load),
    );
  }
}

function showHead() {
  document.title = `${called(person)} – Facefleet`;
  const cover = person.cover ? faceChip(person.cover.hash, person.cover.face, { size: 160 }) : make("span", { className: "face" }, icon("face"));
  const facts = make(
    "p",
    { className: "hint" },
    plural(person.faces, "face"),
    person.hidden && " · hidden",
    " · ",
    make("a", { href: `/?person=${person.id}` }, "all pictures"),
    editable && " · ",
    editable && make("a", { href: `/review?person=${person.id}` }, "who else may be the same?"),
  );
  const title = make("h1", {}, person.name || "Who is this?");
  head.replaceChildren(make("a", { className: "button quiet back", href: "/people", aria: { label: "All people" } }, icon("back")), cover, make("div", { className: "titles" }, title, facts));
  if (editable) head.append(make("div", { className: "row" }, ...controls(title)));
}

function controls(title) {
  return [
    button(person.name ? "Rename" : "Add a name", () => edit(title), { kind: person.name ? "" : "primary" }),
    button("Merge with…", mergeWith),
    person.hidden ? button("Show again", () => unhide([person], refresh)) : button("Hide", () => hide([person], refresh)),
  ];
}

function edit(title) {
  const { form, input } = nameField({
    value: person.name,
    label: "Name of this person",
    except: person.id,
    cancel: showHead,
    take: (name, other) => {
      showHead();
      return other ? merge([other, person], refresh, other) : rename(person, name, refresh);
    },
  });
  title.replaceWith(form);
  input.select();
  input.focus();
}

async function mergeWith() {
  const who = await askWho(`Who is the same person as ${called(person)}?`, "Start typing a name that you have given.", { except: person.id, yes: "Merge" });
  if (!who) return;
  if (who.person) await merge([who.person, person], refresh);
  else await rename(person, who.name, refresh);
}

function add(face) {
  faces.set(keyOf(face), face);
  const title = face.names.length ? shortName(face.names[0]) : face.hash.slice(0, 8);
  const shown = make("img", { alt: "", loading: "lazy", decoding: "async", src: faceAt(face.hash, face.face, 160) });
  shown.onerror = () => shown.replaceWith(make("span", { className: "no-picture" }, icon("face")));
  const link = make("a", { className: "tile", href: `/pictures/${face.hash}`, title, aria: { label: `Face in ${title}` } }, shown, make("span", { className: "tile-name" }, title));
  const box = editable && make("input", { type: "checkbox", className: "pick", aria: { label: `Select the face in ${title}` } });
  list.append(make("li", { className: "face-tile", data: { key: keyOf(face) } }, link, ...(box ? [box] : []), make("span", { className: "what hint" })));
}

function actions(keys) {
  const chosen = keys.map((key) => asFace(faces.get(key)));
  const name = person.name || "this person";
  const done = () => {
    selection.clear();
    return refresh();
  };
  const say = (kind, text) => button(text, () => correct(`${plural(chosen.length, "face")} taken out.`, (state) => state(kind, [person], { faces: chosen }), done));
  return [
    say("not", person.name ? `Not ${name}` : "Not this person"),
    button("Somebody else…", () => assign(chosen, done)),
    chosen.length < faces.size && button("Split off", () => split(chosen, done)),
    chosen.length === 1 && button("Use as cover", () => correct("This is the cover now.", (state) => state("cover", [person], { faces: chosen }), done)),
    chosen.length === 1 && button("Why here?", () => tellWhy(chosen[0])),
  ];
}

async function assign(chosen, done) {
  const who = await askWho("Who is it?", `${plural(chosen.length, "face")} will be theirs.`, { except: person.id });
  if (!who) return;
  const run = async (say) => {
    if (who.person) return say("assign", [who.person], { faces: chosen });
    const { made } = await say("split", [person], { faces: chosen });
    return say("name", [await get(`/v1/people/${made}`)], { name: who.name });
  };
  await correct(`${plural(chosen.length, "face")} given to ${who.name}.`, run, done);
}

async function split(chosen, done) {
  const statements = await correct(`${plural(chosen.length, "face")} split off.`, (say) => say("split", [person], { faces: chosen }), done);
  const made = statements?.[0].made;
  if (made) tell("They are a person of their own now: ", make("a", { href: `/people/${made}` }, "say who"), ".");
}

/** Show the person as they are now, each face where it was. */
async function refresh() {
  const now = new Map();
  let next = null;
  try {
    do {
      const page = await get(`/v1/people/${id}/faces`, { limit: MAX_FACES, cursor: next });
      if (page.person.id !== id) return void merged(page.person);
      person = page.person;
      for (const face of page.faces) now.set(keyOf(face), face);
      next = page.next;
    } while (next && now.size < faces.size);
  } catch (error) {
    content.replaceChildren(errorState(error, () => location.reload()));
    return;
  }
  for (const [key, face] of now) if (!faces.has(key) && !cursor) add(face);
  for (const item of list.children) mark(item, !now.has(item.dataset.key) && !next);
  showHead();
}

function merged(other) {
  tell("This person is now part of ", make("a", { href: `/people/${other.id}` }, called(other)), ".");
  for (const item of list.children) mark(item, true, "");
}

function tell(...words) {
  note.replaceChildren(...words);
  note.hidden = false;
}

function mark(item, gone, text = "Taken out") {
  item.classList.toggle("gone", gone);
  item.querySelector(".what").textContent = gone ? text : "";
}

follow(["person_changed"], () => refresh(), { person: id });
