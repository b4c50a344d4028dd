// Lays graphs out off the page's main thread.

import { layout } from "./layout";

export interface Asked {
  turn: number;
  count: number;
  /** Pairs, one after the other: of each the first depends on the second. */
  edges: Int32Array;
}

self.onmessage = (event: MessageEvent<Asked>) => {
  const { turn, count, edges } = event.data;
  const pairs = Array.from({ length: edges.length / 2 }, (_, index): [number, number] => [edges[2 * index] ?? 0, edges[2 * index + 1] ?? 0]);
  const laid = layout(count, pairs);
  // Handed over, not copied: the page's thread has nothing to do for it.
  self.postMessage({ turn, laid }, { transfer: [laid.x.buffer, laid.y.buffer, laid.points.buffer, laid.starts.buffer] });
};
