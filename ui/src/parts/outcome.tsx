// How an attempt ended, with a colour and a sign.

import type { Ending } from "../api/types";

const LOOKS: Record<Ending, [sign: string, word: string, colour: string]> = {
  running: ["▶", "running", "running"],
  done: ["✓", "done", "done"],
  failed: ["✕", "failed", "failed"],
  lost: ["✕", "lost with its worker", "failed"],
  suspended: ["○", "waits for further tasks", "pending"],
  returned: ["○", "given back", "pending"],
  marked_done: ["✓", "marked as done", "done"],
  timed_out: ["✕", "timed out", "failed"],
  cancelled: ["⊘", "cancelled", "disabled"],
  unknown: ["?", "unknown end", "unknown"],
};

export function outcomeLook(outcome: Ending): { sign: string; word: string; colour: string } {
  const [sign, word, colour] = LOOKS[outcome] ?? LOOKS.unknown;
  return { sign, word, colour };
}

export function OutcomeMark({ outcome }: { outcome: Ending }) {
  const look = outcomeLook(outcome);
  return (
    <span class={`status ${look.colour}`}>
      <span aria-hidden="true">{look.sign}</span> {look.word}
    </span>
  );
}
