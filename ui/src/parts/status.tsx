// Statuses: a colour, and a sign for who cannot tell the colours apart.

import type { TaskStatus, UpstreamStatus } from "../api/schema";

interface Look {
  sign: string;
  word: string;
  /** The name of the colour in the style sheets, without `--`. */
  colour: string;
}

export const LOOKS: Record<TaskStatus, Look> = {
  PENDING: { sign: "○", word: "pending", colour: "pending" },
  RUNNING: { sign: "▶", word: "running", colour: "running" },
  BATCH_RUNNING: { sign: "▷", word: "in a batch", colour: "batch" },
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

export function lookOf(status: TaskStatus | null | undefined): Look {
  return LOOKS[status ?? "UNKNOWN"] ?? LOOKS.UNKNOWN;
}

export function isRunning(status: TaskStatus | null | undefined): boolean {
  return status === "RUNNING" || status === "BATCH_RUNNING";
}

interface Wanted {
  status: TaskStatus | null | undefined;
  upstream?: UpstreamStatus | null | undefined;
}

export function StatusMark({ status, upstream }: Wanted) {
  const look = lookOf(status);
  return (
    <>
      <span class={`status ${look.colour}`}>
        <span aria-hidden="true">{look.sign}</span> {status == null ? "not announced" : look.word}
      </span>
      {upstream && <small class="upstream"> {UPSTREAM_WORDS[upstream] ?? upstream}</small>}
    </>
  );
}

/** Only the sign, for lists in which all of a kind stands together; the word is said to who cannot see it. */
export function StatusSign({ status }: { status: TaskStatus | null | undefined }) {
  const look = lookOf(status);
  const word = status == null ? "not announced" : look.word;
  return (
    <span class={`sign ${look.colour}`} title={word}>
      <span aria-hidden="true">{look.sign}</span>
      <span class="unseen">{word}</span>
    </span>
  );
}
