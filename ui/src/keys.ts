// Keys that work on every page, but not while somebody writes.

import { useEffect } from "preact/hooks";
import { go, href } from "./route";

/** After `g`, the page that the next key leads to. */
export const PAGES: Record<string, string> = { o: "overview", t: "tasks", g: "graph", l: "timeline", w: "workers", r: "resources", h: "history", s: "settings" };
/** How long `g` waits for the next key, in milliseconds. */
const WAIT = 1500;

/** `help` shows the keys there are. */
export function useKeys(help: () => void): void {
  useEffect(() => {
    let begun = -WAIT;
    const pressed = (event: KeyboardEvent) => {
      // When the keys were pressed counts, not when a busy page comes to look at them.
      const at = event.timeStamp;
      if (event.ctrlKey || event.metaKey || event.altKey || isWriting(event.target) || document.querySelector("dialog[open]")) return;
      const page = at - begun < WAIT ? PAGES[event.key] : undefined;
      begun = -WAIT;
      if (page) go(href(page));
      else if (event.key === "g") begun = at;
      else if (event.key === "/") toSearch();
      else if (event.key === "?") help();
      else if (event.key === "a") document.querySelector<HTMLElement>("#actions button")?.focus();
      else return;
      event.preventDefault();
    };
    addEventListener("keydown", pressed);
    return () => removeEventListener("keydown", pressed);
  }, []);
}

/** To the first search that is seen; where there is none, to the tasks, which have one. */
function toSearch(): void {
  const seen = [...document.querySelectorAll<HTMLElement>("#find, main input[type=search]")].find((one) => one.checkVisibility());
  if (seen) seen.focus();
  else go(href("tasks"));
}

function isWriting(target: EventTarget | null): boolean {
  if (target instanceof HTMLInputElement && target.type === "checkbox") return false;
  return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));
}
