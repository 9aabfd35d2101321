/** Fleet: how it does, what failed, and what administrators look after. */

import { may } from "../parts/api.js";
import { button, make } from "../parts/components.js";
import { auditTab, keysTab } from "./administration.js";
import { eraseTab } from "./erase.js";
import { failuresTab } from "./failures.js";
import { overviewTab } from "./overview.js";

const TABS = [
  { name: "now", title: "Now", open: overviewTab },
  { name: "failures", title: "Failures", open: failuresTab },
  { name: "keys", title: "Keys", open: keysTab, admin: true },
  { name: "audit", title: "Audit log", open: auditTab, admin: true },
  { name: "erase", title: "Erase", open: eraseTab, admin: true },
].filter((tab) => !tab.admin || may("admin"));

const host = document.getElementById("fleet");
const content = make("div", { className: "fleet-content" });
const buttons = TABS.map((tab) => button(tab.title, () => go(tab), { kind: "quiet" }));
host.replaceChildren(
  make("div", { className: "page-head" }, make("h1", {}, "Fleet")),
  make("div", { className: "row filters", role: "group", aria: { label: "What to show" } }, ...buttons),
  content,
);
let close = null;

function go(tab) {
  history.pushState(null, "", tab === TABS[0] ? "/fleet" : `/fleet?show=${tab.name}`);
  open();
}

function open() {
  const wanted = new URLSearchParams(location.search).get("show");
  const tab = TABS.find(({ name }) => name === wanted) ?? TABS[0];
  buttons.forEach((one, index) => one.setAttribute("aria-pressed", String(TABS[index] === tab)));
  close?.();
  const root = make("div", {});
  content.replaceChildren(root);
  close = tab.open(root) ?? null;
}

addEventListener("popstate", open);
open();
