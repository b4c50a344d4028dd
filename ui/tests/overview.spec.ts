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
