// What tasks say, made harmless: shown as text, kept in its own direction, cut where it is endless.

import { useRef, useState } from "preact/hooks";
import { useFocusKept } from "../focus";

/** Characters that turn the direction of what follows, or cannot be seen at all. */
const TRICKS = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/g;

/** Shows tricks as what they are, such as `‹U+202E›`. */
export function plain(text: string): string {
  return text.replace(TRICKS, (trick) => `‹U+${trick.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0")}›`);
}

export function Said({ text, most = 300 }: { text: string; most?: number }) {
  const [whole, setWhole] = useState(false);
  const place = useRef<HTMLElement>(null);
  useFocusKept(place, () => place.current?.focus({ preventScroll: true }));
  const isLong = text.length > most;
  const shown = plain(isLong && !whole ? text.slice(0, most) : text);
  return (
    <bdi ref={place} class="said" {...(isLong ? { tabIndex: -1 } : {})}>
      {shown}
      {isLong && !whole && (
        <>
          …{" "}
          <button type="button" class="link" onClick={() => setWhole(true)}>
            show all {text.length.toLocaleString()} characters
          </button>
        </>
      )}
    </bdi>
  );
}

/** Whether an address may be a link. */
export function isWebAddress(address: string): boolean {
  try {
    return ["http:", "https:"].includes(new URL(address).protocol);
  } catch {
    return false;
  }
}

/** An address that a task gave, as a link if it leads to a page, else as text. */
export function Outside({ address }: { address: string }) {
  if (!isWebAddress(address)) return <Said text={address} />;
  return (
    <a href={address} target="_blank" rel="noopener noreferrer nofollow">
      {plain(address.length > 100 ? `${address.slice(0, 100)}…` : address)}
    </a>
  );
}

export function Copy({ text, what }: { text: string; what: string }) {
  const [done, setDone] = useState("");
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      setDone("copied");
    } catch {
      setDone("cannot be copied here: select it");
    }
    setTimeout(() => setDone(""), 2000);
  };
  return (
    <button type="button" class="small" onClick={() => void copy()} aria-label={`Copy ${what}`}>
      <span aria-live="polite">{done || "Copy"}</span>
    </button>
  );
}
