/** Pictures that show a face, nearest first, and a slider that leaves out what is too far. */

import { button, make, plural, tile } from "./components.js";

const PAGE = 120;
const STEP = 0.005;

/**
 * @typedef {{hash: string, names: string[], distance: number, probability: number | null}} Match
 */
export class Matches {
  /** @param {(within: number | null) => void} moved told where the slider stands; null: at its end */
  constructor({ moved = () => {} } = {}) {
    this.moved = moved;
    this.slider = make("input", { type: "range", step: STEP, id: "within" });
    this.said = make("p", { className: "said", role: "status" });
    this.list = make("ul", { className: "tiles found", role: "list" });
    this.more = button("Show more", () => this.#show(this.limit + PAGE));
    const ends = make("div", { className: "row spread hint" }, make("span", {}, "only the surest"), make("span", {}, "anything similar"));
    this.control = make("div", { className: "control" }, make("label", { htmlFor: "within" }, "How alike?"), this.slider, ends);
    this.root = make("div", { className: "matches" }, make("div", { className: "sift" }, this.control, this.said), this.list, this.more);
    this.slider.oninput = () => {
      this.#show(PAGE);
      this.moved(this.#atEnd() ? null : Number(this.slider.value));
    };
  }

  /**
   * @param {Match[]} matches nearest first
   * @param {number} tolerance the largest distance that counts as a match
   * @param {number} [within] where the slider stands
   */
  fill(matches, tolerance, within = tolerance) {
    this.matches = matches;
    this.slider.min = Math.min(0.3, matches[0]?.distance ?? 0.3);
    this.slider.max = tolerance;
    this.slider.value = within;
    this.control.hidden = matches.length < 2;
    this.#show(PAGE);
  }

  #atEnd() {
    return Number(this.slider.value) >= Number(this.slider.max) - STEP / 2;
  }

  #show(limit) {
    this.limit = limit;
    const within = this.#atEnd() ? Infinity : Number(this.slider.value);
    const shown = this.matches.filter((match) => match.distance <= within);
    this.slider.setAttribute("aria-valuetext", this.#sum(shown));
    this.said.textContent = this.#sum(shown);
    this.more.hidden = shown.length <= limit;
    const wanted = shown.slice(0, limit);
    while (this.list.children.length > wanted.length) this.list.lastChild.remove();
    wanted.forEach((match, place) => {
      const there = this.list.children[place];
      if (!there) this.list.append(row(match));
      else if (there.dataset.hash !== match.hash) there.replaceWith(row(match));
    });
  }

  /** How many there are, and how many of them are likely right: the sum of their odds. */
  #sum(shown) {
    if (!this.matches.length) return "No other picture shows this face.";
    if (!shown.length) return "None is that much alike. Move the slider to the right.";
    const count = plural(shown.length, "picture");
    const odds = shown.map((match) => match.probability).filter((odd) => odd !== null);
    if (odds.length < shown.length) return `${count}. How many are right is not known yet: the fleet measures it once it has more faces.`;
    const right = odds.reduce((sum, odd) => sum + odd, 0);
    if (right > shown.length - 0.5) return `${count}, ${shown.length === 1 ? "very likely right" : "very likely all right"}.`;
    return `${count}, of which about ${Math.round(right).toLocaleString("en")} ${Math.round(right) === 1 ? "is" : "are"} likely right.`;
  }
}

function row(match) {
  const image = { ...match, state: "done", faces: [{ box: match.box }] };
  const odds = match.probability === null ? "" : `${percent(match.probability)} likely`;
  const caption = make("span", { className: "caption" }, make("b", {}, match.distance.toFixed(2)), odds && make("span", {}, odds));
  const shown = tile(image, { href: `/pictures/${match.hash}?face=${match.face}` });
  shown.setAttribute("aria-label", `${shown.getAttribute("aria-label").replace(/, .*$/, "")}, distance ${match.distance.toFixed(2)}${odds && `, ${odds}`}`);
  return make("li", { data: { hash: match.hash } }, shown, caption);
}

/** A chance as people say it; nothing is certain. */
export function percent(chance) {
  if (chance > 0.995) return "over 99%";
  if (chance < 0.01) return "under 1%";
  return `${Math.round(chance * 100)}%`;
}
