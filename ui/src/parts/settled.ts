// A choice that each press of a key changes, as in a list that is not unfolded: it counts once it is made, by Enter
// or by leaving the field, not while somebody is on the way to it.

import { useRef, useState } from "preact/hooks";

type Field = HTMLSelectElement | HTMLInputElement;

/** What makes a field one whose value is settled so; by mouse it is at once. */
export function useSettled<T extends Field>(value: string, settle: (value: string) => void) {
  const [draft, setDraft] = useState<string>();
  const byKey = useRef(false);
  const end = (wanted: string) => {
    setDraft(undefined);
    if (wanted !== value) settle(wanted);
  };
  return {
    value: draft ?? value,
    onPointerDown: () => {
      byKey.current = false;
    },
    onKeyDown: (event: KeyboardEvent) => {
      // The space bar and Alt unfold a list, in which keys change nothing yet.
      byKey.current = !event.altKey && !["Enter", "Tab", " "].includes(event.key);
      if (draft === undefined) return;
      if (event.key === "Enter") {
        event.preventDefault();
        end(draft);
      } else if (event.key === "Escape") {
        setDraft(undefined);
      }
    },
    onChange: (event: { currentTarget: T }) => (byKey.current ? setDraft(event.currentTarget.value) : end(event.currentTarget.value)),
    onBlur: () => {
      byKey.current = false;
      if (draft !== undefined) end(draft);
    },
  };
}
