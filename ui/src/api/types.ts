// The shapes of the answers, as the server's OpenAPI document describes them. Times are seconds since 1970.

export const STATUSES = ["PENDING", "RUNNING", "BATCH_RUNNING", "DONE", "FAILED", "DISABLED", "UNKNOWN"] as const;
export type Status = (typeof STATUSES)[number];
export type Counts = Record<Status, number>;

export const UPSTREAM_STATUSES = [
  "UPSTREAM_RUNNING",
  "UPSTREAM_MISSING_INPUT",
  "UPSTREAM_FAILED",
  "UPSTREAM_DISABLED",
] as const;
export type UpstreamStatus = (typeof UPSTREAM_STATUSES)[number];

export type Role = "viewer" | "worker" | "operator";

export interface About {
  name: string;
  version: string;
  now: number;
  uptime: number;
  ready: boolean;
  caller: string;
  role: Role;
  features: Record<string, boolean | undefined>;
}

export interface Totals {
  counts: Counts;
  total: number;
  workers: number;
  dead_ends: number;
  paused: boolean;
}

export interface TaskRow {
  id: string;
  family: string;
  namespace: string;
  display_name: string;
  params: Record<string, string>;
  status: Status;
  upstream_status: UpstreamStatus | null;
  priority: number;
  resources: Record<string, number>;
  worker: string | null;
  attempt: number;
  attempt_id: string | null;
  created: number;
  started: number | null;
  updated: number;
  retry_at: number | null;
  disabled_until: number | null;
  progress: number | null;
  status_message: string | null;
  tracking_url: string | null;
  dependencies: number;
  dependants: number;
}

export interface TaskPage {
  items: TaskRow[];
  total: number;
  counts: Counts;
  next: string | null;
}

export interface TaskLink {
  id: string;
  display_name: string;
  status: Status | null;
}

export interface TaskDetail {
  task: TaskRow;
  params: Record<string, string>;
  hidden_params: Record<string, string> | null;
  module: string | null;
  rerun_command: string | null;
  status_message: string | null;
  error: string | null;
  error_is_cut: boolean;
  workers: string[];
  resources_running: Record<string, number> | null;
  retry: {
    failures: number;
    retry_count: number | null;
    disable_hard_timeout: number | null;
    disable_window: number | null;
  };
  removed_at: number | null;
  batch_id: string | null;
  accepts_messages: boolean | null;
  can_be_enabled: boolean | null;
  dependencies: TaskLink[];
  dependants: TaskLink[];
}

/** What holds a task, in words. */
export interface Why {
  text: string;
  /** The same in pieces, of which some name tasks, workers or times. */
  words: (string | { task_id: string; name: string } | { worker: string } | { time: string | number | null })[];
}

export interface Families {
  namespaces: {
    namespace: string;
    counts: Counts;
    total: number;
    families: { family: string; counts: Counts; total: number }[];
  }[];
  cut: boolean;
}

export interface WorkerRow {
  id: string;
  state: "active" | "disabled";
  started: number;
  last_active: number;
  running: number;
  pending: number;
  unique: number;
  unread_messages: number;
  first_task: string;
  info: Record<string, unknown>;
}

export interface WorkerDetail {
  worker: WorkerRow;
  running: TaskRow[];
}

export interface Share {
  task_id: string;
  display_name: string;
  amount: number;
}

export interface Resource {
  name: string;
  limit: number;
  limit_is_said: boolean;
  used: number;
  takers: number;
  running: Share[];
  waiters: number;
  waiting: Share[];
}

export interface GraphNode {
  id: string;
  family: string;
  namespace: string;
  display_name: string;
  status: Status | null;
  depth: number;
  started: number | null;
  updated: number | null;
  progress: number | null;
  more_up: boolean;
  more_down: boolean;
}

export interface Graph {
  nodes: GraphNode[];
  /** Pairs of places in `nodes`, of which the first depends on the second. */
  edges: [number, number][];
  cut: boolean;
}

export interface DeadEnds {
  items: { task: TaskLink; kind: string; reason: string }[];
  total: number;
}

export interface Outcome {
  task_id: string;
  before: Status;
  after: Status;
  changed: boolean;
  note: string | null;
}

export interface BulkOutcome {
  matched: number;
  changed: number;
  unchanged: number;
  unknown: number;
  left: number;
  outcomes: Outcome[];
}

export interface Page<T> {
  items: T[];
  total: number;
}

export const OUTCOMES = [
  "running", "done", "failed", "lost", "suspended", "returned", "marked_done", "timed_out", "cancelled", "unknown",
] as const;
export type Ending = (typeof OUTCOMES)[number];

export interface Attempt {
  id: string;
  task_id: string;
  family: string;
  params: Record<string, string>;
  attempt: number;
  worker: string | null;
  host: string | null;
  began: number;
  ended: number | null;
  outcome: Ending;
  /** How long it took, in seconds. */
  secs: number | null;
  /** How long it waited for resources and a worker before, in seconds. */
  waited_secs: number | null;
  error: string | null;
}

export interface AttemptPage {
  items: Attempt[];
  next: string | null;
}

export interface Durations {
  count: number;
  median: number | null;
  p90: number | null;
  p95: number | null;
  max: number | null;
  total: number;
  days: { began: number; count: number; median: number | null; p95: number | null; max: number | null }[];
}

export interface FamilyHistory {
  family: string;
  outcomes: Partial<Record<Ending, number>>;
  durations: Durations;
}

/** How many attempts ended how, in a day or an hour that began then. */
export interface Period {
  began: number;
  outcomes: Partial<Record<Ending, number>>;
}
