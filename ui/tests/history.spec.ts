// What a worker's runs leave: attempts, durations, and what they printed.

import { expect, test } from "@playwright/test";
import { Server } from "./server";

let server: Server;

test.beforeAll(async () => {
  server = await new Server().start();
  for (const n of [1, 2, 3]) {
    await server.add({ task_id: `Load_${n}`, family: "Load", params: { n: String(n) } });
    await server.work();
    await server.add({ task_id: `Load_${n}`, family: "Load", status: n === 3 ? "FAILED" : "DONE", expl: n === 3 ? '"no disk"' : "null" });
  }
});

test.afterAll(() => server.end());

test("the history shows attempts, and leads to each", async ({ page }) => {
  await page.goto(`${server.url}#/history`);
  await expect(page.locator("[data-attempt]")).toHaveCount(3);
  await expect(page.getByRole("region", { name: "Families", exact: true })).toContainText("Load");
  // Without scrolling past the attempts.
  await expect(page.getByRole("region", { name: "How families fared" })).toBeInViewport();
  await page.getByRole("group", { name: "Outcomes" }).getByRole("button", { name: "failed", exact: false }).first().click();
  await expect(page.locator("[data-attempt]")).toHaveCount(1);
  await expect(page.locator("[data-attempt]")).toContainText("no disk");
  await expect(page).toHaveURL(/outcome=failed/);
  await page.goto(`${server.url}#/history?family=Load`);
  await expect(page.getByText("Half of 2 attempts took at most")).toBeVisible();
  await page.goto(`${server.url}#/task/Load_1`);
  await expect(page.getByRole("region", { name: "Attempts" }).first()).toContainText("done");
  await expect(page.getByRole("region", { name: "How long it usually takes" })).toContainText("Half of 2 attempts");
});

test("the bars of the history's chart are read and chosen by keyboard", async ({ page }) => {
  const day = 86_400;
  const today = Math.floor(Date.now() / 1000 / day) * day;
  const known = await server.get("history/counts?days=30&by=day");
  // Attempts of former days cannot be had on demand.
  const items = [{ began: today - 9 * day, outcomes: { done: 4 } }, { began: today - 5 * day, outcomes: { done: 2, failed: 1 } }, ...known.items];
  await page.route("**/api/v1/history/counts?*", (route) => route.fulfill({ json: { ...known, items } }));
  await page.goto(`${server.url}#/history`);
  const chart = page.getByRole("region", { name: "Attempts that ended, by day" });
  const bars = chart.getByRole("button");
  await expect(bars).toHaveCount(3);
  await expect(chart.locator("[tabindex='0']")).toHaveCount(1);
  await page.getByRole("button", { name: /lost/ }).focus();
  await expect(async () => {
    await page.keyboard.press("Tab");
    await expect(bars.first()).toBeFocused({ timeout: 10 });
  }).toPass();
  await page.keyboard.press("Tab");
  await expect(chart.locator(":focus")).toHaveCount(0);
  await page.keyboard.press("Shift+Tab");
  await page.keyboard.press("ArrowRight");
  await expect(bars.nth(1)).toBeFocused();
  await expect(bars.nth(1)).toHaveAccessibleName(/: 2 done, 1 failed$/);
  // Seen, too, by who uses keys and looks.
  await expect(chart.locator(".read")).toHaveText(/: 2 done, 1 failed$/);
  await page.keyboard.press("End");
  await expect(bars.last()).toBeFocused();
  await page.keyboard.press("Home");
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(new RegExp(`since=${today - 5 * day}&until=${today - 4 * day}`));
  // Where one was, or at the one bar that is left.
  await expect(chart.locator("[tabindex='0']")).toBeFocused();
});

test("the bars of a timeline are one stop, and arrows lead from one to another", async ({ page }) => {
  await page.goto(`${server.url}#/timeline?by=family`);
  const bars = page.locator(".gantt a");
  await expect(bars).toHaveCount(3);
  await expect(page.locator(".gantt a[tabindex='0']")).toHaveCount(1);
  await page.getByRole("button", { name: "Less time, larger" }).focus();
  for (let turn = 0; turn < 3; turn += 1) await page.keyboard.press("Tab");
  const focused = page.locator(".gantt a:focus");
  await expect(focused).toHaveAccessibleName(/^Load_1: done/);
  await page.keyboard.press("ArrowRight");
  await expect(focused).toHaveAccessibleName(/^Load_2: done/);
  await page.keyboard.press("End");
  await expect(focused).toHaveAccessibleName(/^Load_3: failed/);
  await expect(page.locator(".zooming")).toContainText("Load_3: failed");
  await page.keyboard.press("Tab");
  await expect(page.locator(".gantt :focus")).toHaveCount(0);
  await page.keyboard.press("Shift+Tab");
  await expect(focused).toHaveAccessibleName(/^Load_3: failed/);
  await page.goto(`${server.url}#/timeline`);
  await page.goto(`${server.url}#/timeline?by=family`);
  await bars.last().focus();
  await page.keyboard.press("Home");
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/#\/task\/Load_1\?attempt=/);
});

