/** The wall of all pictures, newest first, and bringing pictures in. */

import { get, may } from "../parts/api.js";
import { button, emptyState, errorState, loading, make, plural, settled } from "../parts/components.js";
import { intake } from "./intake.js";
import { follow } from "../parts/live.js";
import { Wall } from "./wall.js";

const PAGE = 60; // pictures; also how many are looked at for what is new

const [host, filters, news] = ["wall", "filters", "news"].map((id) => document.getElementById(id));
let wall = null;

const bring = intake(() => {});

/** What the address says is to be shown. */
function wanted() {
  const address = new URLSearchParams(location.search);
  return { show: address.get("show") ?? "", prefix: address.get("prefix") ?? "", person: address.get("person") ?? "" };
}

function query() {
  const { show, prefix, person } = wanted();
  const asked = { prefix, person };
  if (show === "with" || show === "without") asked.faces = show;
  else if (show) asked.state = show;
  return asked;
}

const filtered = () => Object.values(wanted()).some(Boolean);

function begin() {
  wall?.close();
  news.hidden = true;
  const asked = query();
  const created = new Wall(host, (cursor) => get("/v1/images", { ...asked, cursor, limit: PAGE }), { told });
  wall = created;
  created.list.before(loading());
  created
    .more()
    .then(() => created === wall && host.querySelector(".loading")?.remove())
    .catch((error) => created === wall && host.replaceChildren(errorState(error, begin)));
}

function told() {
  const count = wall.images.length;
  const some = wall.next === null ? plural(count, "picture") : `${count.toLocaleString("en")} of many pictures`;
  document.getElementById("wall-state").textContent = filtered() || !count ? "" : `${some} loaded`;
  filters.hidden = !count && !filtered();
  host.querySelector(".empty")?.remove();
  if (!count && wall.next === null) host.append(filtered() ? nothingFound() : firstVisit());
  if (filtered() || wall !== counted.wall) counted();
}

const counted = settled(async () => {
  counted.wall = wall;
  const shown = document.getElementById("count");
  if (filtered()) {
    shown.textContent = wall.next === null ? wall.images.length.toLocaleString("en") : "";
    return;
  }
  const { pictures } = await get("/v1/stats").catch(() => ({ pictures: null }));
  const count = pictures ? pictures.accepted - pictures.erased : 0;
  shown.textContent = count ? count.toLocaleString("en") : "";
}, 100);

function nothingFound() {
  return emptyState("search", "No pictures found", make("p", {}, "No picture matches this filter."), button("Show all pictures", () => go({})));
}

function firstVisit() {
  if (!bring) return emptyState("pictures", "No pictures yet", make("p", {}, "As soon as somebody adds pictures, they appear here."));
  const steps = [
    ["Add pictures", "Drop them here, choose a folder, or paste."],
    ["Faces are found", "You see it happen, picture by picture."],
    ["Click a face", "Every picture with that person comes up."],
  ];
  const shown = emptyState(
    "pictures",
    "Who is in your pictures?",
    make("p", {}, "Drop photographs or whole folders anywhere on this page."),
    make(
      "p",
      { className: "row" },
      button("Choose pictures", bring.choose, { kind: "primary", symbol: "add" }),
      button("Try six sample pictures", bring.samples),
    ),
    make("p", { className: "hint" }, "The samples are in the public domain or free to share; the server fetches them from GitHub."),
    make("ol", { className: "steps" }, ...steps.map(([title, text]) => make("li", {}, make("strong", {}, title), text))),
  );
  shown.classList.add("first");
  return shown;
}

/** Go to another selection: the address has it, so that it can be kept and sent. */
function go(values) {
  const address = new URLSearchParams(Object.entries(values).filter(([, value]) => value));
  history.pushState(null, "", address.size ? `?${address}` : location.pathname);
  show();
}

function show() {
  const { show: chosen, prefix, person } = wanted();
  filters.elements.show.value = chosen;
  if (filters.elements.prefix !== document.activeElement) filters.elements.prefix.value = prefix;
  filters.elements.person.value = person;
  begin();
}

const filter = () => go(Object.fromEntries(new FormData(filters)));
filters.addEventListener("change", (event) => event.target.name !== "prefix" && filter());
filters.elements.prefix.addEventListener("input", settled(filter));
filters.addEventListener("submit", (event) => event.preventDefault());
addEventListener("popstate", show);

/** Offer the people who have a name. */
async function offerPeople() {
  const { people } = await get("/v1/people", { named: true, limit: 200 }).catch(() => ({ people: [] }));
  const select = filters.elements.person;
  select.append(...people.map((person) => make("option", { value: person.id }, `${person.name} (${person.faces})`)));
  select.value = wanted().person;
  select.hidden = !people.length;
}

/** Remember the order, so that a picture's screen knows what is next. */
host.addEventListener("click", (event) => {
  const hash = event.target.closest(".tile")?.dataset.hash;
  if (!hash) return;
  const place = wall.images.findIndex((image) => image.hash === hash);
  const around = wall.images.slice(Math.max(0, place - 500), place + 500).map((image) => image.hash);
  sessionStorage.setItem("order", JSON.stringify({ back: location.pathname + location.search, hashes: around }));
});

/** What is new comes by itself at the top of the page; further down it waits for a click. */
let looking = false;
async function look() {
  if (looking) return;
  looking = true;
  await new Promise((resolve) => setTimeout(resolve, 700));
  looking = false;
  const found = await get("/v1/images", { ...query(), limit: PAGE }).catch(() => null);
  if (!found || !wall.begun) return;
  const count = wall.missing(found.images);
  if (count && wall.images.length && (scrollY > 200 || host.matches(":hover") || host.contains(document.activeElement))) {
    news.textContent = `Show ${plural(count, "new picture")}`;
    news.hidden = false;
    return;
  }
  news.hidden = true;
  wall.merge(found.images);
  told();
  counted();
}

news.onclick = () => {
  scrollTo(0, 0);
  begin();
};

if (may("read")) {
  follow(["accepted", "done", "no_face", "failed", "erased"], (event) => {
    if (event.kind === "erased") return wall.remove(event.hash), counted();
    if (event.kind === "accepted" || event.kind === "gap" || filtered()) return look();
    const faces = Array.from({ length: event.faces ?? 0 }, () => ({}));
    return wall.update(event.hash, { state: event.kind === "failed" ? "failed" : "done", faces }) || look();
  });
  document.addEventListener("back", begin); // what did not load meanwhile is loaded now
}

show();
offerPeople();
