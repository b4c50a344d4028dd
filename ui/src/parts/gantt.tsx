// Spans of time as bars, in rows. What goes on at the same time in a row stands in lanes below each other.

import { useRef, useState } from "preact/hooks";
import { Press, useWidth } from "./frame";
import { along, useRoving, type Way } from "./roving";
import { clock, minute, span } from "./time";

export interface Span {
  key: string;
  row: string;
  rowLabel: string;
  from: number;
  to: number;
  colour: string;
  title: string;
  to_page: string;
  /** Drawn so that it stands out. */
  strong?: boolean;
  /** Took longer than usual. */
  slow?: boolean;
  /** How long it usually takes, in seconds. */
  usual?: number | null | undefined;
}

const LANE = 16;
/** How wide a character of a moment above the bars is at most, on average, in pixels. */
const CHARACTER = 7;
const GAP = 8;
const TOP = 22;
/** Steps between marks, in seconds. */
const STEPS = [0.1, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 21_600, 43_200, 86_400, 604_800];

interface Row {
  label: string;
  full: string;
  top: number;
  lanes: number;
  /** Its spans, as places in the list of all, those first that began first. */
  of: number[];
}

/** Gives each row a height, and each span a lane that is free. */
function arrange(spans: Span[]): { rows: Row[]; tops: number[]; height: number } {
  const byRow = new Map<string, { label: string; ends: number[]; of: [number, number][] }>();
  const inOrder = spans.map((one, index) => ({ one, index })).sort((a, b) => a.one.from - b.one.from);
  for (const { one, index } of inOrder) {
    let row = byRow.get(one.row);
    if (!row) byRow.set(one.row, (row = { label: one.rowLabel, ends: [], of: [] }));
    let lane = row.ends.findIndex((end) => end <= one.from);
    if (lane < 0) lane = row.ends.length;
    row.ends[lane] = Math.max(one.to, one.from + 1e-3);
    row.of.push([index, lane]);
  }
  const rows: Row[] = [];
  const tops: number[] = [];
  let top = TOP + GAP / 2;
  for (const [full, row] of byRow) {
    rows.push({ label: row.label, full, top, lanes: row.ends.length, of: row.of.map(([index]) => index) });
    for (const [index, lane] of row.of) tops[index] = top + lane * LANE;
    top += row.ends.length * LANE + GAP;
  }
  return { rows, tops, height: top };
}

/** Left and right lead along a row and on to the next one, up and down to what is nearest in time in another row. */
function waysIn(rows: Span[][]): Way {
  const inOrder = along(rows.flat().map((one) => one.key));
  return (key, from) => {
    if (key !== "ArrowUp" && key !== "ArrowDown") return inOrder(key, from);
    const at = rows.findIndex((row) => row.some((one) => one.key === from));
    const begun = rows[at]?.find((one) => one.key === from)?.from ?? 0;
    const row = rows[key === "ArrowUp" ? at - 1 : at + 1] ?? [];
    return [...row].sort((one, other) => Math.abs(one.from - begun) - Math.abs(other.from - begun))[0]?.key;
  };
}

/** Which part of the time is seen. */
type Sight = [from: number, to: number];

/** Half of what is seen, or twice as much, around its middle. */
function scaled([from, to]: Sight, by: number): Sight {
  const middle = (from + to) / 2;
  return [middle - ((to - from) / 2) * by, middle + ((to - from) / 2) * by];
}

