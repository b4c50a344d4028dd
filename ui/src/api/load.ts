// What a page shows of the server, brought up to date when something changes that it depends on.

import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { ApiError } from "./client";
import { type Change, useChanges } from "./live";

/** The usual pause between an answer and the next question, in milliseconds. */
const PAUSE = 500;
/** What comes together is asked for together: the pause after a change, in milliseconds. */
const TOGETHER = 60;
/** What of the history is shown: it knows of a change so much later at the latest, if its database keeps up. */
export const OF_HISTORY = { lag: 2500 };
/** What the history sums up over days: it changes little, and costs more. */
export const OF_DAYS = { ...OF_HISTORY, pause: 8000 };

export interface Loaded<T> {
  data: T | undefined;
  error: ApiError | undefined;
  /** A first answer, or one to another question, is on its way; until then, `data` answers the former question. */
  loading: boolean;
  reload: () => void;
}

/** How a page is kept up to date. */
export interface Pace {
  /** What the server knows only so long after the change is asked for once more then. */
  lag?: number;
  /** How long after an answer the next question goes out at the earliest, in milliseconds. */
  pause?: number;
  /** Asked again so often, in milliseconds, while somebody looks: for what changes without being told. */
  every?: number;
}

/** Which changes make what is shown out of date; `at once` those that somebody who looks at it waits for. */
export type Concerns = (change: Change) => boolean | "at once";

/**
 * Asks with `load` whenever `key` changes, and again after changes that concern it, at most about twice a
 * second. While it asks, the former answer stays, lest who reads or uses it loses their place.
 */
export function useLoaded<T>(
  key: string,
  load: (signal: AbortSignal) => Promise<T>,
  concerns: Concerns = () => false,
  { lag = 0, pause = PAUSE, every = 0 }: Pace = {},
): Loaded<T> {
  const [state, setState] = useState<{ key: string; data?: T; error?: ApiError }>({ key: "" });
  const newest = useRef(load);
  newest.current = load;
  const lagging = useRef(0);
  const turn = useRef(newTurn());

  const ask = useCallback(async () => {
    const mine = turn.current;
    if (mine.asking) {
      mine.again = true;
      return;
    }
    mine.asking = true;
    mine.again = false;
    mine.hurry = false;
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
      if (mine.again && !signal.aborted) later(mine.hurry);
    }
  }, [key]);

  const later = useCallback((hurry = false) => {
    const mine = turn.current;
    mine.hurry ||= hurry;
    const now = performance.now();
    const due = now + TOGETHER;
    const at = hurry ? due : Math.max(due, mine.answered + pause);
    if (mine.timer && mine.due <= at) return;
    clearTimeout(mine.timer);
    mine.due = at;
    mine.timer = window.setTimeout(() => {
      mine.timer = 0;
      void ask();
    }, at - now);
  }, [ask, pause]);

  const afterLag = useCallback(() => {
    if (!lag) return;
    clearTimeout(lagging.current);
    lagging.current = window.setTimeout(() => later(), lag);
  }, [lag, later]);

  useEffect(() => {
    turn.current = newTurn();
    const mine = turn.current;
    void ask();
    // The last change may have been a moment ago.
    afterLag();
    return () => {
      clearTimeout(mine.timer);
      mine.abort.abort();
    };
  }, [ask, afterLag]);

  useChanges((change) => {
    const concern = change.kind === "hello" || change.kind === "reset" || concerns(change);
    if (!concern) return;
    later(concern === "at once");
    afterLag();
  });
  useEffect(() => () => clearTimeout(lagging.current), []);
  useEffect(() => {
    if (!every) return;
    const timer = setInterval(() => document.hidden || later(), every);
    return () => clearInterval(timer);
  }, [every, later]);

  const fits = state.key === key;
  return {
    data: state.data,
    error: fits ? state.error : undefined,
    loading: !fits,
    reload: () => later(true),
  };
}

/** Numbers of tasks are told at most twice a second, if they change. */
export const onCounts: Concerns = (change) => change.kind === "counts";
export const onTasks: Concerns = (change) => change.kind === "status" || change.kind === "trouble" || change.kind === "counts";
/** All that a task may wait for, or no longer. */
export const onHolds: Concerns = (change) => onTasks(change) || change.kind === "worker" || change.kind === "limit" || change.kind === "paused";
export const onWorkers: Concerns = (change) => change.kind === "worker" || change.kind === "status" || change.kind === "counts";

/** Changes of this task, or that may concern it. */
export function onTask(id: string): Concerns {
  return (change) => {
    if (change.task_id !== id) return change.kind === "counts";
    return change.kind === "status" ? "at once" : true;
  };
}

/** Where a question stands. */
function newTurn() {
  return { timer: 0, due: 0, answered: 0, asking: false, again: false, hurry: false, abort: new AbortController() };
}
