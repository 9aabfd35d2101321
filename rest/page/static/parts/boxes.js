/** A picture with its faces boxed; a box is a button, and says which face is at hand. */

import { draw, icon, make } from "./components.js";

const LETTERS = 14; // pixels of the names on the picture
const MARGIN = 0.3; // of a face's box, on each side of its crop

/**
 * @param {string | null} source of the picture; null: it is not kept
 * @param {{box: object, label: string}[]} faces boxes in pixels of the upright picture
 * @param {{width: number, height: number} | null} size of the picture, perhaps not upright; null: its own
 * @param {(face: number) => void} choose
 */
export class Boxes {
  constructor(source, faces, { alt, size = null, crop = null, choose = () => {}, hover = () => {} }) {
    this.image = make("img", { alt, className: "boxed-picture", decoding: "async" });
    this.svg = draw("svg", { class: "boxes", role: "group", "aria-label": "Faces in the picture" });
    this.root = make("div", { className: "boxed" }, this.image, this.svg);
    this.marks = new Map();
    this.size = size;
    this.image.onload = () => this.#measure();
    this.image.onerror = () => this.#missing();
    this.sizes = new ResizeObserver(() => this.#letter());
    this.sizes.observe(this.root);
    this.#mark(faces, choose, hover);
    this.crops = crop ? () => faces.flatMap(({ box }, face) => (box ? this.#crop(box, crop(face)) : [])) : () => [];
    if (source) this.image.src = source;
    else this.#missing();
  }

  /** Say which face is at hand, and which one the pointer is on elsewhere. */
  light(chosen, hovered = null) {
    for (const [face, mark] of this.marks) {
      mark.classList.toggle("chosen", face === chosen);
      mark.classList.toggle("hovered", face === hovered);
      mark.setAttribute("aria-pressed", String(face === chosen));
    }
  }

  #mark(faces, choose, hover) {
    faces.forEach(({ box, label }, face) => {
      if (!box) return;
      const [width, height] = [box.right - box.left, box.bottom - box.top];
      const rect = draw("rect", { x: box.left, y: box.top, width, height, rx: Math.min(width, height) * 0.08 });
      const name = draw("text", { x: box.left + width / 2, "text-anchor": "middle", "data-bottom": box.bottom }, label);
      const mark = draw("g", { class: "mark", role: "button", tabindex: 0, "aria-label": label, "aria-pressed": "false" }, rect, name);
      mark.addEventListener("click", () => choose(face));
      mark.addEventListener("keydown", (event) => {
        if (event.key !== "Enter" && event.key !== " ") return;
        event.preventDefault();
        choose(face);
      });
      mark.addEventListener("pointerenter", () => hover(face));
      mark.addEventListener("pointerleave", () => hover(null));
      this.marks.set(face, mark);
      this.svg.append(mark);
    });
  }

  /** The picture is upright when it is shown; its size is that of the file, which a camera may have turned. */
  #measure() {
    const { naturalWidth: across, naturalHeight: down } = this.image;
    let { width, height } = this.size ?? { width: across, height: down };
    if (across > down !== width > height) [width, height] = [height, width];
    this.svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    this.width = width;
    this.#letter();
  }

  #missing() {
    if (!this.size) return;
    const crops = this.crops();
    const note = crops.length ? [make("span", {}, "Only the faces of this picture are kept")] : [icon("pictures"), make("span", {}, "This picture is not kept")];
    this.image.replaceWith(make("div", { className: crops.length ? "not-kept faces-only" : "not-kept" }, ...note));
    this.root.classList.add("without");
    const { width, height } = this.size;
    this.root.style.aspectRatio = `${width} / ${height}`;
    this.svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    this.svg.prepend(...crops);
    this.width = width;
    this.#letter();
  }

  /** A face where it is in the picture: its crop ends where the picture does. */
  #crop(box, href) {
    const [across, down] = [(box.right - box.left) * MARGIN, (box.bottom - box.top) * MARGIN];
    const [x, y] = [Math.max(0, box.left - across), Math.max(0, box.top - down)];
    const width = Math.min(this.size.width, box.right + across) - x;
    const height = Math.min(this.size.height, box.bottom + down) - y;
    return draw("image", { href, x, y, width, height, preserveAspectRatio: "none" });
  }

  #letter() {
    const shown = this.svg.clientWidth;
    if (!shown || !this.width) return;
    const unit = this.width / shown;
    this.svg.style.setProperty("--unit", unit);
    for (const text of this.svg.querySelectorAll("text")) {
      text.setAttribute("font-size", LETTERS * unit);
      text.setAttribute("y", Number(text.dataset.bottom) + LETTERS * 1.35 * unit);
    }
  }
}
