/** Erasing a picture by its name or hash. */

import { get } from "../parts/api.js";
import { button, make, plural, tile, titleOf, toastError } from "../parts/components.js";
import { erasePicture, receiptOf } from "../parts/erasing.js";

export function eraseTab(root) {
  const input = make("input", { id: "erase-what", required: true, autocomplete: "off", spellcheck: false });
  const found = make("div", { className: "found" });
  const look = async (event) => {
    event.preventDefault();
    const wanted = input.value.trim();
    try {
      const hash = /^[0-9a-f]{64}$/.test(wanted);
      show(found, await get(hash ? `/v1/images/${wanted}` : `/v1/names/${encodeURIComponent(wanted)}`));
    } catch (error) {
      found.replaceChildren(make("p", { className: "wrong", role: "alert" }, error.status === 404 ? `There is no picture called “${wanted}”.` : error.message));
    }
  };
  root.replaceChildren(
    make(
      "section",
      { className: "card erase" },
      make("h2", {}, "Erase a picture for good"),
      make("p", { className: "hint" }, "From every database and worker, with its original, its crops and its matches. You get a receipt."),
      make(
        "form",
        { className: "stack", onsubmit: look },
        make("label", { htmlFor: input.id }, "Name or hash of the picture"),
        make("div", { className: "row nowrap" }, input, button("Find it", null, { type: "submit" })),
      ),
      found,
    ),
  );
}

function show(found, image) {
  const names = image.names.join(", ");
  const erase = async () => {
    const receipt = await erasePicture(image.hash, titleOf(image)).catch(toastError);
    if (!receipt) return;
    const { list, copy } = receiptOf(receipt);
    found.replaceChildren(make("h3", {}, "Erased"), list, make("p", {}, copy));
  };
  found.replaceChildren(
    make(
      "div",
      { className: "row" },
      tile(image, { size: 160 }),
      make("div", { className: "stack" }, make("strong", {}, titleOf(image)), make("span", { className: "hint" }, `${plural(image.faces.length, "face")}, ${plural(image.matches, "match", "matches")} · ${names}`), button("Erase…", erase, { kind: "danger", symbol: "erase" })),
    ),
  );
}
