// A scheduler of its own for each file of tests, with what tasks and workers tell it.

import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const BINARY = process.env["CONDOTTA"] ?? join(import.meta.dirname, "../../target/debug/condotta");
/** A Python that has our package: workers are started with it. */
const PYTHON = process.env["CONDOTTA_PYTHON"] ?? "python3";

export class Server {
  readonly folder = mkdtempSync(join(tmpdir(), "condotta-ui-"));
  port = 0;
  private process: ChildProcess | undefined;
  private readonly started: ChildProcess[] = [];

  constructor(private readonly arguments_: string[] = [], config = "") {
    writeFileSync(join(this.folder, "luigi.cfg"), config);
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}/`;
  }

  get stateDir(): string {
    return join(this.folder, "state");
  }

  async start(): Promise<this> {
    const child = spawn(
      BINARY,
      ["scheduler", "--port", String(this.port), "--state-dir", this.stateDir, "--config", join(this.folder, "luigi.cfg"), ...this.arguments_],
      { cwd: this.folder, stdio: ["ignore", "ignore", "pipe"] },
    );
    this.process = child;
    let log = "";
    this.port = await new Promise((resolve, reject) => {
      child.stderr?.on("data", (data) => {
        log += data;
        const found = /Listening on .*?127\.0\.0\.1:(\d+)/.exec(log);
        if (found && /State in/.test(log)) resolve(Number(found[1]));
      });
      child.on("exit", (code) => reject(new Error(`the server ended with ${code}: ${log}`)));
    });
    return this;
  }

  async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<void> {
    const child = this.process;
    if (!child || child.exitCode !== null) return;
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.kill(signal);
    await ended;
  }

  async end(): Promise<void> {
    for (const { pid } of this.started) {
      try {
        if (pid) process.kill(-pid, "SIGKILL");
      } catch {
        // It has ended.
      }
    }
    await this.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** Calls a method of Luigi's protocol. */
  async rpc(method: string, data: object, token?: string): Promise<any> {
    const response = await fetch(`${this.url}api/${method}`, {
      method: "POST",
      body: new URLSearchParams({ data: JSON.stringify(data) }),
      headers: token ? { Authorization: `Bearer ${token}` } : {},
    });
    if (!response.ok) throw new Error(`${method}: ${response.status} ${await response.text()}`);
    return (await response.json()).response;
  }

  async get(path: string): Promise<any> {
    const response = await fetch(`${this.url}api/v1/${path}`);
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return response.json();
  }

  async post(path: string): Promise<void> {
    const response = await fetch(`${this.url}api/v1/${path}`, { method: "POST" });
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  }

  add(task: { task_id: string } & Record<string, unknown>): Promise<any> {
    return this.rpc("add_task", { worker: "w1", ...task });
  }

  async addMany(tasks: object[]): Promise<void> {
    for (let from = 0; from < tasks.length; from += 1000) {
      const { refused } = await this.rpc("add_tasks", { worker: "w1", tasks: tasks.slice(from, from + 1000) });
      if (refused.length > 0) throw new Error(JSON.stringify(refused[0]));
    }
  }

  /** Has a worker take the next task. */
  async work(worker = "w1"): Promise<string> {
    return (await this.rpc("get_work", { worker, host: "here", current_tasks: [] })).task_id;
  }

  /** Starts a worker of ours for a task of the tests' pipeline. */
  runPipeline(...arguments_: string[]): void {
    this.run("pipeline", ...arguments_);
  }

  /** Starts a worker of ours for a task of a module beside the tests; it ends with the test at the latest. */
  run(module: string, ...arguments_: string[]): void {
    const child = spawn(PYTHON, ["-m", "luigi", "--module", module, ...arguments_, "--scheduler-url", this.url, "--no-lock"], {
      cwd: this.folder,
      env: { ...process.env, PYTHONPATH: import.meta.dirname },
      stdio: "ignore",
      // A group of its own, so that the processes of its tasks end with it.
      detached: true,
    });
    this.started.push(child);
  }

  /** Puts a file into the folder of the pipeline. */
  put(name: string): void {
    writeFileSync(join(this.folder, name), "");
  }

  /** What the command prints. */
  command(...arguments_: string[]): string {
    return execFileSync(BINARY, arguments_, { cwd: this.folder, encoding: "utf8" });
  }
}
