/**
 * Selecting some of many: by checkboxes, by clicks once something is selected, with Shift for a range; with the
 * keyboard, arrows move and X selects.
 */

import { button, make, plural } from "../parts/components.js";

export class Selection {
  /**
   * @param {HTMLElement} list whose children have `data-key`, a link and a checkbox
   * @param {string} noun of what is selected
   * @param {(keys: string[]) => (Node | false)[]} actions what can be done with those selected
   */
  constructor(list, noun, actions) {
    this.list = list;
    this.noun = noun;
    this.actions = actions;
    this.keys = new Set();
    this.last = null;
    this.bar = make("div", { className: "selection", role: "toolbar", hidden: true, aria: { label: "With those selected" } });
    list.addEventListener("click", (event) => this.#clicked(event));
    list.addEventListener("keydown", (event) => this.#pressed(event));
    document.addEventListener("keydown", (event) => event.key === "Escape" && !document.querySelector("dialog") && this.clear());
  }

  clear() {
    this.keys.clear();
    this.last = null;
    this.#show();
  }

  /** Forget what is not there any more. */
  keep(keys) {
    this.keys = new Set([...this.keys].filter((key) => keys.has(key)));
    this.#show();
  }

  #items() {
    return [...this.list.children].filter((item) => item.dataset.key && !item.classList.contains("gone"));
  }

  #clicked(event) {
    const item = event.target.closest("[data-key]");
    if (!item || item.classList.contains("gone")) return;
    const box = event.target.closest("input[type=checkbox]");
    const link = event.target.closest("a");
    if (!box && !(link && this.keys.size)) return;
    if (!box) event.preventDefault();
    this.#toggle(item, event.shiftKey);
  }

  #toggle(item, range = false) {
    const items = this.#items();
    const from = items.findIndex((one) => one.dataset.key === this.last);
    const to = items.indexOf(item);
    const on = !this.keys.has(item.dataset.key);
    const some = range && from >= 0 ? items.slice(Math.min(from, to), Math.max(from, to) + 1) : [item];
    for (const one of some) on ? this.keys.add(one.dataset.key) : this.keys.delete(one.dataset.key);
    this.last = item.dataset.key;
    this.#show();
  }

  #pressed(event) {
    const item = event.target.closest("[data-key]");
    if (!item || event.target.closest("input:not([type=checkbox])") || event.ctrlKey || event.metaKey) return;
    const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: this.#columns(), ArrowUp: -this.#columns() }[event.key];
    if (step) {
      const items = this.#items();
      items[items.indexOf(item) + step]?.querySelector("a").focus();
    } else if (event.key === "x") {
      this.#toggle(item, event.shiftKey);
    } else {
      return;
    }
    event.preventDefault();
  }

  #columns() {
    const items = this.#items();
    const below = items.findIndex((item) => item.offsetTop > items[0].offsetTop);
    return below < 0 ? items.length : below;
  }

  #show() {
    for (const item of this.list.children) {
      const on = this.keys.has(item.dataset.key);
      item.classList.toggle("selected", on);
      const box = item.querySelector("input[type=checkbox]");
      if (box) box.checked = on;
    }
    this.list.classList.toggle("selecting", this.keys.size > 0);
    this.bar.hidden = !this.keys.size;
    if (!this.keys.size) return;
    const count = make("span", { role: "status" }, `${plural(this.keys.size, this.noun, this.noun === "person" ? "people" : undefined)} selected`);
    const actions = this.actions([...this.keys]).filter(Boolean);
    this.bar.replaceChildren(count, ...actions, button("Clear", () => this.clear(), { kind: "quiet" }));
  }
}
