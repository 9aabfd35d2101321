/** API keys, and the audit log. */

import { get, post, remove } from "../parts/api.js";
import { button, confirm, dialog, errorState, loading, make, toast, toastError } from "../parts/components.js";
import { nothing, table } from "./overview.js";

const SCOPES = {
  read: "look at pictures, people and figures",
  scan: "send pictures",
  search: "ask for matches, compare, search",
  people: "name people, merge and split them",
  admin: "erase, replay, keys, everything here",
};

const when = (seconds) => new Date(seconds * 1000).toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "short" });

export function keysTab(root) {
  root.replaceChildren(loading(3));
  showKeys(root);
}

async function showKeys(root) {
  try {
    const { keys } = await get("/v1/keys");
    const off = document.getElementById("fleet").dataset.keys === "off";
    const notice = off && make("p", { className: "notice" }, "This server requires no API key, because only this machine can reach it. Keys created here are checked once it does: see API_KEYS.");
    const rows = keys.map((key) => [
      make("span", {}, key.name, key.yours ? make("span", { className: "hint" }, " (you)") : ""),
      key.scopes.join(", "),
      when(key.created),
      limits(key),
      button("Revoke", () => revoke(root, key), { kind: "danger" }),
    ]);
    const list = keys.length ? table(["Name", "May", "Created", "Limits", ""], rows) : make("p", { className: "hint" }, "There is no key yet.");
    const sections = [notice, make("section", { className: "card" }, make("h2", {}, "Keys"), list), form(root)];
    root.replaceChildren(make("div", { className: "stack-l" }, ...sections.filter(Boolean)));
  } catch (error) {
    root.replaceChildren(errorState(error, () => keysTab(root)));
  }
}

function limits({ per_minute: minute, per_day: day }) {
  const said = (count, what) => (count === null ? "" : count === 0 ? `unlimited per ${what}` : `${count.toLocaleString("en")} per ${what}`);
  return [said(minute, "minute"), said(day, "day")].filter(Boolean).join(", ") || "default";
}

function form(root) {
  const name = make("input", { id: "key-name", required: true, maxLength: 100, autocomplete: "off" });
  const boxes = Object.entries(SCOPES).map(([scope, text]) => {
    const box = make("input", { type: "checkbox", name: "scope", value: scope, checked: scope === "read" });
    return make("label", { className: "scope" }, box, make("span", {}, make("strong", {}, scope), ` – ${text}`));
  });
  const create = async (event) => {
    event.preventDefault();
    const scopes = [...event.target.querySelectorAll("input:checked")].map(({ value }) => value);
    if (!scopes.length) return toast("Choose at least one thing that the key may do.", { kind: "wrong" });
    try {
      await shownOnce(await post("/v1/keys", { name: name.value.trim(), scopes }));
      await showKeys(root);
    } catch (error) {
      toastError(error);
    }
  };
  return make(
    "form",
    { className: "card new-key", onsubmit: create },
    make("h2", {}, "New key"),
    make("div", { className: "stack" }, make("label", { htmlFor: name.id }, "Whose is it, or what is it for?"), name),
    make("fieldset", { className: "stack" }, make("legend", {}, "What may it do?"), ...boxes),
    make("p", {}, button("Create the key", null, { type: "submit", kind: "primary" })),
  );
}

function shownOnce({ name, token }) {
  const shown = make("input", { value: token, readOnly: true, className: "token", ariaLabel: "The new key" });
  const copy = () => navigator.clipboard.writeText(token).then(() => toast("Copied."), () => shown.select());
  return dialog(`The key of ${name}`, (close) => [
    make("p", {}, "Copy it now: it is shown this once, and kept nowhere."),
    shown,
    make("p", { className: "actions" }, button("Copy", copy, { kind: "primary" }), button("Done", () => close(true))),
  ]);
}

async function revoke(root, key) {
  const own = key.yours ? " It is your own: you will be signed out." : "";
  if (!(await confirm(`Revoke the key of ${key.name}?`, `Whoever uses it is locked out at once.${own}`, "Revoke it"))) return;
  try {
    await remove(`/v1/keys/${key.id}`);
    toast(`The key of ${key.name} is revoked.`);
    await showKeys(root);
  } catch (error) {
    toastError(error);
  }
}

export function auditTab(root) {
  root.replaceChildren(loading(3));
  showAudit(root);
}

const DID = {
  scan: "sent",
  search: "searched by",
  erase: "erased",
  submit: "made",
  withdraw: "withdrew",
  issue: "created",
  revoke: "revoked",
};

async function showAudit(root) {
  const rows = [];
  let names = null;
  let cursor = null;
  const more = button("Show more", () => add(), { hidden: true });
  const list = make("div", {});
  async function add() {
    try {
      names ??= new Map((await get("/v1/keys")).keys.map(({ id, name }) => [id, name]));
      const page = await get("/v1/audit", { limit: 100, cursor });
      cursor = page.next;
      rows.push(...page.entries.map((entry) => [when(entry.time), who(entry.key, names), DID[entry.did] ?? entry.did, about(entry.about)]));
      list.replaceChildren(
        rows.length ? table(["When", "Key", "Did", "What"], rows) : nothing("No key has been used yet", "Whatever is sent, searched, erased or corrected with a key is listed here."),
      );
      more.hidden = !cursor;
      root.replaceChildren(make("section", { className: rows.length ? "card" : "" }, ...(rows.length ? [make("h2", {}, "Audit log")] : []), list, more));
    } catch (error) {
      root.replaceChildren(errorState(error, () => auditTab(root)));
    }
  }
  await add();
}

function who(key, names) {
  if (key === "terminal") return "at the terminal";
  if (key === "nobody") return "without a key";
  return names.get(key) ?? `key ${key}`;
}

function about(what) {
  if (/^[0-9a-f]{64}$/.test(what)) return make("a", { href: `/pictures/${what}` }, `picture ${what.slice(0, 12)}…`);
  return what.startsWith("statement") ? make("a", { href: "/review/history" }, what) : what;
}
