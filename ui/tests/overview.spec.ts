// The overview's words and numbers: what is counted is said, and can be read whole.

import { expect, test } from "@playwright/test";
import { Server } from "./server";

let server: Server;

test.beforeAll(async () => {
  server = await new Server([], "[scheduler]\nworker_disconnect_delay=3600\nretry_count=100\n[resources]\ngpu=1\n").start();
  for (const n of [1, 2, 3]) await server.add({ task_id: `Train_${n}`, family: "Train", params: { n: String(n) }, resources: { gpu: 1 }, priority: 9 });
  expect((await server.work()).startsWith("Train_")).toBe(true);
  await server.add({ task_id: "Bad_1", family: "Bad", params: {}, status: "FAILED" });
  await server.add({ task_id: "Bad_2", family: "Bad", params: { n: "2" }, status: "FAILED" });
  await server.add({ task_id: "Off_1", family: "Off", params: {}, status: "DISABLED" });
});

test.afterAll(() => server.end());

test("what failed and what is disabled are counted apart, in all places", async ({ page }) => {
  await page.goto(server.url);
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("2 tasks failed, 1 task is disabled.");
  const panel = page.getByRole("region", { name: "Failed or disabled last" });
  await expect(panel.locator("[data-task]")).toHaveCount(3);
  await panel.getByRole("link", { name: "all: 2 failed, 1 disabled" }).click();
  await expect(page.locator("tbody tr")).toHaveCount(3);
});

test("how many wait for a resource is said, and leads to it", async ({ page }) => {
  await page.goto(server.url);
  await page.getByRole("region", { name: "Waiting", exact: true }).getByRole("link", { name: "2 for gpu, of which all is used" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Resources");
  await expect(page.getByRole("region", { name: "gpu" })).toContainText("1 of 1 used");
});

test("a reason of many lines can be read whole", async ({ page }) => {
  const name = "long".repeat(60);
  await server.add({ task_id: "Waits_1", family: "Waits", params: {}, deps: ["Bad_1", "Bad_2", "Off_1"], priority: 99 });
  await server.add({ task_id: "Waits_2", family: "Waits", params: { name }, deps: ["Waits_1"], priority: 100 });
  await page.setViewportSize({ width: 900, height: 800 });
  await page.goto(server.url);
  const item = page.getByRole("region", { name: "Waiting", exact: true }).locator("[data-task=Waits_2], [data-task=Waits_1]").first();
  const reason = item.locator(".why");
  await expect(reason).toBeVisible();
  await item.getByRole("button", { name: "all of it" }).click();
  expect(await reason.evaluate((box) => box.scrollHeight - box.clientHeight)).toBeLessThan(3);
  await item.getByRole("button", { name: "less" }).click();
  await expect(reason).toHaveClass(/short/);
});

test("the numbers over time say since when they are counted", async ({ page }) => {
  await page.goto(server.url);
  await expect(page.getByRole("region", { name: "Unfinished tasks" })).toContainText(/counted since \d/);
});

test("the numbers over time are read by keyboard: each change, and what is now", async ({ page }) => {
  const { counts } = await server.get("counts");
  const none = Object.fromEntries(Object.keys(counts).map((status) => [status, 0]));
  const begun = Math.floor(Date.now() / 60_000) * 60 - 1800;
  // What a minute came to is read, and what was most in it.
  const samples = [[-900, { PENDING: 2 }], [-600, { PENDING: 2 }], [1, { PENDING: 1 }], [10, { PENDING: 5 }], [20, { PENDING: 4, RUNNING: 1 }], [50, {}]]
    .map(([after, some]) => ({ at: begun + Number(after), counts: { ...none, ...(some as object) } }));
  await page.route("**/api/v1/counts/series*", (route) => route.fulfill({ json: { every: 5, samples } }));
  await page.goto(server.url);
  const panel = page.getByRole("region", { name: "Unfinished tasks" });
  const points = panel.getByRole("group", { name: /^Unfinished tasks from/ }).getByRole("img");
  await expect(points).toHaveCount(4);
  await expect(panel.locator("[tabindex='0']")).toHaveCount(1);
  await expect(panel.locator("figcaption")).toHaveText(/^now/);
  await panel.getByRole("button", { name: "last day" }).focus();
  await page.keyboard.press("Tab");
  await expect(points.first()).toBeFocused();
  await expect(points.first()).toHaveAccessibleName(/^\d.*: 2 pending$/);
  await page.keyboard.press("ArrowRight");
  await expect(points.nth(1)).toBeFocused();
  await expect(points.nth(1)).toHaveAccessibleName(/^\d.*: 5 pending$/);
  // Seen, too, by who uses keys and looks.
  await expect(panel.locator("figcaption")).toHaveText(/^\d.*pending 5.*failed 0/);
  await expect(panel.locator("line.pointer")).toHaveCount(1);
  await page.keyboard.press("ArrowRight");
  await expect(points.nth(2)).toHaveAccessibleName(/^\d.*: nothing unfinished$/);
  await page.keyboard.press("End");
  await expect(points.last()).toBeFocused();
  await expect(points.last()).toHaveAccessibleName(new RegExp(`^now: ${counts.PENDING} pending, `));
  await page.keyboard.press("Home");
  await expect(points.first()).toBeFocused();
  // It goes on, and nobody loses their place.
  await page.keyboard.press("End");
  for (const n of [1, 2]) {
    await server.add({ task_id: `More_${n}`, family: "More", params: { n: String(n) } });
    await expect(points.last()).toHaveAccessibleName(new RegExp(`^now: ${counts.PENDING + n} pending, `));
    await expect(n === 1 ? points.last() : points.nth(3)).toBeFocused();
    if (n === 1) await page.keyboard.press("ArrowLeft");
  }
  await page.keyboard.press("Tab");
  await expect(panel.locator(":focus")).toHaveCount(0);
  await expect(panel.locator("figcaption")).toHaveText(/^now/);
});

test("a worker that says nothing any more is said to be silent", async ({ page }) => {
  await server.rpc("add_worker", { worker: "gone", info: { host: "far", pid: 9 } });
  await page.goto(`${server.url}#/workers`);
  await expect(page.locator("[data-worker=gone]")).toContainText(/silent for \d+ s/, { timeout: 60_000 });
});

test("workers are disabled in their list", async ({ page }) => {
  await server.rpc("add_worker", { worker: "spare", info: { host: "near", pid: 8 } });
  await page.goto(`${server.url}#/workers`);
  await page.getByRole("button", { name: "Disable worker spare" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Disable" }).click();
  await expect(page.locator("[data-worker=spare]")).toContainText("disabled");
  await expect(page.getByRole("button", { name: "Disable worker spare" })).toHaveCount(0);
});

test("where there is nothing to see there is a way on", async ({ page }) => {
  const empty = await new Server().start();
  try {
    for (const place of ["tasks", "graph", "workers"]) {
      await page.goto(`${empty.url}#/${place}`);
      await expect(page.locator("main").getByText("--scheduler-url").first(), place).toBeVisible();
    }
    await page.goto(`${empty.url}#/timeline`);
    await expect(page.locator("main").getByRole("link", { name: "history" })).toBeVisible();
    await page.goto(`${server.url}#/tasks?search=nothing-like-that`);
    await page.getByRole("link", { name: "Show all tasks" }).click();
    await expect(page.locator("tbody tr").first()).toBeVisible();
  } finally {
    await empty.end();
  }
});
