/** A field for a name, which completes the names that there are. */

import { get } from "../parts/api.js";
import { button, dialog, make, settled } from "../parts/components.js";
import { personLine } from "./corrections.js";

let fields = 0;

/**
 * @param {object} options
 * @param {string} [options.value] what stands in it at first
 * @param {string} options.label
 * @param {string} [options.except] id of a person who is not proposed
 * @param {(name: string, person: object | null) => any} options.take called with what was entered; the person, if one was chosen
 * @param {() => any} options.cancel called on Escape
 */
export function nameField({ value = "", label, except = "", take, cancel }) {
  const id = `names-${++fields}`;
  const list = make("ul", { id, className: "proposals", role: "listbox", hidden: true, aria: { label: "Known people" } });
  const input = make("input", {
    value,
    autocomplete: "off",
    spellcheck: false,
    maxLength: 200,
    role: "combobox",
    aria: { label, controls: id, expanded: "false", autocomplete: "list" },
  });
  const form = make("form", { className: "naming" }, input, list, button("Save", null, { type: "submit", kind: "seen-by-readers" }));
  let proposed = [];
  let at = -1;
  let asking = null;

  function show(people) {
    proposed = people;
    at = -1;
    list.replaceChildren(...people.map(option));
    list.hidden = !people.length;
    input.setAttribute("aria-expanded", String(!list.hidden));
    input.removeAttribute("aria-activedescendant");
  }

  function option(person, index) {
    const item = make("li", { id: `${id}-${index}`, role: "option", aria: { selected: "false" } }, personLine(person));
    item.onpointerdown = (event) => event.preventDefault(); // the field keeps the focus
    item.onclick = () => finish(person.name, person);
    return item;
  }

  function move(step) {
    if (!proposed.length) return;
    at = (at + step + proposed.length + 1) % (proposed.length + 1); // one more: the text itself
    for (const [index, item] of [...list.children].entries()) item.setAttribute("aria-selected", String(index === at));
    if (at < proposed.length) input.setAttribute("aria-activedescendant", `${id}-${at}`);
    else input.removeAttribute("aria-activedescendant");
  }

  function finish(name, person) {
    asking?.abort();
    show([]);
    take(name, person);
  }

  const propose = settled(async () => {
    asking?.abort();
    asking = new AbortController();
    const name = input.value.trim();
    if (!name) return show([]);
    try {
      const { people } = await get("/v1/people", { name, limit: 7 }, asking.signal);
      show(people.filter((person) => person.id !== except).slice(0, 6));
    } catch {
      show([]); // a name can be given without proposals
    }
  }, 150);

  input.oninput = propose;
  input.onkeydown = (event) => {
    if (event.key === "ArrowDown") move(1);
    else if (event.key === "ArrowUp") move(-1);
    else if (event.key === "Escape") cancel();
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  form.onsubmit = (event) => {
    event.preventDefault();
    const person = proposed[at] ?? null;
    finish(person ? person.name : input.value, person);
  };
  input.onblur = () => show([]);
  return { form, input };
}

/** Ask who somebody is: one of the people there are, or a new name. */
export function askWho(title, text, { except = "", yes = "Save" } = {}) {
  return dialog(title, (close) => {
    const { form, input } = nameField({
      label: "Name",
      except,
      take: (name, person) => name.trim() && close({ name: name.trim(), person }),
      cancel: () => close(null),
    });
    form.append(
      make("p", { className: "actions" }, button("Cancel", () => close(null)), button(yes, null, { type: "submit", kind: "primary" })),
    );
    form.querySelector(".seen-by-readers").remove();
    queueMicrotask(() => input.focus());
    return [make("p", {}, text), form];
  });
}
