// How many attempts ended how, by hour or by day, as bars. Times in which none ended have their place, too.

import { Outcome, type Period } from "../api/schema";
import { useWidth } from "./frame";
import { outcomeLook } from "./outcome";
import { useRoving } from "./roving";
import { minute } from "./time";

const HEIGHT = 130;
const LEFT = 44;
const BOTTOM = 18;
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

function keyOf(period: Period): string {
  return String(period.began);
}

export function EndedChart({ periods, secs, from, to, choose }: Wanted) {
  const [place, width] = useWidth<HTMLDivElement>();
  const first = Math.floor(from / secs);
  const count = Math.max(1, Math.floor(to / secs) - first + 1);
  const sum = (period: Period) => ORDER.reduce((all, outcome) => all + (period.outcomes[outcome] ?? 0), 0);
  const most = Math.max(1, ...periods.map(sum));
  const right = Math.max(LEFT + 1, width - 4);
  const step = (right - LEFT) / count;
  const y = (value: number) => 4 + (1 - value / most) * (HEIGHT - BOTTOM - 4);
  const label = (at: number) => (secs < 86_400 ? minute(at) : new Date(at * 1000).toISOString().slice(0, 10));
  const x = (period: Period) => LEFT + (Math.round(period.began / secs) - first) * step;
  const said = (period: Period) => {
    const outcomes = ORDER.filter((one) => period.outcomes[one]).map((one) => `${period.outcomes[one]?.toLocaleString()} ${outcomeLook(one).word}`);
    return `${label(period.began)}: ${outcomes.join(", ")}`;
  };
  const shown = periods.filter((period) => x(period) >= LEFT - 0.5);
  const { focused, group, stop } = useRoving(shown.map(keyOf));
  const read = shown.find((period) => keyOf(period) === focused);
  // What is said of a bar stands where the bar does not.
  const isRight = read !== undefined && x(read) > (LEFT + right) / 2;
  const pressed = (event: KeyboardEvent, press: () => void) => {
    if (event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    press();
  };
  return (
    <div ref={place}>
      <div {...group}>
        <svg width="100%" height={HEIGHT} role="group" aria-label={`Attempts that ended from ${label(from)} to ${label(to)}, at most ${most.toLocaleString()} at a time`}>
          {[most, most / 2].map((value) => (
            <g key={value} class="grid">
              <line x1={LEFT} x2={right} y1={y(value)} y2={y(value)} />
              {Number.isInteger(value) && <text x={LEFT - 6} y={y(value) + 8} text-anchor="end">{value.toLocaleString()}</text>}
            </g>
          ))}
          {shown.map((period) => {
            let below = 0;
            const press = choose && (() => choose(period.began, period.began + secs));
            return (
              <g
                key={period.began}
                class="column"
                role={press ? "button" : "img"}
                aria-label={said(period)}
                {...stop(keyOf(period))}
                {...(press ? { onClick: press, onKeyDown: (event: KeyboardEvent) => pressed(event, press) } : {})}
              >
                <title>{said(period)}</title>
                <rect class="hit" x={x(period)} width={step} y={4} height={HEIGHT - BOTTOM - 4} />
                {ORDER.map((outcome) => {
                  const value = period.outcomes[outcome] ?? 0;
                  if (value === 0) return null;
                  const top = y(below + value);
                  const height = Math.max(1, y(below) - top);
                  below += value;
                  return <rect key={outcome} class={`area ${outcomeLook(outcome).colour}`} x={x(period) + Math.min(1, step / 8)} width={Math.max(1, step - Math.min(2, step / 4))} y={top} height={height} />;
                })}
              </g>
            );
          })}
          <line class="base" x1={LEFT} x2={right} y1={y(0)} y2={y(0)} />
          <g class="grid">
            <text x={LEFT} y={HEIGHT - 4}>{label(first * secs)}</text>
            <text x={right} y={HEIGHT - 4} text-anchor="end">{label((first + count - 1) * secs)}</text>
          </g>
          {read && <text class="read" x={isRight ? LEFT + 4 : right} y={14} text-anchor={isRight ? "start" : "end"} aria-hidden="true">{said(read)}</text>}
        </svg>
      </div>
    </div>
  );
}
