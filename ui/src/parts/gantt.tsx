// Spans of time as bars, in rows.

import { clock, span } from "./time";

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
  strong: boolean;
}

const ROW = 22;
const LABEL = 200;
const WIDTH = 1000;

export function Gantt({ spans, label }: { spans: Span[]; label: string }) {
  const rows = new Map<string, string>();
  for (const one of spans) rows.set(one.row, one.rowLabel);
  const order = [...rows.keys()];
  const place = new Map(order.map((row, index) => [row, index]));
  const from = Math.min(...spans.map((one) => one.from));
  const to = Math.max(...spans.map((one) => one.to), from + 1e-3);
  const x = (at: number) => LABEL + ((at - from) / (to - from)) * (WIDTH - LABEL);
  const height = order.length * ROW + 20;
  const ticks = [0, 0.25, 0.5, 0.75, 1].map((part) => from + part * (to - from));
  return (
    <div class="scroll gantt" tabIndex={0} role="region" aria-label={label}>
      <svg viewBox={`0 0 ${WIDTH} ${height}`} width={WIDTH} height={height} aria-label={label} role="group">
        {ticks.map((at, index) => (
          <g key={at} class="tick">
            <line x1={x(at)} x2={x(at)} y1={14} y2={height} />
            <text x={x(at)} y={10} text-anchor={index === 0 ? "start" : index === 4 ? "end" : "middle"}>
              {clock(at)}
            </text>
          </g>
        ))}
        {order.map((row, index) => (
          <text key={row} x={0} y={20 + index * ROW + 14} class="row-label">
            <title>{row.slice(0, 300)}</title>
            {(rows.get(row) ?? "").slice(0, 30)}
          </text>
        ))}
        {spans.map((one) => (
          <a key={one.key} href={one.to_page} aria-label={`${one.title}, ${span(one.to - one.from)}`}>
            <rect
              class={`span ${one.colour}${one.strong ? " strong" : ""}`}
              x={x(one.from)}
              y={20 + (place.get(one.row) ?? 0) * ROW + 3}
              width={Math.max(3, x(one.to) - x(one.from))}
              height={ROW - 6}
              rx={2}
            >
              <title>{`${one.title}\n${clock(one.from)} – ${clock(one.to)}, ${span(one.to - one.from)}`}</title>
            </rect>
          </a>
        ))}
      </svg>
    </div>
  );
}
