/** Events as they happen. A tab that is hidden lets its connection go, and catches up when it is shown again. */

/**
 * Follow events.
 * @param {string[]} kinds
 * @param {(event: object) => void} take called with each event in order; of kind `gap` where some are lost
 * @param {object} [query] what else selects: `hash`, `prefix`, `person`
 * @returns {() => void} stops
 */
export function follow(kinds, take, query = {}) {
  let source = null;
  let last = "";

  function open() {
    if (source || document.hidden) return;
    const asked = new URLSearchParams(query);
    for (const kind of kinds) asked.append("kind", kind);
    if (last) asked.set("after", last);
    source = new EventSource(`/v1/events?${asked}`);
    for (const kind of [...kinds, "gap"]) source.addEventListener(kind, heard);
    source.onerror = () => source?.readyState === EventSource.CLOSED && later();
  }

  function heard(event) {
    last = event.lastEventId || last;
    take(JSON.parse(event.data));
  }

  /** A browser reconnects by itself after a break, but not after an answer such as 503. */
  function later() {
    close();
    setTimeout(open, 5000);
  }

  function close() {
    source?.close();
    source = null;
  }

  const turn = () => (document.hidden ? close() : open());
  document.addEventListener("visibilitychange", turn);
  addEventListener("pagehide", close);
  addEventListener("pageshow", open);
  document.addEventListener("back", open);
  open();
  return () => {
    close();
    document.removeEventListener("visibilitychange", turn);
    removeEventListener("pagehide", close);
    removeEventListener("pageshow", open);
    document.removeEventListener("back", open);
  };
}
