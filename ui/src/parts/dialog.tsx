// A question before something is done, and notes of what was done.

import type { ComponentChildren, RefObject } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";

interface DialogProps {
  title: string;
  onClose: () => void;
  /** Whether something was done, which may take the button away that had the focus. */
  acted?: RefObject<boolean>;
  children: ComponentChildren;
}

export function Dialog({ title, onClose, acted, children }: DialogProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const shown = dialog.current;
    const before = document.activeElement;
    // News may take the button away while its question is open, and then nothing is around it any more.
    const around = before?.closest("[tabindex='-1']");
    shown?.showModal();
    return () => {
      shown?.close();
      giveBack(acted?.current || !before?.isConnected ? around : before);
    };
  }, []);
  return (
    <dialog ref={dialog} aria-label={title} onClose={onClose}>
      <h2>{title}</h2>
      {children}
    </dialog>
  );
}

/** Gives the focus back to where it was before, or after something was done to the place around it, which stays. */
function giveBack(place: Element | null | undefined): void {
  const target = place?.isConnected ? place : document.getElementById("content");
  if (target instanceof HTMLElement) target.focus({ preventScroll: true });
}

export interface Question {
  title: string;
  text: string;
  /** The word on the button that does it. */
  action: string;
  run: () => Promise<string>;
}

type Note = { text: string; bad: boolean; id: number };
const listeners = new Set<(note: Note) => void>();
let count = 0;

/** Says something at the edge of the page, for a while. */
export function note(text: string, bad = false): void {
  count += 1;
  for (const listener of listeners) listener({ text, bad, id: count });
}

export function Notes() {
  const [notes, setNotes] = useState<Note[]>([]);
  useEffect(() => {
    const add = (one: Note) => {
      setNotes((before) => [...before.slice(-3), one]);
      setTimeout(() => setNotes((before) => before.filter((other) => other.id !== one.id)), one.bad ? 12_000 : 5_000);
    };
    listeners.add(add);
    return () => {
      listeners.delete(add);
    };
  }, []);
  return (
    <div class="notes" role="status" aria-live="polite">
      {notes.map((one) => (
        <p key={one.id} class={one.bad ? "bad" : ""}>
          {one.text}
        </p>
      ))}
    </div>
  );
}

/** Does something and says how it went. */
export async function done(run: () => Promise<string>): Promise<boolean> {
  try {
    note(await run());
    return true;
  } catch (error) {
    note(error instanceof Error ? error.message : String(error), true);
    return false;
  }
}

export function Ask({ question, onClose }: { question: Question; onClose: () => void }) {
  const [busy, setBusy] = useState(false);
  const acted = useRef(false);
  const act = async () => {
    setBusy(true);
    acted.current = await done(question.run);
    onClose();
  };
  return (
    <Dialog title={question.title} onClose={onClose} acted={acted}>
      <p>{question.text}</p>
      <div class="buttons">
        <button type="button" class="main" disabled={busy} onClick={() => void act()}>
          {question.action}
        </button>
        <button type="button" onClick={onClose}>
          Leave it
        </button>
      </div>
    </Dialog>
  );
}
