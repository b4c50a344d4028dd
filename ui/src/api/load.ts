// What a page shows of the server, brought up to date when something changes that it depends on.

import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { ApiError } from "./client";
import { type Change, useChanges } from "./live";

/** How long after an answer the next question goes out at the earliest, in milliseconds. */
const PAUSE = 700;
/** How long after a change the history knows of it at the latest, if its database keeps up. */
export const HISTORY_LAG = 2500;

export interface Loaded<T> {
  data: T | undefined;
  error: ApiError | undefined;
  /** A first answer, or one to another question, is on its way. */
  loading: boolean;
  reload: () => void;
}

/** Which changes make what is shown out of date. */
export type Concerns = (change: Change) => boolean;

/**
 * Asks with `load` whenever `key` changes, and again after changes that concern it, at most about once a
 * second. While it asks, the former answer to the same question stays. What is known to the server only
 * `lag` milliseconds after the change is asked for once more then.
 */
export function useLoaded<T>(
  key: string,
  load: (signal: AbortSignal) => Promise<T>,
  concerns: Concerns = () => false,
  lag = 0,
): Loaded<T> {
  const [state, setState] = useState<{ key: string; data?: T; error?: ApiError }>({ key: "" });
  const newest = useRef(load);
  newest.current = load;
  const lagging = useRef(0);
  const turn = useRef({ timer: 0, answered: 0, asking: false, again: false, abort: new AbortController() });

  const ask = useCallback(async () => {
    const mine = turn.current;
    if (mine.asking) {
      mine.again = true;
      return;
    }
    mine.asking = true;
    mine.again = false;
    const { signal } = mine.abort;
    try {
      const data = await newest.current(signal);
      if (!signal.aborted) setState({ key, data });
    } catch (error) {
      if (signal.aborted) return;
      const known = error instanceof ApiError ? error : new ApiError(0, "failed", String(error));
      setState((before) => ({ key, error: known, ...(before.key === key && known.status === 0 ? { data: before.data as T } : {}) }));
    } finally {
      mine.asking = false;
      mine.answered = performance.now();
      if (mine.again && !signal.aborted) later();
    }
  }, [key]);

  const later = useCallback(() => {
    const mine = turn.current;
    if (mine.timer) return;
    const wait = Math.max(60, mine.answered + PAUSE - performance.now());
    mine.timer = window.setTimeout(() => {
      mine.timer = 0;
      void ask();
    }, wait);
  }, [ask]);

  useEffect(() => {
    turn.current = { timer: 0, answered: 0, asking: false, again: false, abort: new AbortController() };
    const mine = turn.current;
    void ask();
    return () => {
      clearTimeout(mine.timer);
      mine.abort.abort();
    };
  }, [ask]);

  useChanges((change) => {
    if (change.kind !== "hello" && change.kind !== "reset" && !concerns(change)) return;
    later();
    if (!lag) return;
    clearTimeout(lagging.current);
    lagging.current = window.setTimeout(later, lag);
  });
  useEffect(() => () => clearTimeout(lagging.current), []);

  const fits = state.key === key;
  return {
    data: fits ? state.data : undefined,
    error: fits ? state.error : undefined,
    loading: !fits,
    reload: later,
  };
}

export const onTasks: Concerns = (change) => change.kind === "status" || change.kind === "trouble" || change.kind === "counts";
export const onWorkers: Concerns = (change) => change.kind === "worker" || change.kind === "status" || change.kind === "counts";

/** Changes of this task, or that may concern it. */
export function onTask(id: string): Concerns {
  return (change) => change.task_id === id || change.kind === "counts";
}
