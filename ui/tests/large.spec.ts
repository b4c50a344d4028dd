// Much of everything: a hundred thousand tasks, ten thousand nodes. What counts is that the page never shows or
// fetches more than is looked at, and never keeps the browser from answering for long.

import { expect, test, type Page } from "@playwright/test";
import { Server } from "./server";

let server: Server;
const MANY = 100_000;
const NODES = 9_000;

test.beforeAll(async () => {
  server = await new Server().start();
  const tasks = Array.from({ length: MANY }, (_, n) => ({
    task_id: `F${n % 50}_${n}`,
    family: `team${n % 5}.F${n % 50}`,
    params: { n: String(n) },
    status: n % 10 === 0 ? "FAILED" : n % 3 === 0 ? "DONE" : "PENDING",
  }));
  await server.addMany(tasks);
  // A graph with layers of a hundred.
  const layered = Array.from({ length: NODES }, (_, n) => ({
    task_id: `L_${n}`,
    family: `Layer${Math.floor(n / 100)}`,
    params: { n: String(n) },
    deps: n < 100 ? [] : [0, 1, 2].map((k) => `L_${(Math.floor(n / 100) - 1) * 100 + ((n * 7 + k * 31) % 100)}`),
  }));
  layered.push({ task_id: "Root_1", family: "Root", params: { n: "0" }, deps: Array.from({ length: 100 }, (_, k) => `L_${NODES - 100 + k}`) });
  await server.addMany(layered);
});

test.afterAll(() => server.end());

/** Notes how long the page could not answer at a time. */
async function watch(page: Page): Promise<void> {
  await page.addInitScript(() => {
    (window as any).long = [];
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) (window as any).long.push(Math.round(entry.duration));
    }).observe({ type: "longtask", buffered: true });
  });
}

test("a hundred thousand tasks are looked at a page at a time", async ({ page }, info) => {
  await watch(page);
  const answers: number[] = [];
  page.on("response", async (response) => {
    if (response.url().includes("/api/v1/tasks")) answers.push((await response.body().catch(() => Buffer.alloc(0))).length);
  });
  const began = Date.now();
  await page.goto(`${server.url}#/tasks`);
  await expect(page.locator("tbody tr")).toHaveCount(100);
  info.annotations.push({ type: "first table, ms", description: String(Date.now() - began) });
  await expect(page.locator(".pager").first()).toContainText("of 109,001");
  await page.getByRole("button", { name: "Last" }).first().click();
  await expect(page.locator(".pager").first()).toContainText("109,001 of 109,001");
  await page.getByRole("searchbox", { name: "Search tasks" }).fill("n=99999");
  await expect(page.locator("tbody tr")).toHaveCount(1);
  await page.goto(`${server.url}#/tasks`);
  await expect(page.locator("tbody tr")).toHaveCount(100);
  for (let turn = 0; turn < 10; turn += 1) await page.mouse.wheel(0, 600);
  const long: number[] = await page.evaluate(() => (window as any).long);
  info.annotations.push({ type: "long tasks, ms", description: long.join(" ") });
  expect(Math.max(...answers)).toBeLessThan(500_000);
  const heap = await page.evaluate(() => (performance as any).memory.usedJSHeapSize);
  expect(heap).toBeLessThan(100 << 20);
});

test("a graph of nine thousand nodes is laid out while the page goes on answering", async ({ page }, info) => {
  await watch(page);
  await page.goto(`${server.url}#/graph/Root_1?limit=10000`);
  await expect(page.locator("canvas.picture")).toHaveAttribute("data-laid", "yes");
  // Families are drawn as one; then all of it.
  await expect(page.getByText("× 100").first()).toBeVisible();
  await page.getByLabel("families as one").uncheck();
  await expect(page.getByText("Laying out 9,001 nodes")).toBeVisible();
  // It answers meanwhile.
  await page.getByRole("searchbox", { name: "Search in the graph" }).fill("n=42");
  await expect(page.getByRole("searchbox", { name: "Search in the graph" })).toHaveValue("n=42");
  await expect(page.getByText("Laying out")).toHaveCount(0, { timeout: 60_000 });
  await page.locator("canvas.picture").focus();
  for (const key of ["+", "+", "ArrowRight", "ArrowDown", "-", "0"]) await page.keyboard.press(key);
  info.annotations.push({ type: "long tasks, ms", description: (await page.evaluate(() => (window as any).long)).join(" ") });
  await page.getByRole("searchbox", { name: "Search in the graph" }).fill("");
  await page.getByLabel("families as one").check();
  await page.getByRole("button", { name: /^Layer42 × 100/ }).click();
  await expect(page.getByRole("button", { name: /Layer42/ }).first()).toBeVisible();
});
