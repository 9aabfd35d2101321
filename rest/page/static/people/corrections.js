/** Corrections: statements about people, made on what was seen, and each with a way back. */

import { get, post, remove } from "../parts/api.js";
import { button, dialog, faceChip, icon, make, plural, toast, toastError } from "../parts/components.js";

/** What somebody is called. */
export const called = (person) => person.name || "Unnamed";

/** A person as a small line: face, name, number of faces. */
export function personLine(person) {
  const face = person.cover
    ? faceChip(person.cover.hash, person.cover.face)
    : make("span", { className: "face" }, icon("face"));
  return make(
    "span",
    { className: "person-line" },
    face,
    make(
      "span",
      {},
      make("strong", {}, called(person)),
      make("span", { className: "hint" }, plural(person.faces, "face")),
    ),
  );
}

const undoable = []; // ways back, the latest last

/**
 * Make a correction, say what was done, and offer the way back. All of it is done, or nothing.
 * @param {string} text what is said once it is done
 * @param {(say: (kind: string, people: object[], more?: object) => Promise<object>) => Promise<void>} run
 * @param {(done: boolean) => any} show shows what became of it; not `done`: it was refused, or taken back
 * @returns {Promise<object[] | null>} the statements; null if it was refused
 */
export async function correct(text, run, show) {
  const statements = [];
  const say = async (kind, people, { faces = [], name = "" } = {}) => {
    const versions = Object.fromEntries(people.map((person) => [person.id, person.version]));
    const body = { kind, people: people.map((person) => person.id), faces, name, versions };
    statements.push(await post("/v1/statements", body));
    return statements.at(-1);
  };
  try {
    await run(say);
  } catch (error) {
    await withdrawAll(statements).catch(() => {});
    refused(error);
    await show(false);
    return null;
  }
  const back = async () => {
    undoable.splice(undoable.indexOf(back), 1);
    try {
      await withdrawAll(statements);
      toast("Undone.");
    } catch (error) {
      toastError(error);
    }
    await show(false);
  };
  undoable.push(back);
  toast(text, { undo: back });
  await show(true);
  return statements;
}

/** Take back the latest correction made on this page; null if there is none. */
export function undoLatest() {
  return undoable.at(-1)?.() ?? null;
}

/** Withdraw statements, the latest first. */
async function withdrawAll(statements) {
  for (const statement of [...statements].reverse()) await remove(`/v1/statements/${statement.number}`);
}

function refused(error) {
  if (error.code === "stale") {
    const text = "Somebody else changed this in the meantime, so nothing was done. You now see its current state.";
    toast(text, { kind: "wrong", seconds: 10 });
  } else if (error.code === "contradiction") {
    const look = () => location.assign("/review/history");
    toast(error.message, { kind: "wrong", undo: look, action: "History", seconds: 12 });
  } else {
    toastError(error);
  }
}

/** Merge people into one; where their names differ, asks which one is right. `first`: who stays, if it is known. */
export async function merge(people, show, first = null) {
  const stays = first ?? (await whoStays(people));
  if (!stays) return null;
  const others = people.filter((person) => person.id !== stays.id);
  const text = stays.name ? `Merged into ${stays.name}.` : `Merged ${people.length} into one.`;
  const run = async (say) => {
    let into = stays;
    for (const [index, other] of others.entries()) {
      await say("same", [into, other]);
      if (index < others.length - 1) into = await get(`/v1/people/${stays.id}`);
    }
  };
  return correct(text, run, show);
}

/** Who keeps name, cover and address when people are merged: the one with a name, else the one with most faces. */
async function whoStays(people) {
  const named = people.filter((person) => person.name);
  const names = new Set(named.map((person) => person.name));
  if (names.size > 1) return choose("Which name is right?", "They become one person, with this name.", named);
  return (named.length ? named : people).reduce((one, other) => (other.faces > one.faces ? other : one));
}

/** Ask for one of some people. */
function choose(title, text, people) {
  return dialog(title, (close) => [
    make("p", {}, text),
    make(
      "ul",
      { className: "stack" },
      ...people.map((person) => {
        const line = button("", () => close(person), { kind: "choice" });
        line.append(personLine(person));
        return make("li", {}, line);
      }),
    ),
    make("p", { className: "actions" }, button("Cancel", () => close(null))),
  ]);
}

/** Give somebody a name. If somebody has it already, asks whether they are the same. */
export async function rename(person, text, show) {
  const name = text.trim().replace(/\s+/g, " ");
  if (name === person.name) return null;
  const namesake = name ? await namedLike(name, person) : null;
  const answer = namesake ? await sameOne(person, namesake) : "other";
  if (!answer) return null;
  if (answer === "same") return merge([namesake, person], show, namesake);
  return correct(name ? `Named ${name}.` : "Name removed.", (say) => say("name", [person], { name }), show);
}

/** Somebody else with this name, in capitals or not. */
async function namedLike(name, person) {
  const { people } = await get("/v1/people", { name, limit: 50 });
  return people.find((one) => one.id !== person.id && one.name.toLowerCase() === name.toLowerCase());
}

function sameOne(person, namesake) {
  return dialog(`Is this the same ${namesake.name}?`, (close) => [
    make("div", { className: "two-people" }, personLine(namesake), personLine(person)),
    make(
      "p",
      { className: "actions" },
      button("Cancel", () => close(null), { kind: "quiet" }),
      button(`No, another ${namesake.name}`, () => close("other")),
      button("Yes, merge them", () => close("same"), { kind: "primary" }),
    ),
  ]);
}

/** Leave somebody out of lists, or show them again. */
export const hide = (people, show) =>
  correct(people.length === 1 ? "Hidden." : `${people.length} people hidden.`, (say) => each(say, "hide", people), show);

export const unhide = (people, show) =>
  correct(people.length === 1 ? "Shown again." : `${people.length} people shown again.`, (say) => each(say, "show", people), show);

async function each(say, kind, people) {
  for (const person of people) await say(kind, [person]);
}

document.addEventListener("keydown", (event) => {
  const writing = event.target.closest("input:not([type=checkbox]), textarea, [contenteditable]");
  if ((event.ctrlKey || event.metaKey) && event.key === "z" && !event.shiftKey && !writing && undoLatest()) {
    event.preventDefault();
  }
});
