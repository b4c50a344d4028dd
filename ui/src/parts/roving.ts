// Many things of a kind behind one stop of the Tab key: arrows lead from one to another.

import { useRef, useState } from "preact/hooks";
import { useFocusKept } from "../focus";

/** Where a key leads from one of them, if anywhere. */
export type Way = (key: string, from: string) => string | undefined;

/** To the one before and after, the first and the last. */
export function along(keys: readonly string[]): Way {
  return (key, from) => {
    const at = keys.indexOf(from);
    switch (key) {
      case "ArrowLeft":
      case "ArrowUp":
        return keys[at - 1];
      case "ArrowRight":
      case "ArrowDown":
        return keys[at + 1];
      case "Home":
        return keys[0];
      case "End":
        return keys.at(-1);
      default:
        return undefined;
    }
  };
}

/**
 * For the element around them (`group`) and each of them (`stop`); `focused` is the one that has the focus. The one
 * around must not be a picture: browsers make it a stop of its own if it hears where the focus goes.
 */
export function useRoving(keys: readonly string[], way: Way = along(keys)) {
  const place = useRef<HTMLDivElement>(null);
  const [last, setLast] = useState("");
  const [focused, setFocused] = useState<string>();
  // Where it was in their order, for when it is gone.
  const at = useRef(0);
  if (keys.includes(last)) at.current = keys.indexOf(last);
  const current = keys[Math.min(at.current, keys.length - 1)];
  const focus = (key: string) => place.current?.querySelector<HTMLElement | SVGElement>(`[data-stop="${CSS.escape(key)}"]`)?.focus();
  useFocusKept(place, () => current !== undefined && focus(current));
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey || focused === undefined) return;
    const next = way(event.key, focused);
    if (next !== undefined) focus(next);
    // Else the page would scroll at the end.
    if (next !== undefined || event.key.startsWith("Arrow")) event.preventDefault();
  };
  return {
    focused,
    group: { ref: place, onKeyDown, onFocusOut: () => setFocused(undefined) },
    stop: (key: string) => ({
      "data-stop": key,
      // In pictures names of attributes are taken as they are written.
      tabindex: key === current ? 0 : -1,
      onFocus: () => {
        setLast(key);
        setFocused(key);
      },
    }),
  };
}
