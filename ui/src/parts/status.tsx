// Statuses: a colour, and a sign for who cannot tell the colours apart.

import type { Status, UpstreamStatus } from "../api/types";

interface Look {
  sign: string;
  word: string;
  /** The name of the colour in the style sheets, without `--`. */
  colour: string;
}

export const LOOKS: Record<Status, Look> = {
  PENDING: { sign: "○", word: "pending", colour: "pending" },
  RUNNING: { sign: "▶", word: "running", colour: "running" },
  BATCH_RUNNING: { sign: "▷", word: "running in a batch", colour: "batch" },
  DONE: { sign: "✓", word: "done", colour: "done" },
  FAILED: { sign: "✕", word: "failed", colour: "failed" },
  DISABLED: { sign: "⊘", word: "disabled", colour: "disabled" },
  UNKNOWN: { sign: "?", word: "unknown", colour: "unknown" },
};

export const UPSTREAM_WORDS: Record<UpstreamStatus, string> = {
  UPSTREAM_RUNNING: "upstream running",
  UPSTREAM_MISSING_INPUT: "upstream not done",
  UPSTREAM_FAILED: "upstream failed",
  UPSTREAM_DISABLED: "upstream disabled",
};

export function lookOf(status: Status | null): Look {
  return LOOKS[status ?? "UNKNOWN"] ?? LOOKS.UNKNOWN;
}

export function StatusMark({ status, upstream }: { status: Status | null; upstream?: UpstreamStatus | null }) {
  const look = lookOf(status);
  return (
    <span class={`status ${look.colour}`}>
      <span aria-hidden="true">{look.sign}</span> {status === null ? "not announced" : look.word}
      {upstream && <small>{UPSTREAM_WORDS[upstream] ?? upstream}</small>}
    </span>
  );
}
