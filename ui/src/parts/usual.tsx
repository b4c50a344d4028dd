// How long tasks of a family usually take, as the history knows it; asked for once for all places that show it.

import { get } from "../api/client";
import { onCounts, useLoaded } from "../api/load";
import type { FamilyHistories, FamilyHistory } from "../api/schema";
import { span } from "./time";

/** Fewer attempts than these say little. */
const ENOUGH = 3;
/** For how long an answer is good, in milliseconds. */
const KEEP = 60_000;

let asked: { at: number; answer: Promise<Map<string, FamilyHistory>> } | undefined;

async function ask(): Promise<Map<string, FamilyHistory>> {
  const { items } = await get<FamilyHistories>("history/families");
  return new Map(items.map((item) => [item.family, item]));
}

function usual(): Promise<Map<string, FamilyHistory>> {
  if (!asked || performance.now() - asked.at > KEEP) {
    const answer = ask();
    asked = { at: performance.now(), answer };
    answer.catch(() => (asked = undefined));
  }
  return asked.answer;
}

/** The families that the history knows; nothing as long as it has not answered. */
export function useUsual(): Map<string, FamilyHistory> | undefined {
  return useLoaded("usual", () => usual(), onCounts, { pause: KEEP }).data;
}

/** Whether that is longer than nearly all attempts of the family took. */
export function isSlow(secs: number, of: FamilyHistory | undefined): boolean {
  if (!of || of.durations.count < ENOUGH) return false;
  const { median, p95 } = of.durations;
  return median != null && p95 != null && secs > 1.5 * median && secs > 1.1 * p95;
}

/** How long a family usually takes, in a few words. */
export function Usual({ family }: { family: string }) {
  const of = useUsual()?.get(family);
  if (of?.durations.median == null) return null;
  return <span class="usual">usually {span(of.durations.median)}</span>;
}
