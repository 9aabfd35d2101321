/** All videos, and a way to add one. */

import { ask, get } from "../parts/api.js";
import { progressOf } from "./clock.js";
import { button, emptyState, errorState, loading, make, shortName, toast, toastError } from "../parts/components.js";

const PAGE = 100;
const LOOK = 3000; // milliseconds between looks while a video is not finished

const list = make("ul", { className: "video-list" });
const content = document.getElementById("videos");
const more = button("Show more", () => load(), { hidden: true });
const lines = new Map(); // by hash
let cursor = null;
content.append(loading(3));
load();

async function load() {
  try {
    const page = await get("/v1/videos", { limit: PAGE, cursor });
    cursor = page.next;
    for (const video of page.videos) show(video);
    more.hidden = !cursor;
    const nothing = emptyState("videos", "No videos yet", make("p", {}, "Add one to see who is in it, and when."));
    content.replaceChildren(...(lines.size ? [list, make("p", { className: "more" }, more)] : [nothing]));
    if (page.videos.some((video) => video.state === "pending")) setTimeout(look, LOOK);
  } catch (error) {
    content.replaceChildren(errorState(error, load));
  }
}

function show(video, first = false) {
  const line = make("li", {}, make("a", { className: "video-line card", href: `/videos/${video.hash}` }, make("span", { className: "title" }, shortName(video.name)), make("span", { className: "hint" }, progressOf(video))));
  if (lines.has(video.hash)) lines.get(video.hash).replaceWith(line);
  else if (first) list.prepend(line);
  else list.append(line);
  lines.set(video.hash, line);
}

/** See how the newest are doing. */
async function look() {
  if (document.hidden) return void setTimeout(look, LOOK);
  try {
    const { videos } = await get("/v1/videos", { limit: PAGE });
    for (const video of videos.toReversed()) show(video, true);
    if (videos.some((video) => video.state === "pending")) setTimeout(look, LOOK);
  } catch {
    setTimeout(look, LOOK); // the page says that the server is unavailable
  }
}

const add = document.getElementById("add");
const picker = make("input", { type: "file", accept: "video/*,.mkv,.flv,.wmv,.avi", onchange: () => picker.files[0] && send(picker.files[0]) });
add?.addEventListener("click", () => picker.click());

async function send(file) {
  add.disabled = true;
  toast(`Sending ${file.name} …`);
  try {
    const sent = await ask("/v1/videos", { method: "POST", query: { name: file.name }, body: file, type: "application/octet-stream" });
    location.assign(sent.location.replace("/v1", ""));
  } catch (error) {
    toastError(error);
  }
  add.disabled = false;
  picker.value = "";
}
