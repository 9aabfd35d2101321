/** Small plots of what was seen in the last minutes. */

import { draw, make } from "../parts/components.js";

const HEIGHT = 150;
const LEFT = 44;
const BOTTOM = 22;
const TOP = 8;
const STEPS = [1, 2, 5];

/** The least round number that is not below a value. */
function roundUp(value) {
  const power = 10 ** Math.floor(Math.log10(Math.max(value, 1e-9)));
  return STEPS.map((step) => step * power).find((round) => round >= value) ?? 10 * power;
}

const written = (value) => value.toLocaleString("en", { maximumFractionDigits: value < 10 ? 1 : 0 });

export class Plot {
  /**
   * @param {string} title
   * @param {string[]} names of the lines, the most important first
   * @param {number} span seconds that it shows
   */
  constructor(title, names, span) {
    this.title = title;
    this.names = names;
    this.span = span;
    this.svg = draw("svg", { class: "plot", height: HEIGHT, role: "img" });
    this.legend = make("ul", { className: "legend" });
    this.root = make("section", { className: "card plot-card" }, make("h2", {}, title), this.svg, this.legend);
  }

  /** Draw samples: `time` in seconds, `values` in the order of the names. */
  show(samples, now) {
    const width = this.svg.clientWidth || 600;
    this.svg.setAttribute("viewBox", `0 0 ${width} ${HEIGHT}`);
    const recent = samples.filter((sample) => now - sample.time <= this.span);
    const top = roundUp(Math.max(1, ...recent.flatMap((sample) => sample.values)));
    const x = (time) => LEFT + ((width - LEFT - 4) * (this.span - (now - time))) / this.span;
    const y = (value) => HEIGHT - BOTTOM - ((HEIGHT - BOTTOM - TOP) * value) / top;
    const grid = [0, top / 2, top].flatMap((value) => [
      draw("line", { class: "grid", x1: LEFT, x2: width, y1: y(value), y2: y(value) }),
      draw("text", { x: LEFT - 8, y: y(value) + 4, "text-anchor": "end" }, written(value)),
    ]);
    const times = [
      draw("text", { x: LEFT, y: HEIGHT - 4 }, `${this.span / 60} minutes ago`),
      draw("text", { x: width - 4, y: HEIGHT - 4, "text-anchor": "end" }, "now"),
    ];
    const lines = this.names.map((_, index) => {
      const points = recent.map((sample) => `${x(sample.time).toFixed(1)},${y(sample.values[index]).toFixed(1)}`);
      return draw("polyline", { class: `line line-${index}`, points: points.join(" ") });
    });
    this.svg.replaceChildren(...grid, ...times, ...lines.reverse());
    const last = recent.at(-1)?.values ?? this.names.map(() => 0);
    const words = this.names.map((name, index) => `${name} ${written(last[index])}`);
    this.svg.setAttribute("aria-label", `${this.title}, now: ${words.join(", ")}`);
    this.legend.replaceChildren(...words.map((text, index) => make("li", { className: `line-${index}` }, text)));
  }
}
