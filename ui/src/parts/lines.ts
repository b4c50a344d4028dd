// What an attempt printed, in lines. Knows nothing of where it comes from or how it is shown.

import type { Piece } from "../api/log";
import { plain } from "./text";

/** How many lines are kept in the page; the server has the rest. */
const MOST_LINES = 100_000;
/** How much of a line is shown. */
const LONGEST = 5000;
/** What colours a terminal, and is nothing to be read. */
const COLOURS = /\u001b\[[0-9;]*m/g;

export interface Line {
  number: number;
  source: string;
  text: string;
  time: number;
}

/** Puts pieces into lines. A line that has no end yet is gone on with by the next piece of its source. */
export class Lines {
  all: Line[] = [];
  /** How many lines at the beginning are not kept any more. */
  dropped = 0;
  private count = 0;
  private open = new Map<string, Line>();

  add(pieces: Piece[]): void {
    for (const piece of pieces) this.take(piece);
    if (this.all.length > 1.2 * MOST_LINES) {
      this.dropped += this.all.length - MOST_LINES;
      this.all = this.all.slice(-MOST_LINES);
    }
  }

  private take(piece: Piece): void {
    const parts = piece.text.split("\n");
    parts.forEach((part, index) => {
      const isLast = index === parts.length - 1;
      if (isLast && part === "") return;
      const begun = this.open.get(piece.source);
      if (begun) {
        if (begun.text.length < LONGEST) begun.text += shown(part);
      } else {
        this.count += 1;
        const prefix = piece.level && index === 0 ? `${piece.level}: ` : "";
        const line = { number: this.count, source: piece.source, text: prefix + shown(part), time: piece.time };
        this.all.push(line);
        this.open.set(piece.source, line);
      }
      if (!isLast || piece.source === "log") this.open.delete(piece.source);
    });
  }
}

function shown(part: string): string {
  const text = part.replace(COLOURS, "");
  return plain(text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text);
}
