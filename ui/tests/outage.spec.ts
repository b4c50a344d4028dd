// The server goes and comes back while the page is open.

import { expect, test } from "@playwright/test";
import { Server } from "./server";

test("the page says that it is out of date, and catches up", async ({ page }) => {
  const server = await new Server().start();
  try {
    await server.add({ task_id: "A_1", family: "A", params: {} });
    await page.goto(`${server.url}#/tasks`);
    await expect(page.locator("tbody tr")).toHaveCount(1);
    await expect(page.locator(".connection")).toHaveText("live");
    await server.stop("SIGKILL");
    await expect(page.locator(".connection")).toContainText("Out of date");
    await expect(page.locator("tbody tr")).toHaveCount(1);
    await server.start();
    await server.add({ task_id: "A_2", family: "A", params: { n: "2" } });
    await expect(page.locator(".connection")).toHaveText("live", { timeout: 40_000 });
    await expect(page.locator("tbody tr")).toHaveCount(2);
  } finally {
    await server.end();
  }
});

test("an empty scheduler shows the command that sends a first task", async ({ page }) => {
  const server = await new Server().start();
  try {
    await page.goto(server.url);
    await expect(page.getByText(`--scheduler-url ${server.url.replace(/\/$/, "")}`).first()).toBeVisible();
    await server.add({ task_id: "A_1", family: "A", params: {} });
    await expect(page.locator("[data-status=PENDING] strong")).toHaveText("1");
  } finally {
    await server.end();
  }
});
