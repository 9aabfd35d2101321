/** A wall of any number of pictures: only those in view, and some around them, are in the document. */

import { load, make, tile } from "../parts/components.js";

const GAP = 8; // pixels
const MIN_TILE = 150; // pixels of a tile's side, on a wide screen
const AROUND = 2; // rows kept above and below
const FAST = 3; // screens a second, above which thumbnails wait until the scrolling slows down
const REST = 90; // milliseconds

/** Rows of squares. `load(cursor)` gives `{images, next}`; the first cursor is null, and `next` is null at the end. */
export class Wall {
  constructor(host, load, { told = () => {} } = {}) {
    this.load = load;
    this.told = told;
    this.list = make("ul", { className: "wall", role: "list", aria: { label: "Pictures" } });
    this.nodes = new Map();
    this.focused = 0;
    host.replaceChildren(this.list);
    this.sizes = new ResizeObserver(() => this.#arrange());
    this.sizes.observe(this.list);
    this.onScroll = () => this.#soon();
    addEventListener("scroll", this.onScroll, { passive: true });
    this.list.addEventListener("keydown", (event) => this.#key(event));
    this.list.addEventListener("focusin", (event) => this.#remember(event.target));
    this.images = [];
    this.next = null;
    this.begun = false;
    this.loading = null;
  }

  /** Take the wall away. */
  close() {
    this.sizes.disconnect();
    removeEventListener("scroll", this.onScroll);
    this.list.remove();
    this.closed = true;
  }

  /** Load the next page, unless that is under way or there is none. */
  async more() {
    if (this.loading || (this.begun && this.next === null)) return this.loading;
    this.loading = this.load(this.next);
    try {
      const { images, next } = await this.loading;
      if (this.closed) return;
      [this.begun, this.next] = [true, next];
      this.images.push(...images);
      this.#arrange();
      this.told();
    } finally {
      this.loading = null;
    }
    if (!this.closed && this.next !== null && this.#near()) await this.more();
  }

  /** Put pictures first; those that are there already are shown anew. */
  merge(images) {
    const places = new Map(this.images.map((image, place) => [image.hash, place]));
    const fresh = images.filter((image) => !places.has(image.hash));
    for (const image of images) if (places.has(image.hash)) this.update(image.hash, image);
    if (fresh.length) {
      this.images.unshift(...fresh);
      this.focused += this.focused ? fresh.length : 0;
      this.#clear();
      this.#arrange();
    }
  }

  /** How many of some pictures are not on the wall. */
  missing(images) {
    const known = new Set(this.images.map((image) => image.hash));
    return images.filter((image) => !known.has(image.hash)).length;
  }

  /** Change what is shown of a picture; false if it is not on the wall. */
  update(hash, values) {
    const place = this.images.findIndex((image) => image.hash === hash);
    if (place < 0) return false;
    const before = this.images[place];
    this.images[place] = { ...before, ...values };
    const [was, now] = [before, this.images[place]];
    if (was.state === now.state && was.faces.length === now.faces.length) return true;
    this.nodes.get(place)?.remove();
    this.nodes.delete(place);
    this.#paint();
    return true;
  }

  /** Take a picture off. */
  remove(hash) {
    const place = this.images.findIndex((image) => image.hash === hash);
    if (place < 0) return;
    this.images.splice(place, 1);
    this.#clear();
    this.#arrange();
    this.told();
  }

  #arrange() {
    const width = this.list.clientWidth;
    if (!width) return;
    const columns = Math.max(3, Math.floor((width + GAP) / (MIN_TILE + GAP)));
    const side = (width - GAP * (columns - 1)) / columns;
    if (columns !== this.columns || side !== this.side) this.#clear();
    [this.columns, this.side] = [columns, side];
    const rows = Math.ceil(this.images.length / columns);
    this.list.style.height = `${Math.max(0, rows * (side + GAP) - GAP)}px`;
    this.#paint();
  }

  #soon() {
    this.frame ??= requestAnimationFrame(() => {
      this.frame = null;
      this.#paint();
      if (this.#near()) this.more().catch(() => {}); // tried again with the next scroll
    });
  }

  /** Whether the end is two screens away, or less. */
  #near() {
    return this.list.getBoundingClientRect().bottom < 3 * innerHeight;
  }

  #paint() {
    if (!this.columns) return;
    const pitch = this.side + GAP;
    const top = -this.list.getBoundingClientRect().top;
    const first = Math.max(0, Math.floor(top / pitch) - AROUND) * this.columns;
    const last = Math.min(this.images.length, (Math.ceil((top + innerHeight) / pitch) + AROUND) * this.columns);
    for (const [place, node] of this.nodes) {
      if ((place < first || place >= last) && !node.contains(document.activeElement)) {
        node.remove();
        this.nodes.delete(place);
      }
    }
    for (let place = first; place < last; place += 1) if (!this.nodes.has(place)) this.#put(place, last, pitch);
    this.#fill();
  }

  /** Load the thumbnails in view, unless they fly past. */
  #fill() {
    const now = performance.now();
    const speed = Math.abs(scrollY - (this.seenAt ?? scrollY)) / innerHeight / Math.max(1, now - (this.seen ?? 0)) * 1000;
    [this.seenAt, this.seen] = [scrollY, now];
    clearTimeout(this.rest);
    if (speed > FAST) this.rest = setTimeout(() => this.#fill(), REST);
    else for (const node of this.nodes.values()) load(node.firstChild);
  }

  #put(place, last, pitch) {
    const image = this.images[place];
    const shown = tile(image, { size: this.side * devicePixelRatio > 220 ? 320 : 200, deferred: true });
    shown.tabIndex = place === this.focused ? 0 : -1;
    shown.dataset.place = place;
    const node = make("li", { aria: { setsize: this.next === null ? this.images.length : -1, posinset: place + 1 } }, shown);
    node.style.width = node.style.height = `${this.side}px`;
    node.style.transform = `translate(${(place % this.columns) * pitch}px, ${Math.floor(place / this.columns) * pitch}px)`;
    this.nodes.set(place, node);
    let after = place + 1;
    while (after < last && !this.nodes.has(after)) after += 1;
    this.list.insertBefore(node, this.nodes.get(after) ?? null);
  }

