// What the server's document leaves open: pieces of sentences, and pairs.

import type { Graph as Answer, Node, Why as Answered } from "./schema";

/** A piece of the answer why a task waits. */
export type Word = string | { task_id: string; name: string } | { worker: string } | { time: string | number | null };
export type Why = Omit<Answered, "words"> & { words: Word[] };

/** `edges` are pairs of places in `nodes`, of which the first depends on the second. */
export type Graph = Omit<Answer, "edges"> & { edges: [number, number][] };
export type GraphNode = Node;
