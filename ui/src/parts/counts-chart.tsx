// How many tasks there were of each status over the last hour or day: what the server noted, gone on with by
// what it tells now.

import { useState } from "preact/hooks";
import { get } from "../api/client";
import { useChanges } from "../api/live";
import { useLoaded } from "../api/load";
import { type Counts, type CountsSample, type CountsSeries, type Span, TaskStatus } from "../api/schema";
import { Axes, frameOf, HEIGHT, useColumns } from "./chart";
import { Choices, Panel, Shown, useWidth } from "./frame";
import { LOOKS } from "./status";
import { minute, serverNow } from "./time";

const SPANS = [{ value: "hour", label: "last hour" }, { value: "day", label: "last day" }] as const;
const SECS: Record<Span, number> = { hour: 3600, day: 86_400 };
/** Into how many parts the time is divided for who reads one after the other. */
const PARTS = 60;
/** What is done covers all else, so it is left out; so is what nobody waits for. */
const SHOWN: TaskStatus[] = ["FAILED", "DISABLED", "BATCH_RUNNING", "RUNNING", "PENDING"];

export function CountsPanel({ now }: { now: Counts }) {
  const [span, setSpan] = useState<Span>("hour");
  const series = useLoaded(`series ${span}`, (signal) => get<CountsSeries>("counts/series", { span }, signal));
  const [since, setSince] = useState<CountsSample[]>([]);
  useChanges((change) => {
    if (change.kind !== "counts" || !change.counts) return;
    const sample = { at: change.at ?? serverNow(), counts: change.counts };
    setSince((before) => [...before.slice(-3599), sample]);
  });
  return (
    <Panel title="Unfinished tasks" look="chart" aside={<Choices label="How far to look back" of={SPANS} value={span} choose={setSpan} />}>
      <Shown of={series}>
        {({ samples, every }) => {
          const last = samples.at(-1)?.at ?? 0;
          const known = [...samples, ...thinned(since.filter((sample) => sample.at > last), every)];
          const first = samples[0]?.at ?? serverNow();
          const isYoung = serverNow() - first < SECS[span] - 2 * every;
          return (
            <>
              <Chart samples={[...known, { at: serverNow(), counts: now }]} secs={SECS[span]} />
              {isYoung && <p class="muted since">counted since {minute(first)}: the server was started then</p>}
            </>
          );
        }}
      </Shown>
    </Panel>
  );
}

/** As many samples as the server would have: what it came to each time. */
function thinned(samples: CountsSample[], every: number): CountsSample[] {
  const turn = (sample: CountsSample | undefined) => sample && Math.floor(sample.at / every);
  return samples.filter((sample, index) => turn(samples[index + 1]) !== turn(sample));
}

function unfinished(counts: Counts): number {
  return SHOWN.reduce((all, status) => all + counts[status], 0);
}

function Chart({ samples, secs }: { samples: CountsSample[]; secs: number }) {
  const [place, width] = useWidth<HTMLDivElement>();
  const [at, setAt] = useState<number>();
  const end = samples.at(-1)?.at ?? serverNow();
  const begin = Math.max(end - secs, Math.min(samples[0]?.at ?? end, end - 60));
  const seen = samples.filter((sample) => sample.at >= begin);
  const frame = frameOf(width, Math.max(1, ...seen.map((sample) => unfinished(sample.counts))));
  const { left, right, most, y } = frame;
  const x = (time: number) => left + ((time - begin) / (end - begin)) * (right - left);
  const told = telling(seen, secs / PARTS);
  const points = told.map((sample, index) => {
    const next = told[index + 1];
    const key = next ? String(sample.at) : "now";
    return { key, sample, said: said(sample, key), x: x(sample.at), width: next ? x(next.at) - x(sample.at) : 1 };
  });
  const { read, group, columns } = useColumns(points, y(0));
  const pointed = at === undefined ? read?.sample : nearest(seen, begin + ((at - left) / (right - left)) * (end - begin));
  return (
    <figure class="counts">
      <div ref={place} onPointerMove={(event) => setAt(event.clientX - event.currentTarget.getBoundingClientRect().left)} onPointerLeave={() => setAt(undefined)}>
        <div {...group}>
          <svg width="100%" height={HEIGHT} role="group" aria-label={`Unfinished tasks from ${minute(begin)} to ${minute(end)}, at most ${most.toLocaleString()}`} data-from={begin}>
            <Axes of={frame} from={minute(begin)} to={minute(end)} />
            {areas(seen, x, y)}
            {columns}
            {pointed && <line class="pointer" x1={x(pointed.at)} x2={x(pointed.at)} y1={y(most)} y2={y(0)} />}
          </svg>
        </div>
      </div>
      <figcaption>
        <span class="at">{pointed && pointed !== samples.at(-1) ? minute(pointed.at) : "now"}</span>
        {[...SHOWN].reverse().map((status) => (
          <span key={status} class={`key ${LOOKS[status].colour}`}>
            {LOOKS[status].word} <b>{((pointed ?? samples.at(-1))?.counts[status] ?? 0).toLocaleString()}</b>
          </span>
        ))}
      </figcaption>
    </figure>
  );
}

/**
 * What has to be read to know them all: the first, those that changed something, and the last. Where many changed
 * something within `secs`, what was most then and what it came to.
 */
function telling(samples: CountsSample[], secs: number): CountsSample[] {
  const changed = samples.filter((sample, index) => {
    const before = samples[index - 1];
    return !before || SHOWN.some((status) => sample.counts[status] !== before.counts[status]);
  });
  const partOf = (sample: CountsSample | undefined) => sample && Math.floor(sample.at / secs);
  const most = new Map<number | undefined, CountsSample>();
  for (const sample of changed) {
    const before = most.get(partOf(sample));
    if (!before || unfinished(sample.counts) > unfinished(before.counts)) most.set(partOf(sample), sample);
  }
  const told = changed.filter((sample, index) => partOf(changed[index + 1]) !== partOf(sample) || most.get(partOf(sample)) === sample);
  const last = samples.at(-1);
  return last && told.at(-1) !== last ? [...told, last] : told;
}

function said({ at, counts }: CountsSample, key: string): string {
  const all = [...SHOWN].reverse().filter((status) => counts[status] > 0).map((status) => `${counts[status].toLocaleString()} ${LOOKS[status].word}`);
  return `${key === "now" ? key : minute(at)}: ${all.join(", ") || "nothing unfinished"}`;
}

/** One area for each status, one on top of the other; a number holds until the next one. */
function areas(samples: CountsSample[], x: (time: number) => number, y: (count: number) => number) {
  const base = samples.map(() => 0);
  return SHOWN.map((status) => {
    const below = [...base];
    samples.forEach((sample, index) => {
      base[index] = (base[index] ?? 0) + sample.counts[status];
    });
    if (samples.every((sample) => sample.counts[status] === 0)) return null;
    const edge = (heights: number[]) =>
      samples.flatMap((sample, index) => {
        const before = heights[index - 1];
        const here = `${x(sample.at).toFixed(1)},${y(heights[index] ?? 0).toFixed(1)}`;
        return before === undefined ? [here] : [`${x(sample.at).toFixed(1)},${y(before).toFixed(1)}`, here];
      });
    return <polygon key={status} class={`area ${LOOKS[status].colour}`} points={[...edge(base), ...edge(below).reverse()].join(" ")} />;
  });
}

function nearest(samples: CountsSample[], at: number): CountsSample | undefined {
  let best: CountsSample | undefined;
  for (const sample of samples) if (!best || Math.abs(sample.at - at) < Math.abs(best.at - at)) best = sample;
  return best;
}
