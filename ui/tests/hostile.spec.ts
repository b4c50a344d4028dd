// Whatever tasks and workers say is text: nothing of it runs, links or turns round what stands beside it.

import { expect, test } from "@playwright/test";
import { Server } from "./server";

const SCRIPT = "<script>window.hit=1</script><img src=x onerror=window.hit=2>";
const TURNED = "safe\u202Egnp.exe";
let server: Server;

test.beforeAll(async () => {
  server = await new Server([], "[scheduler]\nworker_disconnect_delay=3600\n").start();
  await server.rpc("add_worker", { worker: SCRIPT, info: { host: SCRIPT, [SCRIPT]: SCRIPT } });
  await server.rpc("add_task", { worker: SCRIPT, task_id: "X_1", family: SCRIPT, params: { [SCRIPT]: SCRIPT, turned: TURNED }, resources: { [SCRIPT]: 1 }, deps: [SCRIPT] , tracking_url: "javascript:window.hit=3" });
  await server.rpc("add_task", { worker: SCRIPT, task_id: "Y_1", family: "Y", params: { huge: "m".repeat(1 << 20) }, priority: 9, tracking_url: "javascript:window.hit=3" });
  await server.rpc("get_work", { worker: SCRIPT, host: SCRIPT });
  await server.rpc("set_task_status_message", { task_id: "Y_1", status_message: SCRIPT });
  await server.rpc("add_task", { worker: SCRIPT, task_id: "Z_1", family: "Z", params: {}, status: "FAILED", expl: JSON.stringify(SCRIPT) });
});

test.afterAll(() => server.end());

test("no page runs what tasks say", async ({ page }) => {
  const errors: string[] = [];
  page.on("pageerror", (error) => errors.push(String(error)));
  page.on("console", (message) => message.type() === "error" && errors.push(message.text()));
  for (const place of ["overview", "tasks", "task/X_1", "task/Y_1", "task/Z_1", "graph/X_1?direction=both", "timeline", "timeline/X_1", "workers", `workers/${encodeURIComponent(SCRIPT)}`, "resources", "history", "settings"]) {
    await page.goto(`${server.url}#/${place}`);
    await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
    await page.waitForLoadState("networkidle").catch(() => {});
    expect(await page.evaluate(() => (window as any).hit), place).toBeUndefined();
    expect(await page.locator("main script, main img").count(), place).toBe(0);
    for (const link of await page.locator("main a").evaluateAll((all) => all.map((one) => one.getAttribute("href") ?? ""))) {
      expect(link, place).toMatch(/^(#\/|api\/v1\/|metrics$|https?:)/);
    }
  }
  expect(errors.filter((text) => !text.includes("404"))).toEqual([]);
});

test("text that is turned round is shown for what it is", async ({ page }) => {
  await page.goto(`${server.url}#/task/X_1`);
  await expect(page.getByRole("region", { name: "Parameters" })).toContainText("safe‹U+202E›gnp.exe");
});

test("a parameter of a megabyte is cut, and can be seen whole", async ({ page }) => {
  await page.goto(`${server.url}#/task/Y_1`);
  const params = page.getByRole("region", { name: "Parameters" });
  await expect(params).toContainText("show all 1,048,576 characters");
  expect((await params.innerText()).length).toBeLessThan(2000);
  await params.getByRole("button").press("Enter");
  expect((await params.innerText()).length).toBeGreaterThan(1 << 20);
  // The button has gone; who pressed it has not.
  await expect(params.locator("bdi:focus")).toHaveCount(1);
});

test("what is no web address is no link, even if the server let it through", async ({ page }) => {
  await page.route(/api\/v1\/tasks\/Y_1(\?|$)/, async (route) => {
    const answer = await (await route.fetch()).json();
    answer.task.tracking_url = "javascript:window.hit=3";
    await route.fulfill({ json: answer });
  });
  await page.goto(`${server.url}#/task/Y_1`);
  await expect(page.getByRole("region", { name: "About" })).toContainText("javascript:window.hit=3");
  await expect(page.locator('a[href^="javascript:"]')).toHaveCount(0);
  await page.unrouteAll({ behavior: "ignoreErrors" });
});
