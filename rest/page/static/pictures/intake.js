/** Bringing pictures in: buttons, dropping, pasting, links; and the list that shows the way of each. */

import { get, may } from "../parts/api.js";
import { button, dialog, icon, make, plural, shortName, toast } from "../parts/components.js";
import { chosen, dropped, isPicture, pasted, taken } from "../parts/files.js";
import { Sending } from "./sending.js";

const PREVIEWS = 60; // pictures shown beside their names before they are sent

const byId = (id) => document.getElementById(id);

/** Set everything up; what is sent is told to `arrived`. */
export function intake(arrived) {
  if (!may("scan")) return null;
  const list = new Rows(byId("batch"));
  const sending = new Sending((item) => {
    list.show(sending, item);
    if (item.state === "waiting") arrived();
  });
  list.onClear = () => sending.clear();

  function take(entries) {
    const pictures = entries.filter(({ file }) => isPicture(file));
    const others = entries.length - pictures.length;
    if (others) toast(`${plural(others, "file is not a picture and was", "files are not pictures and were")} left out.`);
    if (pictures.length) sending.addFiles(pictures);
  }

  choose("add", { multiple: true, accept: "image/*,.heic,.heif,.avif,.tif,.tiff" }, (files) => take(chosen(files)));
  choose("add-folder", { webkitdirectory: true }, (files) => take(chosen(files)));
  choose("add-photo", { accept: "image/*", capture: "environment" }, (files) => take(taken(files)));
  byId("add-links").onclick = async () => {
    const urls = await links();
    if (urls?.length) sending.addUrls(urls);
  };
  dropping(byId("drop"), take);
  addEventListener("paste", (event) => {
    if (event.clipboardData?.files.length) take(pasted(event.clipboardData));
  });
  addEventListener("beforeunload", (event) => {
    if (sending.unsent) event.preventDefault();
  });
  return {
    choose: () => byId("add").click(),
    samples: async () => sending.addUrls(await get(`${document.body.dataset.static}/pictures/samples.json`)),
  };
}

function choose(id, properties, take) {
  const input = make("input", { type: "file", ...properties });
  input.onchange = () => {
    take(input.files);
    input.value = "";
  };
  byId(id).onclick = () => input.click();
}

function dropping(overlay, take) {
  const holdsFiles = (event) => event.dataTransfer?.types.includes("Files");
  let depth = 0;
  addEventListener("dragenter", (event) => {
    if (!holdsFiles(event)) return;
    depth += 1;
    overlay.hidden = false;
  });
  addEventListener("dragleave", (event) => {
    if (holdsFiles(event) && --depth <= 0) overlay.hidden = true;
  });
  addEventListener("dragover", (event) => holdsFiles(event) && event.preventDefault());
  addEventListener("drop", async (event) => {
    if (!holdsFiles(event)) return;
    event.preventDefault();
    [depth, overlay.hidden] = [0, true];
    take(await dropped(event.dataTransfer));
  });
}

/** Ask for addresses, one a line. */
function links() {
  return dialog("Pictures from the web", (close) => {
    const text = make("textarea", { rows: 5, id: "links", spellcheck: false, placeholder: "https://example.org/picture.jpg" });
    const send = () => close(text.value.split(/\s+/).filter(Boolean));
    return [
      make("div", { className: "stack" }, make("label", { htmlFor: "links" }, "Addresses of pictures, one on each line"), text),
      make("p", { className: "hint" }, "The server fetches them. A page's address will not do: copy the address of the picture itself."),
      make("p", { className: "actions" }, button("Cancel", () => close()), button("Fetch them", send, { kind: "primary" })),
    ];
  });
}

/** The list of what is under way. */
class Rows {
  constructor(host) {
    this.host = host;
    this.rows = new Map();
    this.previews = 0;
    this.title = make("h2", { id: "batch-title" });
    this.progress = make("progress", { aria: { labelledby: "batch-title" } });
    this.list = make("ol", { className: "rows", tabIndex: 0, aria: { label: "Pictures under way" } });
    const hide = button("Hide", () => this.#hide(), { kind: "quiet" });
    host.append(make("div", { className: "batch-head" }, this.title, hide), this.progress, this.list);
  }

  show(sending, item) {
    this.host.hidden = false;
    const row = this.rows.get(item) ?? this.#add(item);
    row.dataset.state = item.state;
    row.querySelector(".state").textContent = inWords(item);
    if (item.hash && !row.querySelector("a")) {
      const name = row.querySelector(".name");
      name.replaceChildren(make("a", { href: `/pictures/${item.hash}` }, name.textContent));
    }
    this.#sum(sending.items);
  }

  #add(item) {
    const row = make("li", { title: item.name }, this.#preview(item));
    row.append(make("span", { className: "name" }, shortName(item.name)), make("span", { className: "state" }));
    this.rows.set(item, row);
    this.list.append(row);
    return row;
  }

  #preview(item) {
    if (!item.file || this.previews >= PREVIEWS) return icon("pictures");
    this.previews += 1;
    const shown = make("img", { className: "picture", alt: "", decoding: "async", src: URL.createObjectURL(item.file) });
    shown.onload = () => URL.revokeObjectURL(shown.src);
    shown.onerror = () => shown.replaceWith(icon("pictures"));
    return shown;
  }

  #sum(items) {
    const finished = items.filter((item) => item.finished).length;
    const failed = items.filter((item) => item.state === "failed").length;
    this.progress.max = items.length;
    this.progress.value = finished;
    const wrong = failed ? `, ${failed} failed` : "";
    this.title.textContent =
      finished === items.length ? `${plural(items.length, "picture")} done${wrong}` : `${finished} of ${plural(items.length, "picture")} done${wrong}`;
  }

  #hide() {
    this.host.hidden = true;
    for (const [item, row] of this.rows) {
      if (!item.finished) continue;
      row.remove();
      this.rows.delete(item);
    }
    this.onClear();
  }
}

function inWords(item) {
  switch (item.state) {
    case "queued":
      return item.reason || "queued";
    case "sending":
      return item.url ? "fetching…" : "sending…";
    case "waiting":
      return "waiting";
    case "done":
      return item.faces ? plural(item.faces, "face") : "no face";
    default:
      return item.reason;
  }
}