  #clear() {
    this.list.replaceChildren();
    this.nodes.clear();
  }

  #remember(target) {
    const place = Number(target.dataset.place);
    if (Number.isNaN(place) || place === this.focused) return;
    const before = this.nodes.get(this.focused)?.firstChild;
    if (before) before.tabIndex = -1;
    target.tabIndex = 0;
    this.focused = place;
  }

  /** Arrows, Home, End and the page keys go from tile to tile. */
  #key(event) {
    const page = Math.max(1, Math.floor(innerHeight / (this.side + GAP)) - 1) * this.columns;
    const steps = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -this.columns, ArrowDown: this.columns, PageUp: -page, PageDown: page };
    const last = this.images.length - 1;
    const ends = { Home: 0, End: last };
    if (event.altKey || event.ctrlKey || event.metaKey || !(event.key in steps || event.key in ends)) return;
    event.preventDefault();
    this.focus(ends[event.key] ?? Math.min(last, Math.max(0, this.focused + steps[event.key])));
  }

  /** Bring a picture into view, and the focus to it. */
  focus(place) {
    const row = Math.floor(place / this.columns);
    const top = this.list.getBoundingClientRect().top + row * (this.side + GAP);
    if (top < 80) scrollBy(0, top - 80);
    else if (top + this.side > innerHeight - 90) scrollBy(0, top + this.side - innerHeight + 90);
    this.#paint();
    this.nodes.get(place)?.firstChild.focus({ preventScroll: true });
  }
}