test("the log of an attempt is opened by a button that says whose it is", async ({ page }) => {
  await page.goto(`${server.url}#/history?task=Load_2`);
  await page.getByRole("button", { name: "log of attempt 1 of Load(n=2)", exact: true }).press("Enter");
  await expect(page).toHaveURL(/#\/task\/Load_2\?attempt=/);
});

test("the timeline shows attempts by worker and by family", async ({ page }) => {
  await page.goto(`${server.url}#/timeline`);
  await expect(page.locator(".gantt .span")).toHaveCount(3);
  // A part of the time, and all of it again.
  await page.getByRole("button", { name: "Less time, larger" }).click();
  await expect(page.getByRole("button", { name: "More time, smaller" })).toBeEnabled();
  await page.getByRole("button", { name: "All", exact: true }).click();
  await expect(page.locator(".gantt .span")).toHaveCount(3);
  await page.getByRole("button", { name: "by family" }).click();
  await expect(page.locator(".gantt .row-label")).toHaveCount(1);
  await expect(page).toHaveURL(/by=family/);
});

test("earlier attempts of a graph's tasks are on its timeline", async ({ page }) => {
  await server.add({ task_id: "Twice_1", family: "Twice", params: {} });
  await server.add({ task_id: "Both_1", family: "Both", params: {}, deps: ["Twice_1", "Load_1"] });
  for (const status of ["FAILED", "DONE"]) {
    expect(await server.work()).toBe("Twice_1");
    await server.add({ task_id: "Twice_1", family: "Twice", status, expl: '"not yet"' });
    if (status === "FAILED") await server.post("tasks/Twice_1/forgive");
  }
  await expect.poll(async () => (await server.get("tasks/Twice_1/attempts")).items.length).toBe(2);
  await page.goto(`${server.url}#/timeline/Both_1`);
  await page.getByLabel("earlier attempts, too").check();
  await expect(page.locator('.gantt a[href*="Twice_1"] .span')).toHaveCount(2);
  await expect(page.locator('.gantt a[href*="Twice_1"] .span.failed')).toHaveCount(1);
  await page.getByLabel("earlier attempts, too").uncheck();
  await expect(page.locator('.gantt a[href*="Twice_1"] .span')).toHaveCount(1);
  await expect(page.locator('.gantt a[href*="Twice_1"] .span.done')).toHaveCount(1);
});

test("the critical path of a task goes to what was done last", async ({ page }) => {
  await server.add({ task_id: "Sum_1", family: "Sum", params: {}, deps: ["Load_1", "Load_2"] });
  await server.work();
  await page.goto(`${server.url}#/timeline/Sum_1`);
  const path = page.getByRole("region", { name: "Critical path" });
  await expect(path.locator("li").nth(0)).toContainText("Sum");
  await expect(path.locator("li").nth(1)).toContainText("Load(n=2)");
});

test("what still runs is on the critical path, before all that is done", async ({ page }) => {
  for (const name of ["Slow", "Quick"]) {
    await server.add({ worker: name, task_id: `${name}_1`, family: name, params: {} });
    expect(await server.work(name)).toBe(`${name}_1`);
  }
  await server.add({ task_id: "Late_1", family: "Late", params: {}, deps: ["Quick_1", "Slow_1"] });
  await server.add({ worker: "Quick", task_id: "Quick_1", family: "Quick", status: "DONE" });
  await page.goto(`${server.url}#/timeline/Late_1`);
  const path = page.getByRole("region", { name: "Critical path" });
  await expect(path.locator("li").nth(1)).toContainText("Slow");
  await expect(path.locator("li").nth(1)).toContainText("runs for");
});

test("what takes longer than its family usually does is marked, with how long that is", async ({ page }) => {
  const known = await server.get("history/families");
  // Nobody waits for a run that is slow by itself.
  const usual = { count: 50, median: 1e-6, p90: 1e-6, p95: 1e-6, max: 1e-6, total: 1 };
  const items = known.items.map((one: { durations: object }) => ({ ...one, durations: { ...one.durations, ...usual } }));
  await page.route("**/api/v1/history/families*", (route) => route.fulfill({ json: { ...known, items } }));
  await page.goto(`${server.url}#/timeline?family=Load`);
  await expect(page.locator(".gantt .span.slow")).toHaveCount(3);
  await expect(page.getByRole("region", { name: "Longer than usual" }).locator("li")).toHaveCount(2);
  await expect(page.getByRole("region", { name: "Longer than usual" })).toContainText("usually 0 ms");
});

test("how long a family takes is shown day by day, and read by keyboard", async ({ page }) => {
  const known = await server.get("families/Load/durations");
  const [today] = known.days;
  const former = { ...today, began: today.began - 3 * 86_400, median: 5, p95: 9, count: 7 };
  const days = [former, { ...former, began: today.began - 86_400, median: 6, count: 1 }, today];
  await page.route("**/api/v1/families/Load/durations*", (route) => route.fulfill({ json: { ...known, days } }));
  await page.goto(`${server.url}#/history?family=Load`);
  const trend = page.locator("figure.trend");
  const bars = trend.getByRole("group", { name: /^Durations by day/ }).getByRole("img");
  await expect(bars).toHaveCount(3);
  await expect(trend.locator("title").first()).toHaveText(/7 attempts, median 5.0 s, 95 of 100 at most 9.0 s/);
  await expect(trend.locator("figcaption")).toHaveText(/^median of each day/);
  await page.goto(`${server.url}#/task/Load_1`);
  // One reads on at the heading of a page that has come, wherever one was meanwhile.
  await expect(page.getByRole("heading", { level: 1 })).toBeFocused();
  await expect(bars).toHaveCount(3);
  await page.getByRole("region", { name: "How long it usually takes" }).getByRole("link", { name: "history" }).focus();
  await page.keyboard.press("Tab");
  await expect(bars.first()).toBeFocused();
  await expect(bars.first()).toHaveAccessibleName(/: 7 attempts, median 5.0 s, 95 of 100 at most 9.0 s$/);
  await page.keyboard.press("ArrowRight");
  await expect(bars.nth(1)).toBeFocused();
  await expect(trend.locator("figcaption")).toHaveText(/: 1 attempt, median 6.0 s, 95 of 100 at most 9.0 s$/);
  await page.keyboard.press("End");
  await expect(bars.last()).toBeFocused();
  await page.keyboard.press("Home");
  await expect(bars.first()).toBeFocused();
  await page.keyboard.press("Tab");
  await expect(trend.locator(":focus")).toHaveCount(0);
  await expect(trend.locator("figcaption")).toHaveText(/^median of each day/);
});

test("an attempt's error is what went wrong, not how the text about it ends", async ({ page }) => {
  await server.add({ worker: "w2", task_id: "Trace_1", family: "Trace", params: {} });
  expect(await server.work("w2")).toBe("Trace_1");
  const error = 'Runtime error:\nTraceback (most recent call last):\n  File "/jobs/load.py", line 7, in run\n    connect()\n    ^^^^^^^^^\nDatabaseError: the role "loader" may not log in\nDETAIL: see the log\n';
  await server.add({ worker: "w2", task_id: "Trace_1", family: "Trace", status: "FAILED", expl: JSON.stringify(error) });
  await page.goto(`${server.url}#/history?task=Trace_1`);
  await expect(page.locator("[data-attempt]")).toContainText('DatabaseError: the role "loader" may not log in');
});

test("what ended a moment before the page was opened is seen, though nothing happens any more", async ({ page }) => {
  await server.add({ worker: "w2", task_id: "Recent_1", family: "Recent", params: {} });
  expect(await server.work("w2")).toBe("Recent_1");
  await server.add({ worker: "w2", task_id: "Recent_1", family: "Recent", status: "DONE" });
  // The first answer is from before the attempt was written, and no news come.
  await page.route("**/api/v1/events*", (route) => route.abort());
  let asked = 0;
  await page.route("**/api/v1/attempts?*", async (route) => {
    asked += 1;
    if (asked > 1) return route.continue();
    const response = await route.fetch();
    return route.fulfill({ response, json: { ...(await response.json()), items: [] } });
  });
  await page.goto(`${server.url}#/history?task=Recent_1`);
  await expect(page.locator("[data-attempt]")).toHaveCount(1);
  expect(asked).toBeGreaterThan(1);
});

test("rows of a timeline are told apart, however long what they share is", async ({ page }) => {
  const family = "warehouse.of.the.whole.company.Extract";
  for (const table of ["orders", "visits"]) {
    await server.add({ worker: "w3", task_id: `Extract_${table}`, family, params: { day: "2026-11-27", table } });
    expect(await server.work("w3")).toBe(`Extract_${table}`);
    await server.add({ worker: "w3", task_id: `Extract_${table}`, family, params: { day: "2026-11-27", table }, status: "DONE" });
  }
  await server.add({ task_id: "Both_2", family: "Both", params: { n: "2" }, deps: ["Extract_orders", "Extract_visits"] });
  await page.goto(`${server.url}#/timeline/Both_2`);
  await expect(page.locator(".gantt .row-label")).toContainText(["Extract(2026-11-27, orders)", "Extract(2026-11-27, visits)"]);
});
