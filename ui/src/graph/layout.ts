// Where the nodes of a graph go: layers from left (what is depended on) to right, in an order with few
// crossings. Linear in nodes and edges but for a few passes, so that ten thousand nodes take about a second.
// Knows nothing of tasks.

export interface Laid {
  /** The middle of each node. */
  x: Float32Array;
  y: Float32Array;
  /** For each edge the points that it goes through, as x, y, x, y, …; from what is depended on. */
  routes: Float32Array[];
  width: number;
  height: number;
}

export const COLUMN = 260;
export const ROW = 44;
/** Long edges get a place in each layer that they cross, up to so many altogether. */
const MOST_BENDS = 30_000;
const SWEEPS = 6;

/** Lays out `count` nodes; an edge `[a, b]` says that a depends on b. */
export function layout(count: number, edges: readonly (readonly [number, number])[]): Laid {
  const layer = layers(count, edges);
  const { size, next, before, places, chains } = withBends(count, edges, layer);
  const rows = byLayer(size, places);
  order(rows, next, before);
  const y = settle(rows, next, before, size);
  const x = new Float32Array(count);
  let height = ROW;
  for (let node = 0; node < count; node += 1) {
    x[node] = (layer[node] ?? 0) * COLUMN + COLUMN / 2;
    height = Math.max(height, (y[node] ?? 0) + ROW);
  }
  const routes = chains.map((chain) => {
    const route = new Float32Array(2 * chain.length);
    chain.forEach((node, index) => {
      route[2 * index] = (places[node] ?? 0) * COLUMN + COLUMN / 2;
      route[2 * index + 1] = y[node] ?? 0;
    });
    return route;
  });
  return { x, y: y.slice(0, count), routes, width: Math.max(1, rows.length) * COLUMN, height };
}

/** The longest way to each node from those that depend on nothing. Edges that close a ring do not count. */
function layers(count: number, edges: readonly (readonly [number, number])[]): Int32Array {
  const needs: number[][] = Array.from({ length: count }, () => []);
  for (const [from, to] of edges) if (from !== to) needs[from]?.push(to);
  const layer = new Int32Array(count).fill(-1);
  const state = new Uint8Array(count);
  for (let start = 0; start < count; start += 1) {
    if (state[start] !== 0) continue;
    const stack = [{ node: start, index: 0, deepest: -1 }];
    state[start] = 1;
    while (stack.length > 0) {
      const top = stack[stack.length - 1];
      if (!top) break;
      const all = needs[top.node] ?? [];
      if (top.index >= all.length) {
        layer[top.node] = top.deepest + 1;
        state[top.node] = 2;
        stack.pop();
        const parent = stack[stack.length - 1];
        if (parent) parent.deepest = Math.max(parent.deepest, layer[top.node] ?? 0);
        continue;
      }
      const need = all[top.index] ?? 0;
      top.index += 1;
      if (state[need] === 2) top.deepest = Math.max(top.deepest, layer[need] ?? 0);
      else if (state[need] === 0) {
        state[need] = 1;
        stack.push({ node: need, index: 0, deepest: -1 });
      }
    }
  }
  return layer;
}

interface Bent {
  size: number;
  /** Neighbours in the next layer and in the one before. */
  next: number[][];
  before: number[][];
  /** The layer of each node and bend. */
  places: number[];
  /** The nodes and bends along each edge. */
  chains: number[][];
}

