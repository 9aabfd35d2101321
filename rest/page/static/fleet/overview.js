/** What the fleet does now: counts, live plots, workers, queues, pictures in flight. */

import { get } from "../parts/api.js";
import { emptyState, errorState, loading, make, plural, titleOf } from "../parts/components.js";
import { Plot } from "./plots.js";

const EVERY = 2000; // milliseconds
const SPAN = 300; // seconds
const SMOOTH = 5; // samples that a rate is taken over
const KEPT = "fleet-samples";

const number = (value) => (value ?? 0).toLocaleString("en");

/** Show it, and keep it up to date while the page can be seen; gives what stops that. */
export function overviewTab(root) {
  const parts = { figures: make("ul", { className: "figures" }), tables: make("div", { className: "fleet-tables" }) };
  const rate = new Plot("Pictures a second", ["Done", "Accepted"], SPAN);
  const waiting = new Plot("Pictures waiting", ["Waiting", "To be retried"], SPAN);
  const shown = make("div", { className: "stack-l" }, parts.figures, make("div", { className: "plots" }, rate.root, waiting.root), parts.tables);
  root.replaceChildren(loading(6));
  let samples = remembered();
  let timer = null;
  let stopped = false;

  async function look() {
    try {
      const [stats, pending] = await Promise.all([get("/v1/stats"), get("/v1/images", { state: "pending", limit: 12 })]);
      if (stopped) return;
      take(stats);
      figures(parts.figures, stats);
      parts.tables.replaceChildren(workers(stats), queues(stats), inHand(stats, pending.images));
      if (!shown.isConnected) root.replaceChildren(shown);
    } catch (error) {
      if (!shown.isConnected && !stopped) root.replaceChildren(errorState(error, () => root.replaceChildren(loading(6)) || look()));
    }
    if (!stopped && !document.hidden) timer = setTimeout(look, EVERY);
  }

  function take(stats) {
    const time = Date.now() / 1000;
    const { pictures } = stats;
    samples.push({ time, done: pictures.done, accepted: pictures.accepted, waiting: ready(stats, "pictures"), again: retried(stats) });
    samples = samples.filter((sample) => time - sample.time <= SPAN);
    sessionStorage.setItem(KEPT, JSON.stringify(samples));
    rate.show(samples.map((sample, index) => ({ time: sample.time, values: rates(samples, index) })), time);
    waiting.show(samples.map(({ time: then, waiting: some, again }) => ({ time: then, values: [some, again] })), time);
  }

  function turn() {
    clearTimeout(timer);
    if (!document.hidden) look();
  }
  document.addEventListener("visibilitychange", turn);
  look();
  return () => {
    stopped = true;
    clearTimeout(timer);
    document.removeEventListener("visibilitychange", turn);
  };
}

function remembered() {
  try {
    const now = Date.now() / 1000;
    return (JSON.parse(sessionStorage.getItem(KEPT)) ?? []).filter((sample) => now - sample.time <= SPAN);
  } catch {
    return [];
  }
}

/** Pictures done and accepted a second, over the last few samples. */
function rates(samples, index) {
  const before = samples[Math.max(0, index - SMOOTH)];
  const after = samples[index];
  const seconds = after.time - before.time;
  return ["done", "accepted"].map((name) => (seconds ? Math.max(0, (after[name] - before[name]) / seconds) : 0));
}

const ready = (stats, name) => (stats.queues ?? []).find((queue) => queue.name === name)?.ready ?? 0;

const retried = (stats) =>
  (stats.queues ?? []).filter(({ name }) => name.includes(".retry.")).reduce((sum, queue) => sum + (queue.ready ?? 0), 0);

