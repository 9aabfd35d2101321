/** People: who is in the pictures, largest group first; named, merged and hidden in place. */

import { address, faceAt, get, may } from "../parts/api.js";
import { button, emptyState, errorState, icon, loading, make, plural, settled } from "../parts/components.js";
import { called, hide, merge, rename, unhide } from "./corrections.js";
import { follow } from "../parts/live.js";
import { nameField } from "./naming.js";
import { Selection } from "./selecting.js";

const PAGE = 60;
const SHOWN = { all: {}, named: { named: true }, unnamed: { named: false }, hidden: { hidden: true } };
const TITLES = { all: "All", named: "Named", unnamed: "Without a name", hidden: "Hidden" };

const main = document.getElementById("main");
const editable = may("people");
const asked = new URLSearchParams(location.search);
const state = { show: asked.get("show") in SHOWN ? asked.get("show") : "all", name: asked.get("name") ?? "" };

const people = new Map(); // as they were seen, by id
const list = make("ul", { className: "people" });
const count = make("p", { className: "hint", role: "status" });
const more = button("Show more", () => load(), { hidden: true });
const changed = button("There are new people: show them", () => start(), { kind: "primary", hidden: true });
const content = make("div");
const selection = new Selection(list, "person", actions);
let cursor = null;
let total = 0;
let turn = 0; // which list is being loaded

main.prepend(
  make("div", { className: "page-head" }, make("div", {}, make("h1", {}, "People"), count), tools()),
  filters(),
  make("p", { className: "changed" }, changed),
  content,
  make("p", { className: "more" }, more),
  selection.bar,
);
start();
new IntersectionObserver((seen) => seen.some((entry) => entry.isIntersecting) && cursor && load(), {
  rootMargin: "600px",
}).observe(more.parentElement);

function tools() {
  const find = make("input", { type: "search", value: state.name, placeholder: "Find a name", aria: { label: "Find a name" } });
  find.oninput = settled(() => {
    state.name = find.value.trim();
    start();
  });
  return make("div", { className: "row tools" }, find, editable && make("a", { className: "button", href: "/review" }, icon("review"), "Review"));
}

function filters() {
  const all = Object.entries(TITLES).map(([show, title]) =>
    button(title, () => choose(show), { kind: "quiet", data: { show }, aria: { pressed: String(state.show === show) } }),
  );
  return make("div", { className: "row filters", role: "group", aria: { label: "Which people" } }, ...all);
}

function choose(show) {
  state.show = show;
  for (const one of document.querySelectorAll(".filters button")) one.setAttribute("aria-pressed", String(one.dataset.show === show));
  start();
}

async function start() {
  history.replaceState(null, "", address("/people", { show: state.show === "all" ? "" : state.show, name: state.name }));
  turn += 1;
  cursor = null;
  people.clear();
  selection.clear();
  changed.hidden = true;
  list.replaceChildren();
  count.textContent = "";
  content.replaceChildren(loading());
  await load();
}

async function load() {
  const mine = turn;
  const query = { ...SHOWN[state.show], name: state.show === "unnamed" ? "" : state.name, limit: PAGE, cursor };
  cursor = null; // until this page is there
  more.disabled = true;
  try {
    const page = await get("/v1/people", query);
    if (mine !== turn) return;
    ({ total } = page);
    cursor = page.next;
    for (const person of page.people) if (!people.has(person.id)) add(person);
    content.replaceChildren(people.size ? list : nobody());
    count.textContent = total ? plural(total, "person", "people") : "";
    more.hidden = !cursor;
    more.disabled = false;
  } catch (error) {
    if (mine === turn) content.replaceChildren(errorState(error, start));
  }
}

function nobody() {
  if (state.name) return emptyState("people", `Nobody's name begins with “${state.name}”`);
  if (state.show === "hidden") return emptyState("people", "Nobody is hidden");
  if (state.show === "named") {
    return emptyState("people", "Nobody has a name yet", make("p", {}, "Name somebody to find all their pictures by that name."));
  }
  if (state.show === "unnamed") return emptyState("check", "Everybody has a name");
  return emptyState(
    "people",
    "Nobody here yet",
    make("p", {}, "Add pictures of people. Faces that look alike are grouped here automatically, and you say who they are."),
    make("a", { className: "button primary", href: "/" }, icon("add"), "Add pictures"),
  );
}

function add(person) {
  people.set(person.id, person);
  const item = make("li", { className: "person", data: { key: person.id } });
  list.append(item);
  fill(item, person);
}

