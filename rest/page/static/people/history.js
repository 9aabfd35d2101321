/** History: everything that was said about people, the latest first; each statement can be withdrawn. */

import { get, may, remove } from "../parts/api.js";
import { button, emptyState, errorState, faceChip, icon, loading, make, plural, toast, toastError } from "../parts/components.js";

const main = document.getElementById("main");
const list = make("ol", { className: "history" });
const content = make("div", {}, loading(4));
const more = button("Show more", () => load(), { hidden: true });
const names = new Map(); // of people, by id; as promises
let cursor = null;

main.prepend(
  make("div", { className: "page-head" }, make("h1", {}, "History"), make("a", { className: "button", href: "/review" }, icon("review"), "Review")),
  content,
  make("p", { className: "more" }, more),
);
load();

async function load() {
  more.disabled = true;
  try {
    const page = await get("/v1/statements", { limit: 50, cursor });
    cursor = page.next;
    list.append(...(await Promise.all(page.statements.map(row))));
    const nothing = emptyState("undo", "Nothing here yet", make("p", {}, "Whatever you say about people is listed here, and can be undone."));
    content.replaceChildren(list.childElementCount ? list : nothing);
    more.hidden = !cursor;
    more.disabled = false;
  } catch (error) {
    content.replaceChildren(errorState(error, () => location.reload()));
  }
}

async function row(statement) {
  const item = make("li", { className: "card", data: { number: statement.number } });
  await fill(item, statement);
  return item;
}

async function fill(item, statement) {
  const people = await Promise.all(statement.people.map(link));
  const [one, other] = people;
  const many = plural(statement.faces.length, "face");
  const words = {
    name: () => (statement.name ? ["Named ", one, ` “${statement.name}”`] : ["Removed the name of ", one]),
    same: () => [one, " and ", other, " are the same person"],
    different: () => [one, " and ", other, " are two people"],
    unsure: () => ["Nobody can tell whether ", one, " and ", other, " are the same"],
    not: () => [`${many} taken out of `, one],
    assign: () => [`${many} given to `, one],
    split: () => [`${many} split off from `, one],
    hide: () => [one, " hidden"],
    show: () => [one, " shown again"],
    cover: () => ["Cover chosen for ", one],
  }[statement.kind] ?? (() => [statement.kind, " ", one]);
  const faces = statement.faces.slice(0, 6).map(({ hash, face }) => faceChip(hash, face));
  const by = statement.key ? ` · key ${statement.key}` : "";
  const state = statement.withdrawn ? `withdrawn ${when(statement.withdrawn)}` : when(statement.time);
  item.classList.toggle("withdrawn", Boolean(statement.withdrawn));
  const parts = [
    make("div", { className: "what" }, make("p", {}, ...words()), make("p", { className: "hint" }, `No. ${statement.number} · ${state}${by}`)),
    faces.length > 0 && make("div", { className: "row" }, ...faces),
    may("people") && !statement.withdrawn && button("Withdraw", () => withdraw(item, statement), { symbol: "undo" }),
  ];
  item.replaceChildren(...parts.filter(Boolean));
}

async function withdraw(item, statement) {
  try {
    const now = await remove(`/v1/statements/${statement.number}`);
    names.clear();
    await fill(item, now);
    toast("Withdrawn. The groups follow the remaining statements.");
  } catch (error) {
    toastError(error);
  }
}

/** Who somebody is now, as a link. */
async function link(id) {
  if (!names.has(id)) names.set(id, get(`/v1/people/${id}`).catch(() => ({ id, name: "" })));
  const person = await names.get(id);
  return make("a", { href: `/people/${person.id}` }, person.name || `person ${id}`);
}

const when = (seconds) => new Date(seconds * 1000).toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "short" });
