/** Why a face is where it is, in words. */

import { get } from "../parts/api.js";
import { button, dialog, make, toastError } from "../parts/components.js";

/** Say why a face is this person's, and who else is near. */
export async function tellWhy({ hash, face }) {
  let why;
  try {
    why = await get(`/v1/images/${hash}/faces/${face}/why`);
  } catch (error) {
    toastError(error);
    return;
  }
  const near = why.near.map((one) =>
    make("li", {}, make("a", { href: `/people/${one.person.id}` }, one.person.name || `person ${one.person.id}`), `: ${one.distance.toFixed(2)} away, ${one.reason}`),
  );
  await dialog("Why is this face here?", (close) => [
    make("p", {}, ...reasons(why)),
    ...(near.length ? [make("h3", {}, "Who else is near"), make("ul", { className: "stack" }, ...near)] : []),
    make("p", { className: "actions" }, button("Close", () => close(true), { kind: "primary" })),
  ]);
}

function reasons({ distance, good, statements }) {
  const far = distance === null ? "It is the only face of its group." : `It is ${distance.toFixed(2)} from the other faces of its group, on average.`;
  const poor = good ? "" : " It is small, blurred or turned away, so it joins a group later than others do.";
  if (!statements.length) return [far, poor];
  const numbers = statements.map((number) => `no. ${number}`).join(", ");
  return [far, poor, " What was said about it: ", make("a", { href: "/review/history" }, numbers), "."];
}
