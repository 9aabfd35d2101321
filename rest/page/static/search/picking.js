/** Choosing one picture that need not be stored: from files, by dropping, from the clipboard, by the camera. */

import { button, icon, make, toast } from "../parts/components.js";
import { dropped, isPicture, pasted } from "../parts/files.js";

/**
 * A field to drop a picture on.
 * @param {(file: File) => void} take
 * @param {{title: string, hint: string}} words
 */
export function picker(take, { title, hint }) {
  const input = make("input", { type: "file", accept: "image/*,.heic,.heif,.avif,.tif,.tiff", hidden: true });
  const camera = make("input", { type: "file", accept: "image/*", capture: "user", hidden: true });
  const big = icon("face");
  big.classList.add("large");
  for (const one of [input, camera]) {
    one.onchange = () => {
      first([...one.files], take);
      one.value = "";
    };
  }
  const field = make(
    "div",
    { className: "field empty" },
    big,
    make("h2", {}, title),
    make("p", {}, hint),
    make(
      "p",
      { className: "row" },
      button("Choose a picture", () => input.click(), { kind: "primary", symbol: "add" }),
      button("Use the camera", () => camera.click(), { kind: "by-camera", symbol: "camera" }),
    ),
    input,
    camera,
  );
  dropTarget(field, take);
  return field;
}

/** Let pictures be dropped on an element. */
export function dropTarget(element, take) {
  element.addEventListener("dragover", (event) => {
    event.preventDefault();
    element.classList.add("over");
  });
  element.addEventListener("dragleave", () => element.classList.remove("over"));
  element.addEventListener("drop", async (event) => {
    event.preventDefault();
    element.classList.remove("over");
    first((await dropped(event.dataTransfer)).map(({ file }) => file), take);
  });
}

/** Take pictures that are pasted anywhere; a picture dropped beside a field must not replace the page. */
export function pasting(take) {
  addEventListener("paste", (event) => {
    if (event.clipboardData?.files.length) first(pasted(event.clipboardData).map(({ file }) => file), take);
  });
  for (const kind of ["dragover", "drop"]) addEventListener(kind, (event) => event.preventDefault());
}

function first(files, take) {
  const picture = files.find(isPicture);
  if (picture) take(picture);
  else toast("That is not a picture. Use JPEG, PNG, WebP, GIF or BMP.", { kind: "wrong" });
}