export function Gantt({ spans, label }: { spans: Span[]; label: string }) {
  const [place, width] = useWidth<HTMLDivElement>();
  const left = Math.min(230, Math.max(90, width * 0.22));
  const [chosen, setChosen] = useState<Sight>();
  const begin = spans.reduce((least, one) => Math.min(least, one.from), Infinity);
  const end = Math.max(spans.reduce((most, one) => Math.max(most, one.to), -Infinity), begin + 1e-3);
  const [from, to] = chosen ?? [begin, end];
  const said = to - from < 600 ? clock : minute;
  /** How wide a moment is. Half of it has its place beside the last one. */
  const wide = CHARACTER * Math.max(said(from).length, said(to).length);
  const right = Math.max(left + 40, width - wide / 2);
  const x = (at: number) => left + ((at - from) / (to - from)) * (right - left);
  const { rows, tops, height } = arrange(spans);
  const isSeen = (one: Span) => one.to >= from && one.from <= to;
  const seen = rows.map((row) => row.of.flatMap((index) => spans[index] ?? []).filter(isSeen)).filter((row) => row.length > 0);
  const { focused, group, stop } = useRoving(seen.flat().map((one) => one.key), waysIn(seen));
  const read = spans.find((one) => one.key === focused);
  const marks = ticks(from, to, Math.max(2, Math.floor((right - left) / (wide + 24))));
  const named = apart(marks, (wide * (to - from)) / (right - left));
  const drawn = useRef<{ from: number; moved: boolean } | undefined>(undefined);
  const [brush, setBrush] = useState<Sight>();
  const timeAt = (event: PointerEvent) => {
    const edge = place.current?.getBoundingClientRect().left ?? 0;
    return from + ((Math.min(right, Math.max(left, event.clientX - edge)) - left) / (right - left)) * (to - from);
  };
  const down = (event: PointerEvent) => {
    if (event.button === 0 && event.pointerType === "mouse") drawn.current = { from: timeAt(event), moved: false };
  };
  const move = (event: PointerEvent) => {
    const held = drawn.current;
    if (!held) return;
    const at = timeAt(event);
    held.moved ||= Math.abs(at - held.from) > (5 * (to - from)) / (right - left);
    if (held.moved) setBrush([Math.min(at, held.from), Math.max(at, held.from)]);
  };
  const up = () => {
    if (brush) setChosen(brush);
    setBrush(undefined);
    // The click that follows looks whether something was drawn.
    setTimeout(() => (drawn.current = undefined));
  };
  return (
    <div class="gantt" ref={place}>
      <div class="row zooming">
        <button type="button" class="small" aria-label="Less time, larger" onClick={() => setChosen(scaled([from, to], 0.5))}>+</button>
        <Press name="More time, smaller" may={chosen !== undefined} press={() => setChosen(scaled([from, to], 2))}>−</Press>
        <Press may={chosen !== undefined} press={() => setChosen(undefined)}>All</Press>
        <span class="muted">{read ? <span aria-hidden="true">{saidOf(read)}</span> : "draw over a time to enlarge it; arrows lead from bar to bar"}</span>
      </div>
      <div {...group}>
        <svg
          width={Math.max(width, left + 40)}
          height={height}
          aria-label={label}
          role="group"
          onPointerDown={down}
          onPointerMove={move}
          onPointerUp={up}
          onPointerLeave={up}
          onDragStart={(event) => event.preventDefault()}
          onClickCapture={(event) => drawn.current?.moved && event.preventDefault()}
        >
          <clipPath id="seen-time">
            <rect x={left} y={0} width={Math.max(0, right - left)} height={height} />
          </clipPath>
          {rows.map((row, index) => (
            <g key={row.full} class={`lane ${index % 2 ? "odd" : ""}`}>
              <rect x={0} width={width} y={row.top - GAP / 2} height={row.lanes * LANE + GAP} />
              <text x={4} y={row.top + LANE / 2 + 4} class="row-label">
                <title>{row.full.slice(0, 300)}</title>
                {short(row.label, Math.floor(left / 7))}
              </text>
            </g>
          ))}
          {marks.map((at) => (
            <g key={at} class="tick">
              <line x1={x(at)} x2={x(at)} y1={TOP - 4} y2={height} />
              {named.has(at) && <text x={x(at)} y={12} text-anchor="middle">{said(at)}</text>}
            </g>
          ))}
          {brush && <rect class="brush" x={x(brush[0])} width={x(brush[1]) - x(brush[0])} y={TOP} height={height} />}
          {spans.map((one, index) => isSeen(one) && (
            <a key={one.key} href={one.to_page} aria-label={saidOf(one)} {...stop(one.key)}>
              <title>{saidOf(one)}</title>
              <rect
                clip-path="url(#seen-time)"
                class={`span ${one.colour}${one.strong ? " strong" : ""}${one.slow ? " slow" : ""}`}
                x={x(one.from)}
                y={(tops[index] ?? 0) + 1}
                width={Math.max(2, x(one.to) - x(one.from) - 0.5)}
                height={LANE - 3}
                rx={2}
              />
              {one.slow && one.usual && x(one.from + one.usual) < x(one.to) - 3 && (
                <line class="usual-mark" x1={x(one.from + one.usual)} x2={x(one.from + one.usual)} y1={tops[index] ?? 0} y2={(tops[index] ?? 0) + LANE - 1} />
              )}
            </a>
          ))}
        </svg>
      </div>
    </div>
  );
}

/** All that a bar says. */
function saidOf({ title, from, to, usual }: Span): string {
  return `${title}, ${clock(from)} – ${clock(to)}, ${span(to - from)}${usual ? `, usually ${span(usual)}` : ""}`;
}

/** The name of a row. Where it is too long, what it shares with others goes first: the namespace, then the parameters' names. */
export function short(text: string, most: number): string {
  const shorter = [
    (name: string) => name.replace(/^[\w.]*\.(?=\w+\()/, ""),
    (name: string) => name.replace(/([(]|, )\w+=/g, "$1"),
  ];
  let name = text;
  for (const shorten of shorter) if (name.length > most) name = shorten(name);
  return name.length > most ? `${name.slice(0, Math.max(1, most - 1))}…` : name;
}

/** About so many round moments between two. */
function ticks(from: number, to: number, many: number): number[] {
  const step = STEPS.find((one) => (to - from) / one <= many) ?? 604_800 * Math.ceil((to - from) / 604_800 / many);
  // Round in the time of the browser, from a minute on.
  const shift = step >= 60 ? new Date(from * 1000).getTimezoneOffset() * 60 : 0;
  const all: number[] = [];
  for (let at = Math.ceil((from - shift) / step) * step + shift; at <= to; at += step) all.push(at);
  return all;
}

/** Those of some moments, in their order, between which there is so much time at least. */
function apart(moments: number[], least: number): ReadonlySet<number> {
  let last = -Infinity;
  return new Set(
    moments.filter((at) => {
      if (at - last < least) return false;
      last = at;
      return true;
    }),
  );
}
