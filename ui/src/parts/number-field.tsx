// A number that operators set. What somebody types is theirs until it is sent, whatever news come meanwhile.

import { useEffect, useRef, useState } from "preact/hooks";
import { note } from "./dialog";
import { Press } from "./frame";

interface Wanted {
  /** What the number is, as in "Limit of gpu". */
  label: string;
  /** What the buttons beside it do. */
  less: string;
  more: string;
  /** What the server says. */
  value: number;
  least: number;
  most?: number;
  /** Sends another value, and says whether that went well. */
  set: (value: number) => Promise<boolean>;
}

export function NumberField({ label, less, more, value, least, most = Number.MAX_SAFE_INTEGER, set }: Wanted) {
  const [draft, setDraft] = useState<string>();
  const [asked, setAsked] = useState<number>();
  // Values are sent one after the other, and only the newest of those that wait.
  const next = useRef<number | undefined>(undefined);
  const sending = useRef(false);
  useEffect(() => {
    if (!sending.current) setAsked(undefined);
  }, [value]);

  const current = asked ?? value;
  const send = async (wanted: number) => {
    next.current = wanted;
    setAsked(wanted);
    if (sending.current) return;
    sending.current = true;
    let isWell = true;
    while (isWell && next.current !== undefined) {
      const now = next.current;
      next.current = undefined;
      isWell = await set(now);
    }
    sending.current = false;
    next.current = undefined;
    if (!isWell) setAsked(undefined);
  };
  /** Sends what was typed, unless it is no such number. */
  const commit = (input: HTMLInputElement) => {
    if (draft === undefined || !input.reportValidity()) return;
    setDraft(undefined);
    if (input.valueAsNumber !== current) void send(input.valueAsNumber);
  };
  /** Nobody changes what others work with by just going on. */
  const leave = (input: HTMLInputElement) => {
    if (draft === undefined) return;
    setDraft(undefined);
    const why = input.validity.valid ? "what was typed is sent with Enter." : input.validationMessage;
    if (draft !== String(current)) note(`${label} stays ${current}: ${why}`, true);
  };
  const pressed = (event: KeyboardEvent) => {
    if (event.key === "Enter") commit(event.currentTarget as HTMLInputElement);
    if (event.key === "Escape") setDraft(undefined);
  };
  return (
    <span class="joined">
      <Press name={less} may={current > least} press={() => void send(current - 1)}>−</Press>
      <input
        type="number"
        class="count"
        required
        min={least}
        max={most}
        step={1}
        aria-label={label}
        value={draft ?? current}
        onInput={(event) => setDraft(event.currentTarget.value)}
        onKeyDown={pressed}
        onBlur={(event) => leave(event.currentTarget)}
      />
      <Press name={more} may={current < most} press={() => void send(current + 1)}>+</Press>
      {current !== value && <small class="muted">now {value}</small>}
    </span>
  );
}
