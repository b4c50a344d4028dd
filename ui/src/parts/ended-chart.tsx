// How many attempts ended how, by hour or by day, as bars. Times in which none ended have their place, too.

import { Outcome, type Period } from "../api/schema";
import { Axes, frameOf, HEIGHT, useColumns } from "./chart";
import { useWidth } from "./frame";
import { outcomeLook } from "./outcome";
import { minute } from "./time";

/** From below: what went well first, so that what did not stands out on top. */
const ORDER: Outcome[] = ["done", "marked_done", "suspended", "returned", "unknown", "cancelled", "lost", "timed_out", "failed"];

interface Wanted {
  periods: Period[];
  /** How long a bar is, in seconds. */
  secs: number;
  from: number;
  to: number;
  /** Called for a bar that somebody clicks, or presses Enter or the space bar on. */
  choose?: (from: number, to: number) => void;
}

export function EndedChart({ periods, secs, from, to, choose }: Wanted) {
  const [place, width] = useWidth<HTMLDivElement>();
  const first = Math.floor(from / secs);
  const count = Math.max(1, Math.floor(to / secs) - first + 1);
  const sum = (period: Period) => ORDER.reduce((all, outcome) => all + (period.outcomes[outcome] ?? 0), 0);
  const frame = frameOf(width, Math.max(1, ...periods.map(sum)));
  const { left, right, most, y } = frame;
  const step = (right - left) / count;
  const label = (at: number) => (secs < 86_400 ? minute(at) : new Date(at * 1000).toISOString().slice(0, 10));
  const said = (period: Period) => {
    const outcomes = ORDER.filter((one) => period.outcomes[one]).map((one) => `${period.outcomes[one]?.toLocaleString()} ${outcomeLook(one).word}`);
    return `${label(period.began)}: ${outcomes.join(", ")}`;
  };
  const bars = (period: Period, x: number) => {
    let below = 0;
    return ORDER.map((outcome) => {
      const value = period.outcomes[outcome] ?? 0;
      if (value === 0) return null;
      const top = y(below + value);
      const height = Math.max(1, y(below) - top);
      below += value;
      return <rect key={outcome} class={`area ${outcomeLook(outcome).colour}`} x={x + Math.min(1, step / 8)} width={Math.max(1, step - Math.min(2, step / 4))} y={top} height={height} />;
    });
  };
  const points = periods.flatMap((period) => {
    const x = left + (Math.round(period.began / secs) - first) * step;
    if (x < left - 0.5) return [];
    const press = choose && (() => choose(period.began, period.began + secs));
    return [{ key: String(period.began), said: said(period), x, width: step, drawn: bars(period, x), press }];
  });
  const { read, group, columns } = useColumns(points, y(0));
  // What is said of a bar stands where the bar does not.
  const isRight = read !== undefined && read.x > (left + right) / 2;
  return (
    <div ref={place}>
      <div {...group}>
        <svg width="100%" height={HEIGHT} role="group" aria-label={`Attempts that ended from ${label(from)} to ${label(to)}, at most ${most.toLocaleString()} at a time`}>
          <Axes of={frame} from={label(first * secs)} to={label((first + count - 1) * secs)} />
          {columns}
          {read && <text class="read" x={isRight ? left + 4 : right} y={14} text-anchor={isRight ? "start" : "end"} aria-hidden="true">{read.said}</text>}
        </svg>
      </div>
    </div>
  );
}
