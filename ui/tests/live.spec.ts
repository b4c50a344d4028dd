// That the page follows what happens, how soon, and that it knows what happened before it was opened.

import { expect, test, type Page, type TestInfo } from "@playwright/test";
import { Server } from "./server";

let server: Server;

test.beforeAll(async () => {
  server = await new Server([], "[scheduler]\nretry_delay=3600\n").start();
});

test.afterAll(() => server.end());

test("numbers over time begin before the page is opened", async ({ page }) => {
  const counted = async () => ((await server.get("counts/series")).samples as { counts: { PENDING: number } }[]).map(({ counts }) => counts.PENDING);
  for (const n of [1, 2, 3]) await server.add({ task_id: `A_${n}`, family: "A", params: { n: String(n) } });
  await expect.poll(counted).toContain(3);
  for (const n of [2, 3]) await server.add({ task_id: `A_${n}`, family: "A", status: "DONE" });
  await expect.poll(async () => (await counted()).at(-1)).toBe(1);
  await page.goto(server.url);
  const panel = page.getByRole("region", { name: "Unfinished tasks" });
  const chart = panel.getByRole("group", { name: /^Unfinished tasks from/ });
  await expect(chart).toHaveAccessibleName(/ at most 3$/);
  const pending = panel.locator(".key.pending b");
  await expect(pending).toHaveText("1");
  // Pointed at, the chart says how it was then: its corner is at the beginning, where there was nothing yet.
  const { width = 0 } = (await chart.boundingBox()) ?? {};
  const seen = new Set<string>();
  for (let x = 44; x < width; x += 20) {
    await chart.hover({ position: { x, y: 40 } });
    seen.add(await pending.innerText());
  }
  expect(seen).toContain("3");
  await page.getByRole("button", { name: "last day" }).click();
  await expect(chart.locator(".area.pending")).toHaveCount(1);
});

test("the numbers over time keep what quick changes came to", async ({ page }) => {
  const two = (name: string) => [1, 2].map((n) => ({ task_id: `${name}_${n}`, family: name, params: { n: String(n) } }));
  await page.goto(server.url);
  const panel = page.getByRole("region", { name: "Unfinished tasks" });
  const pending = panel.locator(".key.pending b");
  await expect(pending).toHaveText("1");
  await server.addMany(two("Quick"));
  await expect(pending).toHaveText("3");
  await server.add({ task_id: "Quick_1", family: "Quick", status: "DONE" });
  await expect(pending).toHaveText("2");
  const { every } = await server.get("counts/series");
  const turn = () => Math.floor(Date.now() / 1000 / every);
  const begun = turn();
  await expect.poll(turn).toBeGreaterThan(begun + 1);
  await server.addMany(two("Later"));
  await expect(pending).toHaveText("4");
  const chart = panel.getByRole("group", { name: /^Unfinished tasks from/ });
  const { width = 0 } = (await chart.boundingBox()) ?? {};
  const seen = new Set<string>();
  for (let x = width - 5; x > width - 160; x -= 3) {
    await chart.hover({ position: { x, y: 40 } });
    seen.add(await pending.innerText());
  }
  expect(seen).toContain("2");
});

/** How long it takes until the page says `words` within `place` after `act` has begun, in milliseconds. */
async function seenAfter(page: Page, place: string, words: string, act: () => Promise<unknown>): Promise<number> {
  // Both clocks are this machine's.
  const seen = page.evaluate(
    ([place, words]) =>
      new Promise<number>((resolve) => {
        const look = () => document.querySelector(place ?? "")?.textContent?.includes(words ?? "") && resolve(Date.now());
        new MutationObserver(look).observe(document.body, { subtree: true, childList: true, characterData: true });
      }),
    [place, words],
  );
  const said = Date.now();
  await act();
  return (await seen) - said;
}

/** The middle one of five: the machine of the tests may be busy for a moment. */
function expectSoon(took: number[], info: TestInfo): void {
  info.annotations.push({ type: "live, ms", description: took.join(" ") });
  expect(took.length).toBe(5);
  expect([...took].sort((one, other) => one - other)[2]).toBeLessThan(1000);
}

const FIVE = [1, 2, 3, 4, 5];

test("a task's change is seen on its page within a second of the worker's word", async ({ page }, info) => {
  const took: number[] = [];
  for (const n of FIVE) {
    const id = `Live_${n}`;
    await server.add({ task_id: id, family: "Live", params: { n: String(n) } });
    await page.goto(`${server.url}#/task/${id}`);
    await expect(page.locator(".connection")).toHaveText("live");
    await expect(page.getByRole("heading", { level: 1 })).toContainText("pending");
    took.push(await seenAfter(page, "h1", "failed", () => server.add({ task_id: id, family: "Live", status: "FAILED", expl: '"broken"' })));
  }
  expectSoon(took, info);
});

test("so it is on the overview and in the list of tasks, also while one change follows upon another", async ({ page }, info) => {
  await page.goto(server.url);
  await expect(page.locator(".connection")).toHaveText("live");
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("5 tasks failed.");
  const fail = (n: number) => () => server.add({ task_id: `More_${n}`, family: `More${n}`, params: {}, status: "FAILED" });
  const took: number[] = [];
  for (const n of FIVE) took.push(await seenAfter(page, "h1", `${5 + n} tasks failed`, fail(n)));
  expectSoon(took, info);
  took.length = 0;
  await page.goto(`${server.url}#/tasks?status=FAILED`);
  await expect(page.locator("tbody tr")).toHaveCount(10);
  for (const n of FIVE) took.push(await seenAfter(page, "tbody", `More${5 + n}`, fail(5 + n)));
  expectSoon(took, info);
});

test("lists are not asked for as long as nothing changes", async ({ page }) => {
  const asked: string[] = [];
  page.on("request", (request) => asked.push(new URL(request.url()).pathname));
  await page.clock.install();
  for (const [place, list] of [["tasks", "tasks"], ["graph/Quiet_1", "graph"]] as const) {
    await server.add({ task_id: "Quiet_1", family: "Quiet", params: {}, status: "DONE" });
    await page.goto("about:blank");
    await page.goto(`${server.url}#/${place}`);
    await expect(page.getByText("Quiet").first()).toBeVisible();
    await page.clock.runFor(60_000);
    await expect(page.locator("[aria-busy=true]")).toHaveCount(0);
    asked.length = 0;
    await page.clock.runFor(3_600_000);
    expect(asked.filter((path) => path.endsWith(`/${list}`)), place).toEqual([]);
  }
});
