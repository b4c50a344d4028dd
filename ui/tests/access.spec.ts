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

test("operators see who may come in, what was done and who was refused", async ({ page }) => {
  const refused = await fetch(`${server.url}api/v1/pause`, { method: "POST", headers: { Authorization: `Bearer ${tokens["viewer"]}` } });
  expect(refused.status).toBe(403);
  const signIn = async (role: string) => {
    await page.getByLabel("Token").fill(tokens[role] ?? "");
    await page.getByRole("button", { name: "Sign in" }).click();
    await expect(page.getByRole("heading", { level: 1 })).toHaveText("Settings");
  };
  await page.goto(`${server.url}#/settings`);
  await signIn("viewer");
  await expect(page.getByRole("region", { name: "The scheduler" })).toContainText("retry_delay");
  await expect(page.getByRole("region", { name: "Tokens" })).toHaveCount(0);
  await page.getByRole("button", { name: "Sign out" }).click();
  await signIn("operator");
  await expect(page.getByRole("region", { name: "Tokens", exact: true }).first().locator("tbody tr")).toHaveCount(3);
  const trail = page.getByRole("region", { name: "Audit trail" });
  await expect(trail.locator("[data-audit=create_token]").first()).toContainText("(command)");
  await expect(trail.locator("[data-audit=refuse]").filter({ hasText: "POST /api/v1/pause" })).toContainText("viewer");
  expect(await page.locator("main").innerText()).not.toContain(tokens["viewer"]);
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
  // Operators see who did it; others are not told, and do not ask.
  const about = page.getByRole("region", { name: "About" });
  await expect(about.getByText("Forgiven", { exact: true }).locator("..")).toContainText("(operator)");
  await page.getByRole("button", { name: "Sign out" }).click();
  const asked: string[] = [];
  page.on("request", (request) => asked.push(request.url()));
  await page.getByLabel("Token").fill(tokens["viewer"] ?? "");
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(about).toContainText("Priority");
  await expect(page.locator("[aria-busy=true]")).toHaveCount(0);
  expect(asked.filter((url) => url.includes("/audit"))).toEqual([]);
  await expect(about).not.toContainText("Forgiven");
});

test("private parameters are shown to nobody, hidden ones to operators who ask for them", async ({ page }) => {
  const params = { day: "2026-11-27", note: "for the auditors", password: "correct horse" };
  const task = { worker: "w1", task_id: "Secret_1", family: "Secret", module: "pipelines.secret", params, param_visibilities: { note: 1, password: 2 } };
  await server.rpc("add_task", task, tokens["worker"]);
  const shown = page.getByRole("region", { name: "Parameters" });
  const signIn = async (role: string) => {
    await page.getByLabel("Token").fill(tokens[role] ?? "");
    await page.getByRole("button", { name: "Sign in" }).click();
    await expect(shown).toContainText("2026-11-27");
  };
  await page.goto(`${server.url}#/task/Secret_1`);
  await signIn("viewer");
  await expect(page.getByLabel("hidden ones, too")).toHaveCount(0);
  await expect(page.locator("main")).not.toContainText("for the auditors");
  await page.getByRole("button", { name: "Sign out" }).click();
  await signIn("operator");
  await expect(page.locator("main")).not.toContainText("for the auditors");
  await page.getByLabel("hidden ones, too").check();
  await expect(shown).toContainText("note (hidden)for the auditors");
  const about = page.getByRole("region", { name: "About" });
  await expect(about.locator("code.wrap")).toHaveText(/Secret --day 2026-11-27$/);
  await expect(about).toContainText("Its hidden parameters are left out: note.");
  await expect(page.locator("body")).not.toContainText("correct horse");
});
