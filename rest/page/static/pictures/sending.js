/** Sends pictures a few at a time, and knows what became of each. What was sent is the server's; a tab may close. */

import { Offline, Problem, ask, post } from "../parts/api.js";
import { follow } from "../parts/live.js";

const AT_ONCE = 3;
const URLS = 8; // that the server fetches for one request
const LOOK = 5000; // milliseconds between looks at what waits, in case an event was missed
const LOOKED_AT = 500;

/** States: queued, sending, waiting, done, failed. `faces` once it is done, `reason` where it failed. */
class Item {
  constructor(name, { file = null, url = null } = {}) {
    Object.assign(this, { name, file, url, hash: null, state: "queued", faces: 0, reason: "" });
  }

  get finished() {
    return this.state === "done" || this.state === "failed";
  }
}

export class Sending {
  /** @param {(item: Item) => void} changed called whenever something is known of an item */
  constructor(changed) {
    this.items = [];
    this.changed = changed;
    this.queue = [];
    this.busy = 0;
    this.byHash = new Map();
    this.early = new Map(); // events that came before the answer did
    this.timer = null;
  }

  get unsent() {
    return this.items.some((item) => item.state === "queued" || item.state === "sending");
  }

  /** Add files, each with its name. */
  addFiles(entries) {
    this.#add(entries.map(({ file, name }) => [new Item(name, { file })]));
  }

  /** Add addresses of pictures, which the server fetches. */
  addUrls(urls) {
    const items = urls.map((url) => new Item(url, { url }));
    const pieces = [];
    for (let start = 0; start < items.length; start += URLS) pieces.push(items.slice(start, start + URLS));
    this.#add(pieces);
  }

  /** Forget what is finished. */
  clear() {
    for (const item of this.items.filter((one) => one.finished)) this.byHash.delete(item.hash);
    this.items = this.items.filter((item) => !item.finished);
  }

  #add(pieces) {
    this.stop ??= follow(["done", "no_face", "failed"], (event) => this.#heard(event));
    for (const items of pieces) {
      this.items.push(...items);
      this.queue.push(items);
      for (const item of items) this.changed(item);
    }
    while (this.busy < Math.min(AT_ONCE, this.queue.length + this.busy) && this.queue.length) this.#run();
    this.timer ??= setInterval(() => this.#look(), LOOK);
  }

  async #run() {
    this.busy += 1;
    while (this.queue.length) await this.#send(this.queue.shift());
    this.busy -= 1;
  }

  async #send(items) {
    for (;;) {
      for (const item of items) this.#set(item, { state: "sending", reason: "" });
      try {
        const { items: answers } = await this.#asked(items);
        answers.forEach((answer, place) => this.#answered(items[place], answer));
        return;
      } catch (error) {
        if (!passing(error)) {
          for (const item of items) this.#set(item, { state: "failed", reason: error.message });
          return;
        }
        const seconds = error.retryAfter ?? 5;
        const reason = error instanceof Offline ? "no connection: trying again" : `the server is busy: trying again in ${seconds} s`;
        for (const item of items) this.#set(item, { state: "queued", reason });
        await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
      }
    }
  }

  #asked(items) {
    const [{ file, name }] = items;
    if (!file) return post("/v1/images", { urls: items.map((item) => item.url) });
    return ask("/v1/images", { method: "POST", query: { name }, body: file, type: file.type || "application/octet-stream" });
  }

  #answered(item, answer) {
    item.file = null; // so that its memory is free
    if (answer.problem) return this.#set(item, { state: "failed", reason: answer.problem.detail });
    item.hash = answer.hash;
    this.byHash.set(item.hash, [...(this.byHash.get(item.hash) ?? []), item]);
    this.#set(item, { state: "waiting" });
    const early = this.early.get(item.hash);
    if (early) this.#heard(early);
    else if (!answer.new) this.#look();
  }

  #heard(event) {
    if (event.kind === "gap") return this.#look();
    const items = this.byHash.get(event.hash) ?? [];
    if (!items.length) this.early.set(event.hash, event);
    if (this.early.size > LOOKED_AT) this.early.delete(this.early.keys().next().value);
    const failed = event.kind === "failed";
    for (const item of items) {
      if (!item.finished) this.#set(item, { state: failed ? "failed" : "done", faces: event.faces ?? 0, reason: failed ? event.reason : "" });
    }
  }

  async #look() {
    const waiting = this.items.filter((item) => item.state === "waiting").slice(0, LOOKED_AT);
    if (!waiting.length) {
      if (!this.unsent) this.timer = clearInterval(this.timer) ?? null;
      return;
    }
    const found = await post("/v1/statuses", { hashes: waiting.map((item) => item.hash) }).catch(() => null);
    found?.statuses.forEach((status, place) => {
      const item = waiting[place];
      if (item.finished || status.state === "pending") return;
      const done = status.state === "done";
      this.#set(item, { state: done ? "done" : "failed", faces: status.faces ?? 0, reason: done ? "" : (status.reason ?? "it is no longer known") });
    });
  }

  #set(item, values) {
    Object.assign(item, values);
    this.changed(item);
  }
}

/** Whether an error may pass by itself. */
function passing(error) {
  return error instanceof Offline || (error instanceof Problem && [429, 503, 502].includes(error.status) && error.code !== "http_status");
}
