// Lays graphs out off the page's main thread.

import { layout } from "./layout";

export interface Asked {
  turn: number;
  count: number;
  edges: [number, number][];
}

self.onmessage = (event: MessageEvent<Asked>) => {
  const { turn, count, edges } = event.data;
  const laid = layout(count, edges);
  self.postMessage({ turn, laid });
};
