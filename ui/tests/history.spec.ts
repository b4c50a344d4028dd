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

test("the timeline shows attempts by worker and by family", async ({ page }) => {
  await page.goto(`${server.url}#/timeline`);
  await expect(page.locator(".gantt rect")).toHaveCount(3);
  await page.getByLabel("by").selectOption("family");
  await expect(page.locator(".gantt .row-label")).toHaveCount(1);
  await expect(page).toHaveURL(/by=family/);
});

test("the critical path of a task goes to what was done last", async ({ page }) => {
  await server.add({ task_id: "Sum_1", family: "Sum", params: {}, deps: ["Load_1", "Load_2"] });
  await server.work();
  await page.goto(`${server.url}#/timeline/Sum_1`);
  const path = page.getByRole("region", { name: "Critical path" });
  await expect(path.locator("li").nth(0)).toContainText("Sum");
  await expect(path.locator("li").nth(1)).toContainText("Load(n=2)");
});

