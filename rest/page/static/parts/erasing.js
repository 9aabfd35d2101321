/** Erasing a picture for good, with a receipt. */

import { remove } from "./api.js";
import { button, confirm, make, toast, toastError } from "./components.js";

/** Ask, and erase a picture with everything made from it; gives the receipt, or null. */
export async function erasePicture(hash, title) {
  const sure = await confirm(
    `Erase ${title}?`,
    "The picture, its faces and everything computed from them are erased from the whole fleet. This cannot be undone.",
    "Erase it",
  );
  if (!sure) return null;
  try {
    return { ...(await remove(`/v1/images/${hash}`)), when: new Date() };
  } catch (error) {
    toastError(error);
    return null;
  }
}

/** A receipt, and a button that copies it. */
export function receiptOf(receipt) {
  const lines = [
    ["Picture", receipt.hash],
    ["Names", receipt.names.join(", ") || "none"],
    ["Faces erased", String(receipt.faces)],
    ["Matches erased", String(receipt.matches)],
    ["Original", receipt.original ? "erased" : "was not kept"],
    ["Crops of faces", receipt.crops ? "erased" : "were not kept"],
    ["When", receipt.when.toLocaleString("en-GB")],
  ];
  const text = lines.map(([term, value]) => `${term}: ${value}`).join("\n");
  const copy = () => navigator.clipboard.writeText(text).then(() => toast("Copied."), toastError);
  const list = make("dl", { className: "receipt" }, ...lines.flatMap(([term, value]) => [make("dt", {}, term), make("dd", {}, value)]));
  return { list, copy: button("Copy the receipt", copy) };
}