function withBends(count: number, edges: readonly (readonly [number, number])[], layer: Int32Array): Bent {
  const places = Array.from(layer);
  const next: number[][] = Array.from({ length: count }, () => []);
  const before: number[][] = Array.from({ length: count }, () => []);
  const link = (one: number, other: number) => {
    next[one]?.push(other);
    before[other]?.push(one);
  };
  const chains = edges.map(([from, to]) => {
    const [left, right] = (layer[to] ?? 0) <= (layer[from] ?? 0) ? [to, from] : [from, to];
    const chain = [left];
    const span = (layer[right] ?? 0) - (layer[left] ?? 0);
    if (span > 1 && places.length - count + span < MOST_BENDS) {
      let last = left;
      for (let step = 1; step < span; step += 1) {
        const bend = places.length;
        places.push((layer[left] ?? 0) + step);
        next.push([]);
        before.push([]);
        link(last, bend);
        chain.push(bend);
        last = bend;
      }
      link(last, right);
    } else if (span > 0) {
      link(left, right);
    }
    chain.push(right);
    return chain;
  });
  return { size: places.length, next, before, places, chains };
}

function byLayer(size: number, places: readonly number[]): number[][] {
  const rows: number[][] = [];
  for (let node = 0; node < size; node += 1) {
    const place = places[node] ?? 0;
    while (rows.length <= place) rows.push([]);
    rows[place]?.push(node);
  }
  return rows;
}

/** Sorts each layer by the middle of its neighbours, to and fro. */
function order(rows: number[][], next: number[][], before: number[][]): void {
  const at: number[] = [];
  const number = (row: number[]) => row.forEach((node, index) => (at[node] = index));
  rows.forEach(number);
  const sweep = (row: number[] | undefined, neighbours: number[][]) => {
    if (!row) return;
    const middle = new Map<number, number>();
    row.forEach((node, index) => {
      const near = neighbours[node] ?? [];
      middle.set(node, near.length === 0 ? index : near.reduce((sum, other) => sum + (at[other] ?? 0), 0) / near.length);
    });
    row.sort((one, other) => (middle.get(one) ?? 0) - (middle.get(other) ?? 0));
    number(row);
  };
  for (let turn = 0; turn < SWEEPS; turn += 1) {
    for (let place = 1; place < rows.length; place += 1) sweep(rows[place], before);
    for (let place = rows.length - 2; place >= 0; place -= 1) sweep(rows[place], next);
  }
}

/** Gives each node a height near its neighbours', without changing the order within a layer. */
function settle(rows: number[][], next: number[][], before: number[][], size: number): Float32Array {
  const y = new Float32Array(size);
  for (const row of rows) row.forEach((node, index) => (y[node] = index * ROW));
  const wish = (node: number): number => {
    const near = [...(before[node] ?? []), ...(next[node] ?? [])];
    if (near.length === 0) return y[node] ?? 0;
    return near.reduce((sum, other) => sum + (y[other] ?? 0), 0) / near.length;
  };
  for (let turn = 0; turn < SWEEPS; turn += 1) {
    const turned = turn % 2 === 0 ? rows : [...rows].reverse();
    for (const row of turned) place(row, row.map(wish), y);
  }
  let least = Infinity;
  for (const row of rows) least = Math.min(least, y[row[0] ?? 0] ?? 0);
  if (!Number.isFinite(least)) least = 0;
  for (let node = 0; node < size; node += 1) y[node] = (y[node] ?? 0) - least + ROW / 2;
  return y;
}

/** The heights nearest to the wishes, in the sense of least squares, that keep order and distance. */
function place(row: number[], wishes: number[], y: Float32Array): void {
  // Blocks of neighbours that touch each other; each sits at the mean of what its members wish.
  const blocks: { sum: number; count: number }[] = [];
  wishes.forEach((wish, index) => {
    blocks.push({ sum: wish - index * ROW, count: 1 });
    for (;;) {
      const last = blocks[blocks.length - 1];
      const former = blocks[blocks.length - 2];
      if (!last || !former || former.sum / former.count <= last.sum / last.count) break;
      former.sum += last.sum;
      former.count += last.count;
      blocks.pop();
    }
  });
  let index = 0;
  for (const block of blocks) {
    const base = block.sum / block.count;
    for (let member = 0; member < block.count; member += 1) {
      const node = row[index];
      if (node !== undefined) y[node] = base + index * ROW;
      index += 1;
    }
  }
}
