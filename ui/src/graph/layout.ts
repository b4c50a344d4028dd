// Where the nodes of a graph go: layers from left (what is depended on) to right, in an order with few
// crossings. Linear in nodes and edges but for a few passes, so that ten thousand nodes take about a second.
// Knows nothing of tasks.

export interface Laid {
  /** The middle of each node. */
  x: Float32Array;
  y: Float32Array;
  /** The points that edges go through, one edge after the other, as x, y, x, y, …; from what is depended on. */
  points: Float32Array;
  /** Where each edge begins in those; and at last, where they end. */
  starts: Uint32Array;
  width: number;
  height: number;
}

export const COLUMN = 280;
export const ROW = 54;
/** From one node to the next where several of a layer stand side by side. */
const BESIDE = 234;
/** A layer of up to so many nodes is a column; of a large graph more, so that it comes out about square. */
const TALLEST = 40;
/** Long edges get a place in each layer that they cross, up to so many altogether. */
const MOST_BENDS = 30_000;
const SWEEPS = 6;

/** Lays out `count` nodes; an edge `[a, b]` says that a depends on b. */
export function layout(count: number, edges: readonly (readonly [number, number])[]): Laid {
  const layer = layers(count, edges);
  const { size, next, before, places, chains } = withBends(count, edges, layer);
  const rows = byLayer(size, places);
  order(rows, next, before);
  const blocks = rows.map((row) => abreast(row, count));
  const y = settle(blocks, next, before, size);
  const x = new Float32Array(size);
  let left = 0;
  for (const block of blocks) {
    const across = block.reduce((most, unit) => Math.max(most, unit.length), 1);
    const width = COLUMN + (across - 1) * BESIDE;
    for (const unit of block) {
      unit.forEach((node, index) => (x[node] = left + (node < count ? COLUMN / 2 + index * BESIDE : width / 2)));
    }
    left += width;
  }
  let height = ROW;
  for (let node = 0; node < count; node += 1) height = Math.max(height, (y[node] ?? 0) + ROW);
  const starts = new Uint32Array(chains.length + 1);
  chains.forEach((chain, edge) => (starts[edge + 1] = (starts[edge] ?? 0) + 2 * chain.length));
  const points = new Float32Array(starts[chains.length] ?? 0);
  let at = 0;
  for (const node of chains.flat()) {
    points[at] = x[node] ?? 0;
    points[at + 1] = y[node] ?? 0;
    at += 2;
  }
  return { x: x.slice(0, count), y: y.slice(0, count), points, starts, width: Math.max(COLUMN, left), height };
}

/** A layer in units from top to bottom: a node, or several side by side where the layer has very many. */
function abreast(row: readonly number[], count: number): number[][] {
  const many = row.reduce((sum, node) => sum + (node < count ? 1 : 0), 0);
  const most = Math.ceil(many / Math.max(TALLEST, 2 * Math.sqrt(count)));
  if (most < 2) return row.map((node) => [node]);
  const units: number[][] = [];
  let unit: number[] = [];
  const close = () => {
    if (unit.length > 0) units.push(unit);
    unit = [];
  };
  for (const node of row) {
    // An edge that crosses the layer has a way of its own.
    if (node >= count) close();
    unit.push(node);
    if (node >= count || unit.length === most) close();
  }
  close();
  return units;
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

/** Gives each unit a height near its neighbours', without changing the order within a layer. */
function settle(blocks: number[][][], next: number[][], before: number[][], size: number): Float32Array {
  const y = new Float32Array(size);
  for (const block of blocks) block.forEach((unit, index) => unit.forEach((node) => (y[node] = index * ROW)));
  const wish = (node: number): number => {
    const near = [...(before[node] ?? []), ...(next[node] ?? [])];
    if (near.length === 0) return y[node] ?? 0;
    return near.reduce((sum, other) => sum + (y[other] ?? 0), 0) / near.length;
  };
  const wishes = (block: number[][]) => block.map((unit) => unit.reduce((sum, node) => sum + wish(node), 0) / unit.length);
  for (let turn = 0; turn < SWEEPS; turn += 1) {
    const turned = turn % 2 === 0 ? blocks : [...blocks].reverse();
    for (const block of turned) place(block, wishes(block), y);
  }
  let least = Infinity;
  for (const block of blocks) least = Math.min(least, y[block[0]?.[0] ?? 0] ?? 0);
  if (!Number.isFinite(least)) least = 0;
  for (let node = 0; node < size; node += 1) y[node] = (y[node] ?? 0) - least + ROW / 2;
  return y;
}

/** The heights nearest to the wishes, in the sense of least squares, that keep order and distance. */
function place(units: number[][], wishes: number[], y: Float32Array): void {
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
      for (const node of units[index] ?? []) y[node] = base + index * ROW;
      index += 1;
    }
  }
}
