/** One video: who is seen from when to when, on a timeline that jumps to the frame of that second. */

import { get, may, pictureAt, remove } from "../parts/api.js";
import { clock, progressOf } from "./clock.js";
import { button, confirm, emptyState, errorState, faceChip, icon, loading, make, plural, shortName, toastError } from "../parts/components.js";

const FRAMES = 5000;
const LOOK = 3000; // milliseconds between looks while anything is still to come
const SIDE = 1280; // pixels of the frame that is shown

const hash = location.pathname.split("/").pop();
const main = document.getElementById("main");
const head = make("div", { className: "page-head" });
const content = make("div", {}, loading(4));
main.prepend(head, content);

let video = null;
let frames = [];
let at = 0; // seconds
const shown = make("img", { className: "shown", alt: "" });
const slider = make("input", { type: "range", min: 0, step: 1, aria: { label: "Frame" }, oninput: () => jump(frames[slider.value].seconds) });
const caption = make("p", { className: "at", role: "status" });
const stage = make("section", { className: "stage", aria: { label: "What is shown at a time" } }, shown, slider, caption);
const people = make("ul", { className: "timeline" });
const facts = make("p", { className: "hint" });
load();

async function load() {
  try {
    video = await get(`/v1/videos/${hash}`);
    frames = await allFrames();
  } catch (error) {
    if (video) return void setTimeout(load, LOOK); // the page says that the server is unavailable
    const gone = make("p", {}, "This video was never sent, or was erased.");
    content.replaceChildren(error.status === 404 ? emptyState("videos", "There is no video here", gone, make("a", { className: "button", href: "/videos" }, "All videos")) : errorState(error, load));
    return;
  }
  show();
  const { pending } = video.frames;
  if (video.state === "pending" || pending || video.ungrouped) setTimeout(load, LOOK);
}

async function allFrames() {
  const found = [];
  let cursor = null;
  do {
    const page = await get(`/v1/videos/${hash}/frames`, { limit: FRAMES, cursor });
    found.push(...page.frames);
    cursor = page.next;
  } while (cursor);
  return found;
}

function show() {
  document.title = `${shortName(video.name)} – Facefleet`;
  const titles = make("div", { className: "titles" }, make("h1", {}, shortName(video.name)), facts);
  head.replaceChildren(make("a", { className: "button quiet back", href: "/videos", aria: { label: "All videos" } }, icon("back")), titles);
  if (may("admin")) head.append(make("div", { className: "row" }, button("Erase", erase, { kind: "danger" })));
  facts.textContent = [progressOf(video), plural(video.frames.taken, "frame"), video.frames.pending && `${video.frames.pending.toLocaleString("en")} still to be processed`, video.reason].filter(Boolean).join(" · ");
  if (!frames.length) {
    const why = video.state === "pending" ? "Its frames have not been extracted yet." : (video.reason ?? "It has no frames.");
    content.replaceChildren(emptyState("videos", "Nothing to see yet", make("p", {}, why)));
    return;
  }
  people.replaceChildren(...video.people.map(row));
  const nobody = make("p", { className: "hint" }, video.frames.pending || video.ungrouped ? "Still finding out who is in it." : "Nobody was found in it.");
  if (!content.contains(stage)) content.replaceChildren(stage, make("h2", {}, "Who is seen when"), people);
  if (!video.people.length) people.replaceChildren(make("li", {}, nobody));
  slider.max = frames.length - 1;
  jump(at);
}

/** One person: their best face, their name, and when they are seen. */
function row(person) {
  const name = person.name || "Who is this?";
  const track = make("div", { className: "track" }, ...person.spans.map((span) => bar(name, span)), make("span", { className: "now" }));
  const best = button("", () => jump(person.best.seconds), { kind: "quiet", ariaLabel: `${name} at ${clock(person.best.seconds)}` });
  best.append(faceChip(person.best.hash, person.best.face));
  return make("li", { className: "seen" }, best, make("a", { className: "who", href: `/people/${person.id}`, title: `${name}, ${clock(person.seconds)} in all` }, name), track);
}

function bar(name, { since, until }) {
  const when = `${name} from ${clock(since)} to ${clock(until)}`;
  const shown = button("", () => jump(since), { kind: "span", title: when, ariaLabel: when });
  shown.style.left = share(since);
  shown.style.width = share(until - since);
  return shown;
}

const share = (seconds) => `${(100 * seconds) / Math.max(video.seconds ?? 0, video.reached, 0.001)}%`;

/** Show the frame that stands for a time. */
function jump(seconds) {
  at = seconds;
  const found = Math.max(0, frames.findLastIndex((frame) => frame.seconds <= seconds));
  const frame = frames[found];
  const source = pictureAt(frame.hash, SIDE);
  if (shown.getAttribute("src") !== source) shown.src = source;
  shown.alt = `The frame at ${clock(frame.seconds)}`;
  slider.value = found;
  slider.setAttribute("aria-valuetext", clock(frame.seconds));
  caption.replaceChildren(`${clock(frame.seconds)} · `, make("a", { href: `/pictures/${frame.hash}` }, "faces and matches"));
  for (const line of people.querySelectorAll(".now")) line.style.left = share(frame.seconds);
}

async function erase() {
  const text = "The video, all its frames, their faces and everything computed from them are erased from the whole fleet. This cannot be undone.";
  if (!(await confirm(`Erase ${shortName(video.name)}?`, text, "Erase it"))) return;
  try {
    await remove(`/v1/videos/${hash}`);
    location.assign("/videos");
  } catch (error) {
    toastError(error);
  }
}