function fill(item, person, gone = "") {
  item.classList.toggle("gone", Boolean(gone));
  item.draggable = editable && !gone;
  const title = `${called(person)}, ${plural(person.faces, "face")}`;
  const portrait = make("a", { className: "tile", href: `/people/${person.id}`, draggable: false, aria: { label: title } }, cover(person));
  const box = editable && make("input", { type: "checkbox", className: "pick", aria: { label: `Select ${title}` } });
  const name = editable
    ? button(person.name || "Add a name", () => edit(item, person), { kind: person.name ? "who" : "who nameless" })
    : make("span", { className: "who" }, called(person));
  const below = gone || plural(person.faces, "face");
  item.replaceChildren(portrait, ...(box && !gone ? [box] : []), gone ? make("span", { className: "who" }, called(person)) : name, make("span", { className: "hint" }, below));
}

function cover(person) {
  if (!person.cover) return make("span", { className: "no-picture" }, icon("face"));
  const shown = make("img", { alt: "", loading: "lazy", decoding: "async", draggable: false, src: faceAt(person.cover.hash, person.cover.face, 160) });
  shown.onerror = () => shown.replaceWith(make("span", { className: "no-picture" }, icon("face")));
  return shown;
}

function edit(item, person) {
  const back = () => {
    fill(item, people.get(person.id));
    item.querySelector(".who").focus();
  };
  const { form, input } = nameField({
    value: person.name,
    label: `Name of this person with ${plural(person.faces, "face")}`,
    except: person.id,
    cancel: back,
    take: async (name, other) => {
      back();
      const both = other ? [other, person] : [person];
      await (other ? merge(both, again(both), other) : rename(person, name, again(both)));
      item.querySelector("a, button")?.focus();
    },
  });
  item.querySelector(".who").replaceWith(form);
  item.draggable = false;
  input.select();
  input.focus();
}

function actions(keys) {
  const chosen = keys.map((key) => people.get(key));
  const done = () => {
    selection.clear();
    return refresh(keys);
  };
  return [
    keys.length > 1 && button("Merge into one", () => merge(chosen, done), { kind: "primary", symbol: "people" }),
    state.show === "hidden" ? button("Show again", () => unhide(chosen, done)) : button("Hide", () => hide(chosen, done)),
  ];
}

/** Show people in the list as they are now, each where they were. */
async function refresh(ids) {
  const now = await Promise.all(ids.map((id) => get(`/v1/people/${id}`).catch(() => null)));
  ids.forEach((id, index) => show(id, now[index]));
  selection.keep(new Set(people.keys()));
}

const again = (some) => () => refresh(some.map(({ id }) => id));

function show(id, person) {
  const item = [...list.children].find((one) => one.dataset.key === id);
  if (!item) return;
  if (person?.id === id) people.set(id, person);
  const gone = !person ? "No longer there" : person.id !== id ? `Now part of ${called(person)}` : person.hidden !== (state.show === "hidden") ? (person.hidden ? "Hidden" : "Shown again") : "";
  if (!item.querySelector(".naming")) fill(item, people.get(id), gone);
}

function dragging() {
  let dragged = null;
  const over = (event) => {
    const item = event.target.closest?.(".person:not(.gone)");
    return item && item.dataset.key !== dragged ? item : null;
  };
  const unmark = () => list.querySelector(".over")?.classList.remove("over");
  list.addEventListener("dragstart", (event) => {
    dragged = event.target.closest(".person")?.dataset.key ?? null;
    event.dataTransfer.setData("text/plain", dragged);
    event.dataTransfer.effectAllowed = "link";
  });
  list.addEventListener("dragover", (event) => {
    unmark();
    if (!dragged || !over(event)) return;
    event.preventDefault();
    over(event).classList.add("over");
  });
  list.addEventListener("drop", (event) => {
    const item = over(event);
    unmark();
    if (!dragged || !item) return;
    event.preventDefault();
    const both = [people.get(item.dataset.key), people.get(dragged)];
    merge(both, again(both));
  });
  list.addEventListener("dragend", () => {
    dragged = null;
    unmark();
  });
}
if (editable) dragging();

const look = settled(async () => {
  const { total: now } = await get("/v1/people", { ...SHOWN[state.show], name: state.show === "unnamed" ? "" : state.name, limit: 1 }).catch(() => ({ total }));
  changed.hidden = now <= total;
}, 2000);
follow(["person_changed", "done"], (event) => {
  if (event.kind === "person_changed" && people.has(event.person)) refresh([event.person]);
  else look();
});
