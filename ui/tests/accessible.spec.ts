// Every page in light and dark, wide and narrow: an automated check of what can be checked so.

import AxeBuilder from "@axe-core/playwright";
import { expect, test } from "@playwright/test";
import { Server } from "./server";

let server: Server;

test.beforeAll(async () => {
  server = await new Server([], "[scheduler]\nworker_disconnect_delay=3600\n[resources]\ngpu=2\n").start();
  await server.add({ task_id: "A_1", family: "A", params: { day: "1" }, deps: ["B_1"], resources: { gpu: 1 } });
  await server.add({ task_id: "B_1", family: "B", params: {}, resources: { gpu: 1 } });
  await server.add({ task_id: "C_1", family: "C", params: {}, status: "FAILED", expl: '"broken"' });
  await server.add({ task_id: "D_1", family: "D", params: {}, status: "DISABLED" });
  await server.add({ task_id: "E_1", family: "E", params: {}, status: "DONE" });
  await server.work();
});

test.afterAll(() => server.end());

const PLACES = ["overview", "tasks", "task/A_1", "task/C_1", "graph/A_1", "graph", "timeline", "workers", "workers/w1", "resources", "history", "settings"];

for (const colorScheme of ["light", "dark"] as const) {
  test(`no page has a serious finding, ${colorScheme}`, async ({ page }) => {
    await page.emulateMedia({ colorScheme });
    for (const place of PLACES) {
      await page.goto(`${server.url}#/${place}`);
      await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
      const { violations } = await new AxeBuilder({ page }).analyze();
      const serious = violations.filter((one) => one.impact === "serious" || one.impact === "critical");
      expect(serious.map((one) => `${place}: ${one.id} ${one.nodes.map((node) => node.html).join(" ")}`)).toEqual([]);
    }
  });
}

test("it fits a phone", async ({ page }) => {
  await page.setViewportSize({ width: 375, height: 700 });
  for (const place of PLACES) {
    await page.goto(`${server.url}#/${place}`);
    await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
    expect(await page.evaluate(() => document.documentElement.scrollWidth), place).toBeLessThanOrEqual(380);
  }
});

test("all can be reached by keyboard", async ({ page }) => {
  await page.goto(`${server.url}#/overview`);
  await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
  await page.keyboard.press("Tab");
  await expect(page.getByText("To the content")).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(page.locator("main")).toBeFocused();
  await page.keyboard.press("Tab");
  await expect(page.locator("main a").first()).toBeFocused();
});

test("no request leaves the server", async ({ page }) => {
  const elsewhere: string[] = [];
  page.on("request", (request) => {
    if (!request.url().startsWith(server.url) && !request.url().startsWith("blob:")) elsewhere.push(request.url());
  });
  for (const place of PLACES) {
    await page.goto(`${server.url}#/${place}`);
    await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
  }
  expect(elsewhere).toEqual([]);
});