function figures(list, stats) {
  const { pictures, rates: seen } = stats;
  const minute = seen[0]?.done ?? 0;
  const about = stats.exact ? "" : "about ";
  const shown = [
    ["Done", number(pictures.done), `${minute.toLocaleString("en", { maximumFractionDigits: 1 })} a second in the last minute`],
    ["In flight", number(pictures.in_flight), stats.oldest_in_flight_seconds === null ? "nothing waits" : `the oldest for ${duration(stats.oldest_in_flight_seconds)}`],
    ["Failed", number(pictures.failed), pictures.failed ? make("a", { href: "/fleet?show=failures" }, "see why") : "none"],
    ["Faces", about + number(stats.faces), `${about}${plural(stats.matches, "match", "matches")}`],
    ["Erased", number(pictures.erased), `of ${number(pictures.accepted)} accepted`],
  ];
  list.replaceChildren(
    ...shown.map(([name, value, more]) =>
      make("li", { className: "card figure" }, make("span", { className: "hint" }, name), make("strong", {}, value), make("span", { className: "hint" }, more)),
    ),
  );
}

function workers(stats) {
  const known = stats.worker_details ?? [];
  const now = Date.now() / 1000;
  const rows = known.map((worker) => [
    worker.host,
    worker.state === "busy" ? `busy with ${plural(worker.pictures, "picture")} for ${duration(Math.max(0, now - worker.since))}` : worker.state,
    number(worker.settled),
    duration(Math.max(0, now - worker.started)),
  ]);
  const none = stats.workers === null ? "RabbitMQ does not answer, so their number is unknown." : "No worker is running: pictures wait until one is started.";
  const what = rows.length ? table(["Worker", "What it does", "Pictures", "Up for"], rows) : make("p", { className: stats.workers ? "hint" : "wrong" }, stats.workers ? `${plural(stats.workers, "worker")} at work.` : none);
  return make("section", { className: "card" }, make("h2", {}, "Workers"), what);
}

function queues(stats) {
  if (!stats.queues) return make("section", { className: "card" }, make("h2", {}, "Queues"), make("p", { className: "wrong" }, "RabbitMQ does not answer."));
  const rows = [
    ["Pictures waiting for a worker", number(ready(stats, "pictures"))],
    ["To be retried later", number(retried(stats))],
    ["Videos waiting", number(ready(stats, "videos"))],
    ["Dead letters: no worker could read them", number(stats.dead_letters)],
  ];
  return make("section", { className: "card" }, make("h2", {}, "Queues"), table(["Queue", "Messages"], rows));
}

function inHand(stats, images) {
  const section = make("section", { className: "card" }, make("h2", {}, "In flight"));
  if (!images.length) {
    section.append(make("p", { className: "hint" }, "Nothing: every accepted picture is done, or failed with a reason."));
    return section;
  }
  const now = Date.now() / 1000;
  const rows = images.map((image) => [make("a", { href: `/pictures/${image.hash}` }, titleOf(image)), duration(Math.max(0, now - image.accepted))]);
  section.append(table(["Picture", "Waiting for"], rows));
  const more = stats.pictures.in_flight - images.length;
  if (more > 0) section.append(make("p", { className: "hint" }, `and ${number(more)} more`));
  return section;
}

/** A table; a cell is text or an element. */
export function table(heads, rows) {
  const head = make("tr", {}, ...heads.map((text) => make("th", { scope: "col" }, text)));
  const body = rows.map((cells) => make("tr", {}, ...cells.map((cell) => make("td", {}, cell))));
  const element = make("table", { className: heads.length > 2 ? "wide" : "" }, make("thead", {}, head), make("tbody", {}, ...body));
  return make("div", { className: "scroll", tabIndex: 0, role: "region", ariaLabel: heads.join(", ") }, element);
}

export const nothing = (title, text) => emptyState("check", title, make("p", {}, text));

export function duration(seconds) {
  if (seconds < 100) return plural(Math.round(seconds), "second");
  if (seconds < 6000) return plural(Math.round(seconds / 60), "minute");
  return seconds < 172800 ? plural(Math.round(seconds / 3600), "hour") : plural(Math.round(seconds / 86400), "day");
}
