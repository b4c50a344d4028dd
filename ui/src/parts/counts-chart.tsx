// How many tasks there were of each status, over the time that the page is open.

import { STATUSES, type Counts, type Status } from "../api/types";
import { LOOKS } from "./status";
import { clock } from "./time";

export interface Sample {
  at: number;
  counts: Counts;
}

const WIDTH = 800;
const HEIGHT = 120;
/** What is done covers all else, so it is left out; so is what nobody waits for. */
const SHOWN: Status[] = STATUSES.filter((status) => status !== "DONE" && status !== "UNKNOWN");

export function CountsChart({ samples }: { samples: Sample[] }) {
  const first = samples[0];
  const last = samples.at(-1);
  if (!first || !last || samples.length < 2) return null;
  const sum = (counts: Counts) => SHOWN.reduce((all, status) => all + (counts[status] ?? 0), 0);
  const most = Math.max(1, ...samples.map((sample) => sum(sample.counts)));
  const length = Math.max(1e-3, last.at - first.at);
  const x = (at: number) => ((at - first.at) / length) * WIDTH;
  const y = (count: number) => HEIGHT - (count / most) * HEIGHT;
  const base = samples.map(() => 0);
  const areas = SHOWN.map((status) => {
    const below = [...base];
    samples.forEach((sample, index) => {
      base[index] = (base[index] ?? 0) + (sample.counts[status] ?? 0);
    });
    const up = samples.map((sample, index) => `${x(sample.at).toFixed(1)},${y(base[index] ?? 0).toFixed(1)}`);
    const down = samples.map((sample, index) => `${x(sample.at).toFixed(1)},${y(below[index] ?? 0).toFixed(1)}`).reverse();
    return <polygon key={status} class={`area ${LOOKS[status].colour}`} points={[...up, ...down].join(" ")} />;
  });
  return (
    <figure class="chart">
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" role="img" aria-label={`Unfinished tasks from ${clock(first.at)} to ${clock(last.at)}, at most ${most}`}>
        {areas}
      </svg>
      <figcaption>
        unfinished tasks, {clock(first.at)} – {clock(last.at)}, at most {most.toLocaleString()}
      </figcaption>
    </figure>
  );
}
