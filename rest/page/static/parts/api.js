/** The server's API: JSON in and out, and errors in words. */

/** What the server refused, as its problem document says (`code`, `status`, `message`), and when to try again. */
export class Problem extends Error {
  constructor(status, problem, retryAfter) {
    super(problem.detail ?? `The server answered with ${status}.`);
    this.status = status;
    this.code = problem.code ?? "";
    this.retryAfter = retryAfter;
  }
}

/** The server cannot be reached. */
export class Offline extends Error {
  constructor() {
    super("The server cannot be reached. Check your connection; nothing that was sent is lost.");
  }
}

const scopes = new Set(document.body.dataset.scopes.split(" "));

/** Whether this person's key allows something; everything is allowed where no keys are needed. */
export function may(scope) {
  return scopes.has(scope);
}

/** Whether there are pictures to show, and whether there are their faces at least. */
export const kept = { originals: document.body.dataset.originals === "yes", crops: document.body.dataset.crops === "yes" };

/**
 * Ask the server, and give its JSON.
 * @param {string} path
 * @param {{method?: string, query?: object, json?: any, body?: BodyInit, type?: string, signal?: AbortSignal}} [options]
 */
export async function ask(path, { method = "GET", query, json, body, type, signal } = {}) {
  const headers = { Accept: "application/json" };
  if (json !== undefined) [body, type] = [JSON.stringify(json), "application/json"];
  if (type) headers["Content-Type"] = type;
  const answer = await reach(address(path, query), { method, headers, body, signal });
  const text = await answer.text();
  if (answer.status === 401) location.reload(); // the session has ended: the page asks for the key
  if (!answer.ok) throw new Problem(answer.status, parsed(text), Number(answer.headers.get("Retry-After")) || null);
  return parsed(text);
}

export const get = (path, query, signal) => ask(path, { query, signal });
export const post = (path, json, query) => ask(path, { method: "POST", json, query });
export const remove = (path) => ask(path, { method: "DELETE" });

/** A path with its query; what is empty is left out. */
export function address(path, query = {}) {
  const filled = Object.entries(query).filter(([, value]) => value !== undefined && value !== null && value !== "");
  const text = new URLSearchParams(filled.map(([name, value]) => [name, String(value)])).toString();
  return text ? `${path}?${text}` : path;
}

/** Where a picture is: `size` is the longer side in pixels; none: the original. */
export const pictureAt = (hash, size) => address(`/v1/images/${hash}/picture`, { size });

/** Where a face alone is; `face` is its number in the picture. */
export const faceAt = (hash, face, size) => address(`/v1/images/${hash}/faces/${face}`, { size });

let reachable = true;

async function reach(url, options) {
  try {
    const answer = await fetch(url, options);
    setReachable(true);
    return answer;
  } catch (error) {
    if (error.name === "AbortError") throw error;
    setReachable(false);
    throw new Offline();
  }
}

/** Tell the frame, which says so and looks until the server is back: events `offline` and `back` on `document`. */
function setReachable(now) {
  if (now === reachable) return;
  reachable = now;
  document.dispatchEvent(new CustomEvent(now ? "back" : "away"));
}

/** Look whether the server answers again. */
export async function look() {
  try {
    await reach("/healthz", { cache: "no-store" });
  } catch {
    /* still away */
  }
  return reachable;
}

function parsed(text) {
  try {
    return text ? JSON.parse(text) : {};
  } catch {
    return {};
  }
}
