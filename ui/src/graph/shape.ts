// What is drawn of a graph of tasks: single tasks, and families of which only the number of tasks is shown.

import { TaskStatus } from "../api/schema";
import type { Graph, GraphNode } from "../api/words";

export interface Shape {
  /** The task's id, or `family:` and the family. */
  key: string;
  label: string;
  family: string;
  /** The single task. */
  task?: GraphNode;
  /** How many tasks of which status, if it stands for several. */
  counts?: Partial<Record<TaskStatus, number>>;
  size: number;
  /** The status that its colour shows: the worst of its tasks'. */
  status: TaskStatus | null;
}

export interface Drawing {
  shapes: Shape[];
  edges: [number, number][];
}

/** From the most to the least urgent to know of. */
export const URGENCY: TaskStatus[] = ["FAILED", "DISABLED", "RUNNING", "BATCH_RUNNING", "PENDING", "UNKNOWN", "DONE"];

export interface Wishes {
  /** Whether families are drawn as one, but for those that are expanded. */
  collapsed: boolean;
  expanded: ReadonlySet<string>;
  hideDone: boolean;
}

/** Puts the tasks of a family together where that is wished and saves anything. */
export function shapesOf(graph: Graph, wishes: Wishes): Drawing {
  const sizes = new Map<string, number>();
  const kept = graph.nodes.map((node, index) => index === 0 || !wishes.hideDone || node.status !== "DONE");
  graph.nodes.forEach((node, index) => {
    if (kept[index]) sizes.set(node.family, (sizes.get(node.family) ?? 0) + 1);
  });
  const shapes: Shape[] = [];
  const places = new Map<string, number>();
  const placeOf = graph.nodes.map((node, index) => {
    if (!kept[index]) return -1;
    const isOne = !wishes.collapsed || wishes.expanded.has(node.family) || (sizes.get(node.family) ?? 0) < 2 || index === 0;
    const key = isOne ? node.id : `family:${node.family}`;
    let place = places.get(key);
    if (place === undefined) {
      place = shapes.length;
      places.set(key, place);
      shapes.push(isOne ? single(node) : { key, label: node.family || "(no name)", family: node.family, counts: {}, size: 0, status: null });
    }
    const shape = shapes[place];
    if (shape?.counts) {
      const status = node.status ?? "UNKNOWN";
      shape.counts[status] = (shape.counts[status] ?? 0) + 1;
      shape.size += 1;
    }
    return place;
  });
  for (const shape of shapes) {
    if (shape.counts) shape.status = URGENCY.find((status) => shape.counts?.[status]) ?? null;
  }
  const seen = new Set<number>();
  const edges: [number, number][] = [];
  for (const [from, to] of graph.edges) {
    const one = placeOf[from] ?? -1;
    const other = placeOf[to] ?? -1;
    const code = one * shapes.length + other;
    if (one < 0 || other < 0 || one === other || seen.has(code)) continue;
    seen.add(code);
    edges.push([one, other]);
  }
  return { shapes, edges };
}

function single(node: GraphNode): Shape {
  return { key: node.id, label: node.display_name, family: node.family, task: node, size: 1, status: node.status ?? null };
}

export function countsText(counts: Partial<Record<TaskStatus, number>>): string {
  return TaskStatus.filter((status) => counts[status]).map((status) => `${counts[status]} ${status.toLowerCase().replace("_", " ")}`).join(", ");
}
