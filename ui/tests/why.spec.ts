// What holds a task, in a sentence on its page: one task for each thing that can.

import { expect, type Page, test } from "@playwright/test";
import { Server } from "./server";

let server: Server;

test.beforeAll(async () => {
  const config = "[scheduler]\nworker_disconnect_delay=3600\nretry_delay=3600\nretry_count=2\ndisable_persist=7200\n[resources]\ngpu=2\ndisk=5\n";
  server = await new Server([], config).start();
  const fail = (task_id: string) => server.add({ task_id, family: task_id.slice(0, -2), params: {}, status: "FAILED" });
  await fail("Cooling_1");
  await fail("Often_1");
  await fail("Often_1");
  await server.add({ task_id: "Elsewhere_1", family: "Elsewhere", params: {}, runnable: false });
  await server.add({ task_id: "Alone_1", family: "Alone", params: {}, worker: "w2" });
  await server.rpc("disable_worker", { worker: "w2" });
  await server.add({ task_id: "Big_1", family: "Big", params: {}, resources: { gpu: 1, disk: 3 } });
});

test.afterAll(() => server.end());

async function sentence(page: Page, id: string) {
  await page.goto(`${server.url}#/task/${id}`);
  return page.getByRole("region", { name: /^(Why it waits|How it stands)$/ });
}

test("a task that failed says until when it cools down", async ({ page }) => {
  const why = await sentence(page, "Cooling_1");
  await expect(why).toContainText(/failed at .*\(1 failure; 2 within \d+ s disable it\).*, and is tried again at .*\d/);
  await expect(page.getByText("Tried again", { exact: true })).toBeVisible();
});

test("a task that failed too often says until when it is disabled", async ({ page }) => {
  const why = await sentence(page, "Often_1");
  await expect(why).toContainText(/is disabled since .*, because it failed too often \(2 failures.*, until .*\d/);
  await expect(page.getByText("Disabled until", { exact: true })).toBeVisible();
});

test("a task that nobody can run says so, and why", async ({ page }) => {
  await expect(await sentence(page, "Elsewhere_1")).toContainText("it is an external task, whose output has to come from elsewhere");
  await expect(await sentence(page, "Alone_1")).toContainText(/No worker can run .*: worker w2 was disabled by an operator/);
});

test("what holds a task is told while one looks, be it a pause, a limit or a worker", async ({ page }) => {
  const why = await sentence(page, "Big_1");
  await expect(why).toBeVisible();
  await server.rpc("pause", {});
  await expect(why).toContainText("paused");
  await server.rpc("unpause", {});
  await expect(why).not.toContainText("paused");
  await server.rpc("update_resource", { resource: "disk", amount: 2 });
  await expect(why).toContainText("It can never run as things are: it needs 3 of resource disk, of which there is 2.");
  await server.rpc("update_resource", { resource: "disk", amount: 5 });
  await expect(why).not.toContainText("It can never run");
  await server.rpc("disable_worker", { worker: "w1" });
  await expect(why).toContainText("worker w1 was disabled by an operator");
});

test("a task says which resources it takes", async ({ page }) => {
  await page.goto(`${server.url}#/task/Big_1`);
  const takes = page.getByText("Takes when it runs", { exact: true }).locator("xpath=following-sibling::*[1]");
  await expect(takes).toHaveText("3 disk1 gpu");
  await expect(takes.getByRole("link", { name: "disk" })).toHaveAttribute("href", "#/resources/disk");
});
