// Signing in with a token, and what each role is offered.

import { expect, test } from "@playwright/test";
import { Server } from "./server";

let server: Server;
let tokens: Record<string, string>;

test.beforeAll(async () => {
  server = await new Server().start();
  tokens = {};
  for (const role of ["viewer", "worker", "operator"]) {
    const made = JSON.parse(server.command("token", "create", role, "--role", role, "--state-dir", server.stateDir, "--json"));
    tokens[role] = made.token ?? made.secret;
  }
  await server.rpc("add_task", { worker: "w1", task_id: "A_1", family: "A", params: {}, status: "FAILED" }, tokens["worker"]);
});

test.afterAll(() => server.end());

test("the page asks for a token, and keeps it from scripts", async ({ page, context }) => {
  await page.goto(server.url);
  await page.getByLabel("Token").fill("wrong");
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page.getByRole("alert")).toBeVisible();
  await page.getByLabel("Token").fill(tokens["viewer"] ?? "");
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("1 task failed.");
  const cookies = await context.cookies();
  expect(cookies.every((cookie) => cookie.httpOnly && cookie.sameSite === "Strict")).toBe(true);
  expect(await page.evaluate(() => document.cookie + JSON.stringify(localStorage))).not.toContain(tokens["viewer"]);
  await page.reload();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("1 task failed.");
  await page.getByRole("button", { name: "Sign out" }).click();
  await expect(page.getByLabel("Token")).toBeVisible();
});

test("only operators are offered actions, and the server holds to that", async ({ page }) => {
  await page.goto(`${server.url}#/task/A_1`);
  await page.getByLabel("Token").fill(tokens["viewer"] ?? "");
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toContainText("A()");
  await expect(page.getByRole("button", { name: "Forgive" })).toHaveCount(0);
  await expect(page.getByRole("button", { name: "Pause" })).toHaveCount(0);
  const refused = await page.evaluate(async () => (await fetch("api/v1/tasks/A_1/forgive", { method: "POST" })).status);
  expect(refused).toBe(403);
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByLabel("Token").fill(tokens["operator"] ?? "");
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("button", { name: "Forgive" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Forgive" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toContainText("pending");
});
