// What one has chosen is in the address: it can be shared, reloaded and gone back from. And addresses of Luigi's
// visualiser and of its history lead to the same places.

import { expect, test } from "@playwright/test";
import { Server } from "./server";

let server: Server;

test.beforeAll(async () => {
  server = await new Server().start();
  for (const n of [1, 2, 3]) await server.add({ task_id: `Load_${n}`, family: "Load", params: { n: String(n) }, priority: n });
  await server.add({ task_id: "Report_1", family: "Report", params: {}, deps: ["Load_1", "Load_2", "Load_3"] });
  for (const id of ["Load_3", "Load_2", "Load_1", "Report_1"]) {
    expect(await server.work()).toBe(id);
    await server.add({ task_id: id, family: id.slice(0, -2), params: id.startsWith("Load") ? { n: id.slice(-1) } : {}, status: "DONE" });
  }
  await expect.poll(async () => (await server.get("attempts")).items.length).toBe(4);
});

test.afterAll(() => server.end());

test("how a graph is drawn is in its address", async ({ page }) => {
  await page.goto(`${server.url}#/graph/Report_1`);
  const nodes = page.getByRole("region", { name: "The same as a list" }).locator("li");
  await expect(nodes).toHaveCount(4);
  await page.getByLabel("families as one").check();
  await expect(nodes).toHaveCount(2);
  await expect(page).toHaveURL(/families=one/);
  await page.getByRole("button", { name: /^Load × 3/ }).click();
  await expect(nodes).toHaveCount(4);
  await expect(page).toHaveURL(/open=Load/);
  await page.getByRole("searchbox", { name: "Search in the graph" }).fill("n=2");
  await expect(nodes).toHaveCount(1);
  await expect(page).toHaveURL(/find=n%3D2/);
  await page.reload();
  await expect(nodes).toHaveCount(1);
  await expect(page.getByLabel("families as one")).toBeChecked();
  // Typing is no step of its own.
  await page.goBack();
  await expect(nodes).toHaveCount(2);
  await page.goBack();
  await expect(nodes).toHaveCount(4);
  await expect(page.getByLabel("families as one")).not.toBeChecked();
});

test("what of a graph's timeline is shown is in its address", async ({ page }) => {
  await page.goto(`${server.url}#/timeline/Report_1`);
  const bars = page.locator(".gantt .span");
  await expect(bars).toHaveCount(4);
  await page.getByLabel("the critical path only").check();
  await expect(bars).toHaveCount(2);
  await expect(page).toHaveURL(/critical=true/);
  await page.reload();
  await expect(bars).toHaveCount(2);
  await page.goBack();
  await expect(bars).toHaveCount(4);
});

test("the visualiser's filters hold without the name of a page", async ({ page }) => {
  const rows = page.locator("tbody tr");
  await page.goto(`${server.url}static/visualiser/index.html#search__search=n%3D2`);
  await expect(page.getByRole("searchbox", { name: "Search tasks" })).toHaveValue("n=2");
  await expect(rows).toHaveCount(1);
  for (const [order, first] of [["3,desc", "n=3"], ["3,asc", "Report"]] as const) {
    await page.goto(`${server.url}static/visualiser/index.html#length=25&order=${order}`);
    await expect(rows).toHaveCount(4);
    await expect(rows.first()).toContainText(first);
  }
});

test("Luigi's pages of the history lead to the same attempts", async ({ page }) => {
  const rows = page.locator("[data-attempt]");
  for (const [old, many] of [
    ["history/", 4],
    ["history/by_name/Load", 3],
    ["history/by_task_id/Load_2", 1],
    [`history/by_params/Load?data=${encodeURIComponent('{"n": "2"}')}`, 1],
    ["history/by_params/Load?n=3", 1],
    ["tasklist/Report", 1],
  ] as const) {
    await page.goto(server.url + old);
    await expect(page.getByRole("heading", { level: 1 })).toHaveText("History");
    await expect(rows, old).toHaveCount(many);
  }
  await page.goto(`${server.url}history/by_params/Load?n=3`);
  await page.getByRole("button", { name: "n=3 remove" }).click();
  await expect(rows).toHaveCount(3);
  await page.goto(`${server.url}history/by_id/17`);
  await expect(page.getByText("had this attempt as number 17")).toBeVisible();
});
