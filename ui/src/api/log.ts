// What an attempt printed, as it prints it. Goes on where it was when the connection breaks.

import { ApiError, ROOT, path } from "./client";

export interface Piece {
  position: number;
  /** Where what comes after it begins. */
  next: number;
  time: number;
  /** `stdout`, `stderr`, `log`, or a note of the server's; `end`, without a text, closes what is followed. */
  source: string;
  text: string;
  level?: string;
  logger?: string;
}

export interface Listening {
  onPieces: (pieces: Piece[]) => void;
  onEnd: (trouble?: ApiError) => void;
}

/** Follows the log until the attempt ends or `signal` is aborted. */
export async function follow(attempt: string, { onPieces, onEnd }: Listening, signal: AbortSignal): Promise<void> {
  let next: number | undefined;
  for (let wait = 500; ; wait = Math.min(10_000, 2 * wait)) {
    try {
      const query = next === undefined ? "" : `&offset=${next}`;
      const response = await fetch(`${ROOT}${path("attempts", attempt, "log")}?format=json&follow=true${query}`, {
        signal,
        credentials: "same-origin",
      });
      if (!response.ok || !response.body) {
        onEnd(await refusal(response));
        return;
      }
      wait = 500;
      await read(response.body, (pieces) => {
        const said = pieces.filter((piece) => piece.source !== "end");
        next = said.at(-1)?.next ?? next;
        onPieces(said);
      });
      onEnd();
      return;
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof TypeError)) {
        onEnd(new ApiError(0, "failed", String(error)));
        return;
      }
      // The connection broke.
      await new Promise((resolve) => setTimeout(resolve, wait));
      if (signal.aborted) return;
    }
  }
}

async function refusal(response: Response): Promise<ApiError> {
  try {
    const { code, message } = JSON.parse(await response.text()).error;
    return new ApiError(response.status, code, message);
  } catch {
    return new ApiError(response.status, "unclear", `the server answered ${response.status}`);
  }
}

async function read(body: ReadableStream<Uint8Array>, onPieces: (pieces: Piece[]) => void): Promise<void> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    rest += decoder.decode(value, { stream: true });
    const lines = rest.split("\n");
    rest = lines.pop() ?? "";
    const pieces = lines.filter((line) => line.trim() !== "").map((line) => JSON.parse(line) as Piece);
    if (pieces.length > 0) onPieces(pieces);
  }
}
