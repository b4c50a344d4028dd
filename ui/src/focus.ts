// Where reading goes on after a way to another page was taken, or after what one was at has gone.

import { useLayoutEffect, useRef } from "preact/hooks";
import type { Route } from "./route";

/** Leads to the heading of a page that one came to, as soon as that is there; but not away from what one went to meanwhile. */
export function useArrival({ page, subject }: Route): void {
  const place = `${page}/${subject}`;
  const before = useRef(place);
  useLayoutEffect(() => {
    const main = document.getElementById("content");
    if (before.current === place || !main) return;
    before.current = place;
    scrollTo(0, 0);
    main.focus({ preventScroll: true });
    const lookFor = () => {
      const heading = main.querySelector("h1");
      if (heading && document.activeElement === main) {
        heading.tabIndex = -1;
        heading.focus({ preventScroll: true });
      }
      if (heading || document.activeElement !== main) watch.disconnect();
    };
    const watch = new MutationObserver(lookFor);
    watch.observe(main, { childList: true, subtree: true });
    lookFor();
    return () => watch.disconnect();
  }, [place]);
}

/** Calls `lost` when what had the focus within an element is gone after it was drawn anew. */
export function useFocusKept(place: { current: Element | null }, lost: () => void): void {
  const had = place.current?.contains(document.activeElement) ?? false;
  useLayoutEffect(() => {
    if (had && document.activeElement === document.body) lost();
  });
}
