// Where there is little room: nothing is cut without a sign of it, and nothing moves away under the pointer.

import { expect, test, type Page } from "@playwright/test";
import { Server } from "./server";

let server: Server;

test.beforeAll(async () => {
  server = await new Server([], "[scheduler]\nworker_disconnect_delay=3600\n").start();
  await server.add({ task_id: "A_1", family: "A", params: { day: "2026-11-27" }, status: "FAILED", expl: '"broken"' });
});

test.afterAll(() => server.end());

const menu = (page: Page) => page.getByRole("navigation", { name: "Pages" }).getByRole("link");

test("on a phone the whole menu is seen, and a wide table says that it goes on", async ({ page }) => {
  await page.setViewportSize({ width: 375, height: 700 });
  await page.goto(`${server.url}#/tasks`);
  await expect(page.locator("tbody tr")).toHaveCount(1);
  for (const link of await menu(page).all()) await expect(link).toBeInViewport({ ratio: 1 });
  const wide = page.locator(".wide").filter({ has: page.getByRole("region", { name: "Tasks", exact: true }) });
  await expect(wide).toHaveClass(/more-right/);
  await expect(wide.getByText("›")).toBeVisible();
  await wide.locator(".scroll").evaluate((box) => box.scrollTo({ left: box.scrollWidth }));
  await expect(wide).toHaveClass(/more-left/);
  await expect(wide).not.toHaveClass(/more-right/);
});

test("that the server is away moves nothing of the menu", async ({ page }) => {
  const own = await new Server().start();
  try {
    for (const width of [1280, 1000]) {
      await page.setViewportSize({ width, height: 800 });
      await page.goto(`${own.url}#/resources`);
      await page.reload();
      await expect(page.locator(".connection")).toHaveText("live");
      const places = async () => Promise.all((await menu(page).all()).map((link) => link.boundingBox()));
      const before = await places();
      await own.stop("SIGKILL");
      await expect(page.getByText("Out of date: trying to reach the server")).toBeVisible();
      expect(await places()).toEqual(before);
      await own.start();
      await expect(page.locator(".connection")).toHaveText("live", { timeout: 40_000 });
    }
  } finally {
    await own.end();
  }
});

test("the moments above a timeline's bars are seen whole", async ({ page }) => {
  await server.add({ task_id: "B_1", family: "B", params: {} });
  await server.work();
  await server.add({ task_id: "B_1", family: "B", status: "DONE" });
  // Today without the date; as seen two days later, with it.
  for (const days of [0, 2]) {
    await page.clock.setFixedTime(Date.now() + days * 86_400_000);
    for (const width of [1280, 390]) {
      await page.setViewportSize({ width, height: 700 });
      await page.goto("about:blank");
      await page.goto(`${server.url}#/timeline`);
      await expect(page.locator(".gantt .span")).toHaveCount(1);
      for (let turn = 0; turn < 12; turn += 1) {
        const places = await page.locator(".gantt").evaluate((box) => [box, ...box.querySelectorAll(".tick text")].map((one) => one.getBoundingClientRect()).map(({ left, right }) => [left, right]));
        const [[, edge = 0] = [], ...moments] = places;
        moments.forEach(([left = 0, right = 0], index) => {
          expect(right).toBeLessThanOrEqual(edge);
          // None stands upon the one before.
          expect(left).toBeGreaterThan(moments[index - 1]?.[1] ?? 0);
        });
        await page.getByRole("button", { name: turn === 0 ? "Less time, larger" : "More time, smaller" }).click();
      }
    }
  }
});
