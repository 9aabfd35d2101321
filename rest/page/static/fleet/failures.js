/** What could not be processed, by reason, and a second chance for it. */

import { get, kept, may, post } from "../parts/api.js";
import { button, errorState, loading, make, plural, titleOf, toast, toastError } from "../parts/components.js";
import { nothing, table } from "./overview.js";

const MAX_FAILURES = 500; // failures that are looked at
const again = may("admin") && kept.originals; // it takes the originals

const WORDS = {
  truncated: "Cut short",
  damaged: "Damaged",
  too_many_pixels: "Too many pixels",
  poison: "Stopped a worker each time",
  timeout: "Took too long",
  missing: "The original is missing",
  gone: "Its message was lost",
  stranded: "Its message was lost",
  gave_up: "Given up after many attempts",
  dead_letter: "Could not be read",
};

export function failuresTab(root) {
  root.replaceChildren(loading(4));
  load(root);
}

async function load(root) {
  try {
    const [found, letters] = await Promise.all([every(), may("admin") ? get("/v1/dead-letters") : { dead_letters: [] }]);
    const groups = Map.groupBy ? Map.groupBy(found, ({ code }) => code) : grouped(found);
    const sections = [...groups].sort(([, one], [, other]) => other.length - one.length).map(([code, some]) => reason(root, code, some));
    if (letters.dead_letters.length) sections.push(deadLetters(root, letters.dead_letters));
    if (groups.size && !again) sections.unshift(make("p", { className: "notice" }, may("admin") ? "This server keeps no originals: to try a picture again, send it again." : "Trying one again needs a key with the scope admin."));
    const fine = nothing("Nothing has failed", "Pictures that cannot be processed are listed here, with the reason.");
    root.replaceChildren(...(sections.length ? [make("div", { className: "stack-l" }, ...sections)] : [fine]));
  } catch (error) {
    root.replaceChildren(errorState(error, () => failuresTab(root)));
  }
}

async function every() {
  const found = [];
  let cursor = null;
  do {
    const page = await get("/v1/failures", { limit: MAX_FAILURES, cursor });
    found.push(...page.failures);
    cursor = page.next;
  } while (cursor && found.length < MAX_FAILURES);
  return found;
}

function grouped(found) {
  const groups = new Map();
  for (const one of found) groups.set(one.code, [...(groups.get(one.code) ?? []), one]);
  return groups;
}

function reason(root, code, some) {
  const rows = some.map((one) => [
    make("a", { href: `/pictures/${one.hash}` }, titleOf(one)),
    one.reason ?? "",
    new Date(one.accepted * 1000).toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "short" }),
    again ? button("Try again", () => replay(root, [one]), { kind: "quiet" }) : "",
  ]);
  const head = make("div", { className: "row spread" }, make("h2", {}, `${WORDS[code] ?? code}: ${plural(some.length, "picture")}`), again && button("Try all again", () => replay(root, some)));
  return make("section", { className: "card", data: { code } }, head, table(["Picture", "Reason", "Accepted", ""], rows));
}

/** Have pictures processed once more; those whose original is not there stay. */
async function replay(root, some) {
  let done = 0;
  let refused = null;
  for (const { hash } of some) {
    try {
      await post(`/v1/failures/${hash}/replay`);
      done += 1;
    } catch (error) {
      refused = error;
      if (!["missing", "not_failed", "no_image_store"].includes(error.code)) break;
    }
  }
  if (done) toast(`${plural(done, "picture")} queued once more.`);
  if (refused) toastError(refused);
  await load(root);
}

function deadLetters(root, letters) {
  const retry = async (hash) => {
    try {
      const { dead_letters: some } = await post("/v1/dead-letters/replay", { hash });
      const stay = some.filter(({ now }) => now.startsWith("cannot"));
      toast(`${plural(some.length - stay.length, "message")} replayed.`);
      if (stay.length) toast(`${plural(stay.length, "message")} cannot be replayed: ${stay[0].now.replace(/^[^:]*: /, "")}`, { kind: "wrong", seconds: 10 });
    } catch (error) {
      toastError(error);
    }
    await load(root);
  };
  const rows = letters.map((letter) => [
    letter.name || letter.hash.slice(0, 12) || "unknown",
    letter.reason,
    `${letter.bytes.toLocaleString("en")} bytes`,
    letter.hash ? button("Try again", () => retry(letter.hash), { kind: "quiet" }) : "",
  ]);
  const head = make("div", { className: "row spread" }, make("h2", {}, `Dead letters: ${plural(letters.length, "message")}`), button("Try all again", () => retry("all")));
  return make("section", { className: "card", data: { code: "dead-letters" } }, head, make("p", { className: "hint" }, "Messages that no worker could read."), table(["Picture", "Reason", "Size", ""], rows));
}
