// The stream of changes: one for the whole page, whatever it shows. It comes back by itself when it breaks,
// with the number of the last event that it has seen, and says whether what is shown can be trusted.

import { useEffect, useRef, useState } from "preact/hooks";
import { ROOT } from "./client";
import type { Counts, TaskStatus } from "./schema";

export const KINDS = ["hello", "reset", "status", "progress", "trouble", "worker", "limit", "paused", "counts", "attempt"] as const;
export type Kind = (typeof KINDS)[number];

export interface Change {
  kind: Kind;
  task_id?: string;
  family?: string | null;
  at?: number;
  from?: TaskStatus | null;
  to?: TaskStatus | null;
  counts?: Counts;
  paused?: boolean;
  worker?: string | null;
  progress?: number | null;
  status_message?: string | null;
}

/** `stale`: what is shown may be out of date, and is not being brought up to date now. */
export type Connection = "connecting" | "live" | "stale";

const LONGEST_WAIT = 15_000;

class Live {
  connection: Connection = "connecting";
  private source: EventSource | undefined;
  private last = "";
  private wait = 500;
  private timer = 0;
  private readonly heard = new Set<(change: Change) => void>();
  private readonly watched = new Set<(connection: Connection) => void>();

  open(): void {
    this.close();
    const source = new EventSource(`${ROOT}events${this.last ? `?last_event_id=${encodeURIComponent(this.last)}` : ""}`);
    this.source = source;
    for (const kind of KINDS) source.addEventListener(kind, (event) => this.take(kind, event as MessageEvent<string>));
    source.onopen = () => {
      this.wait = 500;
      this.become("live");
    };
    source.onerror = () => {
      this.become("stale");
      // It tries again by itself only as long as the server answers as one should.
      source.close();
      this.timer = window.setTimeout(() => this.open(), this.wait);
      this.wait = Math.min(2 * this.wait, LONGEST_WAIT);
    };
  }

  close(): void {
    clearTimeout(this.timer);
    this.source?.close();
    this.source = undefined;
  }

  hear(call: (change: Change) => void): () => void {
    this.heard.add(call);
    return () => this.heard.delete(call);
  }

  watch(call: (connection: Connection) => void): () => void {
    this.watched.add(call);
    return () => this.watched.delete(call);
  }

  private take(kind: Kind, event: MessageEvent<string>): void {
    if (event.lastEventId) this.last = event.lastEventId;
    let change: Change;
    try {
      change = { ...JSON.parse(event.data), kind };
    } catch {
      return;
    }
    for (const call of this.heard) call(change);
  }

  private become(connection: Connection): void {
    if (this.connection === connection) return;
    this.connection = connection;
    for (const call of this.watched) call(connection);
  }
}

export const live = new Live();

export function useConnection(): Connection {
  const [connection, setConnection] = useState(live.connection);
  useEffect(() => {
    setConnection(live.connection);
    return live.watch(setConnection);
  }, []);
  return connection;
}

/** Calls for each change, with what the component holds now. */
export function useChanges(call: (change: Change) => void): void {
  const newest = useRef(call);
  newest.current = call;
  useEffect(() => live.hear((change) => newest.current(change)), []);
}
