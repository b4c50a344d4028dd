// How an attempt ended, with a colour and a sign.

import type { Outcome } from "../api/schema";

const LOOKS: Record<Outcome, [sign: string, word: string, colour: string]> = {
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

export function outcomeLook(outcome: Outcome): { sign: string; word: string; colour: string } {
  const [sign, word, colour] = LOOKS[outcome] ?? LOOKS.unknown;
  return { sign, word, colour };
}

export function OutcomeMark({ outcome }: { outcome: Outcome }) {
  const look = outcomeLook(outcome);
  return (
    <span class={`status ${look.colour}`}>
      <span aria-hidden="true">{look.sign}</span> {look.word}
    </span>
  );
}
