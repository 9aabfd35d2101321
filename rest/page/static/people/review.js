/** Review: "Are these the same person?", the most useful question first, answered with one key each. */

import { faceAt, get } from "../parts/api.js";
import { button, emptyState, errorState, icon, make, plural } from "../parts/components.js";
import { called, correct, merge, undoLatest } from "./corrections.js";
import { askWho } from "./naming.js";

const QUEUE = 40; // questions fetched at once
const about = new URLSearchParams(location.search).get("person") ?? "";
const main = document.getElementById("main");
const left = make("p", { className: "hint", role: "status" });
const question = make("div", { className: "question" });
const answers = make("div", { className: "answers", role: "toolbar", hidden: true, aria: { label: "Answers" } });

const answered = new Set(); // here: the server takes a moment to ask no more
const open = new Map(); // taken back or refused here: the server takes a moment to ask again
let queue = [];
let shown = null; // the question on the screen
let busy = false;

const ANSWERS = [
  { key: "y", text: "Yes, the same", kind: "primary", symbol: "check", run: yes },
  { key: "n", text: "No", kind: "", symbol: "close", run: no },
  { key: "e", text: "Somebody else…", kind: "", symbol: "people", run: somebodyElse },
  { key: "s", text: "Not sure", kind: "", symbol: "more", run: unsure },
  { key: "u", text: "Undo", kind: "quiet", symbol: "undo", run: undoLatest },
];

for (const { key, text, kind, symbol, run } of ANSWERS) {
  const one = button(text, () => answer(run), { kind, symbol, aria: { keyshortcuts: key } });
  one.append(make("kbd", {}, key.toUpperCase()));
  answers.append(one);
}
main.prepend(
  make(
    "div",
    { className: "page-head" },
    make("div", {}, make("h1", {}, "Are these the same person?"), left),
    make("a", { className: "button", href: "/review/history" }, "History"),
  ),
  question,
  answers,
);
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, dialog")) return;
  const found = ANSWERS.find(({ key }) => key === event.key.toLowerCase());
  if (!found || answers.hidden) return;
  event.preventDefault();
  answer(found.run);
});
next();

function others(pair) {
  return [pair.first, pair.second];
}

function keyOf(pair) {
  return `${pair.first.id} ${pair.second.id}`;
}

/** Answer once: keys that come while an answer is on its way are dropped. */
async function answer(run) {
  if (busy) return;
  busy = true;
  try {
    await run();
  } finally {
    busy = false;
  }
}

/** Fetch the questions anew, and show the first; those taken back come first. */
async function next() {
  try {
    const { suggestions } = await get("/v1/suggestions", { limit: QUEUE, person: about });
    const again = (await Promise.all([...open.values()].reverse().map(asNow))).filter(Boolean);
    const first = new Set(again.map(keyOf));
    queue = [...again, ...suggestions.filter((pair) => !first.has(keyOf(pair)) && !answered.has(keyOf(pair)))];
  } catch (error) {
    question.replaceChildren(errorState(error, next));
    answers.hidden = true;
    return;
  }
  show();
}

/** A question about both people as they are now; null if they are one by now. */
async function asNow(pair) {
  const [first, second] = await Promise.all(others(pair).map((person) => get(`/v1/people/${person.id}`)));
  return first.id === pair.first.id && second.id === pair.second.id ? { ...pair, first, second } : null;
}

function show() {
  [shown] = queue;
  answers.hidden = !shown;
  if (!shown) {
    left.textContent = "";
    question.replaceChildren(nothingLeft());
    return;
  }
  left.textContent = queue.length === QUEUE ? `${QUEUE} questions or more are left` : `${plural(queue.length, "question")} left`;
  question.replaceChildren(
    make("div", { className: "sides" }, side(shown.first, shown.first_faces), side(shown.second, shown.second_faces)),
    make("p", { className: "evidence hint" }, evidence(shown)),
  );
  prefetch(queue[1]);
}

function nothingLeft() {
  return emptyState(
    "check",
    "Nothing to ask",
    make("p", {}, about ? "Nobody else looks enough like this person." : "Everybody seems to be where they belong. New pictures bring new questions."),
    make("a", { className: "button", href: about ? `/people/${about}` : "/people" }, about ? "Back to the person" : "All people"),
  );
}

function side(person, faces) {
  const rest = person.faces - faces.length;
  const crops = faces.map(({ hash, face }) => {
    const crop = make("img", { alt: `A face of ${called(person)}`, decoding: "async", src: faceAt(hash, face, 160) });
    crop.onerror = () => crop.replaceWith(make("span", { className: "no-picture" }, icon("face")));
    return make("li", { className: "tile" }, crop);
  });
  const name = make("h2", {}, make("a", { href: `/people/${person.id}` }, person.name || "No name yet"));
  const many = rest > 0 ? `${plural(person.faces, "face")}; the least alike are shown` : plural(person.faces, "face");
  return make("section", { className: "card side", aria: { label: called(person) } }, name, make("ul", { className: "crops" }, ...crops), make("p", { className: "hint" }, many));
}

function evidence(pair) {
  const settles = `The answer settles ${plural(pair.faces, "face")}.`;
  const far = `They differ by ${pair.distance.toFixed(2)}; up to ${pair.limit.toFixed(2)} they would have been merged without asking.`;
  const together = pair.shared ? ` ${plural(pair.shared, "picture")} ${pair.shared === 1 ? "shows" : "show"} both, which speaks against it.` : "";
  return `${far}${together} ${settles}`;
}

function prefetch(pair) {
  for (const { hash, face } of pair ? [...pair.first_faces, ...pair.second_faces] : []) new Image().src = faceAt(hash, face, 160);
}

/** What follows an answer: the next question, or this one again where the answer was taken back or refused. */
function following() {
  const pair = shown;
  const key = keyOf(pair);
  return (done) => {
    answered.delete(key);
    open.delete(key);
    if (done) answered.add(key);
    else open.set(key, pair);
    return next();
  };
}

function yes() {
  return merge(others(shown), following());
}

function no() {
  return correct("They are two people.", (say) => say("different", others(shown)), following());
}

function unsure() {
  return correct("This is not asked again.", (say) => say("unsure", others(shown)), following());
}

async function somebodyElse() {
  const pair = shown;
  const [known, other] = pair.second.name && !pair.first.name ? [pair.second, pair.first] : others(pair);
  const who = await askWho("Who is it then?", `Not ${known.name || "the one on the left"}: who is the other one, with ${plural(other.faces, "face")}?`, { except: known.id });
  if (!who) return;
  await correct(
    `They are ${who.name}.`,
    async (say) => {
      await say("different", [known, other]);
      const now = await get(`/v1/people/${other.id}`);
      if (who.person) await say("same", [who.person, now]);
      else await say("name", [now], { name: who.name });
    },
    following(),
  );
}
