/** What all screens share: whether the server is there. */

import { look } from "./api.js";

const banner = document.getElementById("offline");
const AGAIN = 3000; // milliseconds

document.addEventListener("away", () => {
  banner.textContent = "The server cannot be reached. Trying again…";
  banner.hidden = false;
  setTimeout(again, AGAIN);
});

document.addEventListener("back", () => {
  banner.hidden = true;
});

addEventListener("online", look);
addEventListener("offline", look);

async function again() {
  if (!(await look())) setTimeout(again, AGAIN);
}
