// For how long the page does not answer, as its thread's own time: what other processes of the machine take away
// meanwhile does not count.

import { expect, type Page } from "@playwright/test";

/** An event of Chromium's traces; times are in microseconds. */
interface Event {
  name: string;
  ph: string;
  pid: number;
  tid: number;
  dur?: number;
  tdur?: number;
  args?: { name?: string };
}

export interface Longest {
  /** The thread's own time of its longest task, in milliseconds. */
  busy: number;
  /** By the clock on the wall. */
  wall: number;
}

/** The longest task of the page's main thread while `act` goes on. */
export async function longestTask(page: Page, act: () => Promise<void>): Promise<Longest> {
  const browser = page.context().browser();
  if (!browser) throw new Error("the page has no browser of its own");
  await browser.startTracing(page, { categories: ["toplevel", "disabled-by-default-devtools.timeline"] });
  await act();
  const { traceEvents }: { traceEvents: Event[] } = JSON.parse((await browser.stopTracing()).toString());
  const place = (event: Event) => `${event.pid} ${event.tid}`;
  const main = new Set(traceEvents.filter((event) => event.name === "thread_name" && event.args?.name === "CrRendererMain").map(place));
  const tasks = traceEvents.filter((event) => event.ph === "X" && event.name.endsWith("RunTask") && main.has(place(event)) && event.tdur !== undefined);
  expect(tasks.length, "tasks of the page's main thread in the trace").toBeGreaterThan(10);
  const most = (values: number[]) => Math.round(values.reduce((all, one) => Math.max(all, one), 0) / 1000);
  return { busy: most(tasks.map((task) => task.tdur ?? 0)), wall: most(tasks.map((task) => task.dur ?? 0)) };
}
