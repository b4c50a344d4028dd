// The shapes of the server's answers. Made of its OpenAPI document by `npm run types`; not to be edited.
// Times are seconds since 1970.

/** A server and its caller. */
export interface About {
  /** The name of the program. */
  name: string;
  /** Its version. */
  version: string;
  /** What the server's clock shows. */
  now: number;
  /** For how many seconds it runs. */
  uptime: number;
  /** Whether it has read its stored state and answers. */
  ready: boolean;
  /** Under which name the caller is known. */
  caller: string;
  /** What the caller may do: `viewer`, `worker` or `operator`. */
  role: string;
  /** What can be done here. */
  features: Features;
}

/** What is done to a task. */
export const Action = ["forgive", "re-enable", "done", "disable"] as const;
export type Action = (typeof Action)[number];

/** What became of a task. */
export interface ActionOutcome {
  /** The task. */
  task_id: string;
  /** Its status before. */
  before: TaskStatus;
  /** Its status now. */
  after: TaskStatus;
  /** Whether that changed anything. */
  changed: boolean;
  /** Why nothing changed. */
  note?: string | null;
}

/** A page of attempts, newest first. */
export interface AttemptPage {
  /** The attempts on this page. */
  items: AttemptRow[];
  /** Where the next page begins, for `after`; nothing after the last page. */
  next?: string | null;
}

/** An attempt. */
export interface AttemptRow {
  /** Its name. */
  id: string;
  /** The task. */
  task_id: string;
  /** The task's family. */
  family: string;
  /** Where the task's code is. */
  module?: string | null;
  /** The task's public parameters. */
  params: Record<string, string>;
  /** The task's hidden parameters, for operators. */
  hidden_params?: Record<string, string> | null;
  /** The number of the attempt among those of the task. */
  attempt: number;
  /** The worker that ran it. */
  worker?: string | null;
  /** That worker's host. */
  host?: string | null;
  /** When the task was announced first. */
  scheduled?: number | null;
  /** Since when nothing but resources and workers kept it from running. */
  ready?: number | null;
  /** When it began. */
  began: number;
  /** When it ended, if it has and that is known. */
  ended?: number | null;
  /** How it ended. */
  outcome: Outcome;
  /** How long it took, in seconds. */
  secs?: number | null;
  /** How long it waited for resources and a worker, in seconds. */
  waited_secs?: number | null;
  /** What the worker said of its failure. */
  error?: string | null;
  /** What the worker measured. */
  statistics?: Record<string, unknown> | null;
  /** The task's priority. */
  priority: number;
  /** What the run took of each resource. */
  resources: Record<string, number>;
  /** The batch in which it ran. */
  batch_id?: string | null;
  /** Where what it printed is, if that is kept. */
  log: string;
}

/** A page of the trail, newest first. */
export interface AuditPage {
  /** The entries on this page. */
  items: Entry[];
  /** Where the next page begins, for `after`; nothing after the last page. */
  next?: number | null;
}

/** An action on many tasks. */
export interface Bulk {
  /** What is done to each. */
  action: Action;
  /** The ids of the tasks, at most 1000; or else a filter. */
  tasks?: string[] | null;
  /** Which tasks, as the query of `tasks` says it: `status=FAILED&family=Load`. It has to say something; order and pages have no place in it. */
  filter?: string | null;
  /** How many tasks a filter takes at most; 1000 if it is not said. */
  most?: number | null;
}

/** What became of many tasks. */
export interface BulkOutcome {
  /** How many tasks were asked for, or fit the filter. */
  matched: number;
  /** How many of them changed. */
  changed: number;
  /** How many of them were found and stayed as they were. */
  unchanged: number;
  /** How many of them are not known, or went meanwhile. */
  unknown: number;
  /** How many fit the filter and were left for another time, because they are too many. */
  left: number;
  /** What became of each, of the first 1000. */
  outcomes: ActionOutcome[];
}

/** What is counted together. */
export const By = ["day", "hour"] as const;
export type By = (typeof By)[number];

/** How it stands with the end of a run. */
export interface CancelState {
  /** The task; for a member of a batch that runs, the combined task. */
  task_id: string;
  /** The number of its current or last attempt. */
  attempt: number;
  /** The worker of that attempt. */
  worker?: string | null;
  /** The task's status. */
  status: string;
  /** Whether it runs, and its worker can end runs: stock Luigi's cannot. */
  can_be_cancelled: boolean;
  /** Whether the end of the run was asked for, and it has not ended. */
  asked: boolean;
  /** Who asked, or who had the last run ended if the task is disabled for that. */
  by?: string | null;
  /** When it was asked. */
  at?: number | null;
  /** What the worker said to that. */
  answer?: string | null;
  /** Whether it said that it cannot: the run goes on. */
  refused: boolean;
  /** How it stands, in a sentence. */
  note: string;
}

/** How many tasks there are of each status. */
export interface Counts {
  PENDING: number;
  RUNNING: number;
  BATCH_RUNNING: number;
  DONE: number;
  FAILED: number;
  DISABLED: number;
  UNKNOWN: number;
}

/** How many tasks there were of each status at a time. */
export interface CountsSample {
  /** When that was. */
  at: number;
  /** The tasks by status. */
  counts: Counts;
}

/** How many tasks there were of each status. */
export interface CountsSeries {
  /** How many seconds there are between two samples. */
  every: number;
  /** The samples, oldest first. None are older than the server's start. */
  samples: CountsSample[];
}

/** How long attempts took that ended on a day. */
export interface Day {
  /** When the day began. */
  began: number;
  /** How many there were. */
  count: number;
  /** What half of them did not exceed, in seconds. */
  median?: number | null;
  /** What 95 of a hundred did not exceed, in seconds. */
  p95?: number | null;
  /** The longest, in seconds. */
  max?: number | null;
}

/** Why a task can never run. */
export const DeadEndKind = ["cycle", "never_announced", "need_above_limit"] as const;
export type DeadEndKind = (typeof DeadEndKind)[number];

/** A page of dead ends. */
export interface DeadEnds {
  /** The dead ends on this page. */
  items: Stuck[];
  /** How many there are on all pages. */
  total: number;
}

/** Which way to go. */
export const Direction = ["up", "down", "both"] as const;
export type Direction = (typeof Direction)[number];

/** How long attempts took that succeeded, in seconds. Percentiles of families are at most 8% too long, those of tasks exact. */
export interface Durations {
  /** How many there were. */
  count: number;
  /** What half of them did not exceed. */
  median?: number | null;
  /** What nine of ten did not exceed. */
  p90?: number | null;
  /** What 95 of a hundred did not exceed. */
  p95?: number | null;
  /** The longest. */
  max?: number | null;
  /** All of them together. */
  total: number;
  /** The same of each day of UTC on which some ended. */
  days: Day[];
}

/** Something that was done. */
export interface Entry {
  /** Its number; later entries have greater ones. */
  id: number;
  /** When. */
  at: number;
  /** Who: the name of the token, or what stands for one where none is asked for. `unknown` where none was good. */
  by: string;
  /** How they were let in. */
  let_in_by: LetInBy;
  /** From which address; that of a proxy, if there is one between. Nothing over a Unix socket. */
  address?: string | null;
  /** What was done, such as `forgive`. */
  operation: string;
  /** To what: the id of a task or worker, or the name of a resource, token or webhook. Nothing for the scheduler as a whole, and for many tasks at once. Of a refused request, its verb and path. */
  on?: string | null;
  /** What else there is to say, such as the new limit. If nothing changed, `outcome` is `unchanged`, and `note` says why; if only the first of many tasks were done before something failed, `outcome` is `failed`. */
  details: Record<string, unknown>;
}

/** Why a request got no answer. */
export interface Error {
  /** What went wrong. */
  error: ErrorBody;
}

/** What went wrong, for programs and for people. */
export interface ErrorBody {
  /** A word for programs, such as `not_found`. */
  code: string;
  /** A sentence for people: what, where, and what to do next. */
  message: string;
}

/** What an event is about. */
export const EventKind = ["status", "progress", "trouble", "worker", "limit", "paused", "counts", "hello", "reset"] as const;
export type EventKind = (typeof EventKind)[number];

/** All families. */
export interface Families {
  /** The namespaces, by name. */
  namespaces: Namespace[];
  /** Whether there are more families than are told apart: then those found later are missing. */
  cut: boolean;
}

/** A family. */
export interface Family {
  /** The family, with the namespace in front. */
  family: string;
  /** Its tasks by status. */
  counts: Counts;
  /** How many tasks those are. */
  total: number;
}

/** All families of which attempts ended. */
export interface FamilyHistories {
  /** The families, by name. */
  items: FamilyHistory[];
}

/** What became of a family's attempts. */
export interface FamilyHistory {
  /** The family. */
  family: string;
  /** How many ended how. */
  outcomes: Record<string, number>;
  /** How long those took that succeeded; without the days. */
  durations: Durations;
}

/** What can be done here, as this server is configured. */
export interface Features {
  /** The scheduler can be paused. */
  pause: boolean;
  /** Running tasks can be sent messages. */
  messages: boolean;
  /** Changes are told as they happen, at `events`. */
  events: boolean;
}

/** How a log is written. */
export const Format = ["text", "json", "events"] as const;
export type Format = (typeof Format)[number];

/** A part of the graph of tasks. */
export interface Graph {
  /** The tasks, nearest first; the first is the one that was asked for. */
  nodes: Node[];
  /** Which of them depend on which: pairs of places in `nodes`, of which the first depends on the second. */
  edges: number[][];
  /** Whether there is more that fits what was asked for, but for the number of nodes. */
  cut: boolean;
}

/** How many attempts ended how, and when. */
export interface HistoryCounts {
  /** In order; those in which none ended are left out. */
  items: Period[];
}

/** By what somebody was let in. */
export const LetInBy = ["token", "unix_socket", "nothing", "command", "refused"] as const;
export type LetInBy = (typeof LetInBy)[number];

/** What a new limit changed. */
export interface LimitSet {
  /** The resource. */
  resource: string;
  /** Its limit before; nothing if nobody had said one. */
  before?: number | null;
  /** Its limit now. */
  limit: number;
  /** Whether that changed anything. */
  changed: boolean;
  /** Whether a task needs it, or it had a limit. Otherwise the name may be misspelt. */
  known: boolean;
  /** Of one that is not known, resources of nearly the same name. */
  near: string[];
}

/** A message to a task. */
export interface Message {
  /** The text. */
  content: string;
}

/** A message's answer. */
export interface MessageAnswer {
  /** The task. */
  task_id: string;
  /** The message. */
  message_id: string;
  /** What the task answered; nothing as long as it has not. */
  response?: string | null;
}

/** A message on its way. */
export interface MessageSent {
  /** The task. */
  task_id: string;
  /** The message's id, under which its answer is found. */
  message_id: string;
  /** The worker that will fetch it. */
  worker: string;
}

/** The families of a namespace. */
export interface Namespace {
  /** The namespace; empty for families in none. */
  namespace: string;
  /** Its tasks by status. */
  counts: Counts;
  /** How many tasks those are. */
  total: number;
  /** Its families, by name. */
  families: Family[];
}

/** How much there is to be of a resource. */
export interface NewLimit {
  /** The limit; 0 for none of it. */
  limit: number;
}

/** A task in a graph. */
export interface Node {
  /** Its id. */
  id: string;
  /** Its family; empty if that is not known. */
  family: string;
  /** The namespace of that. */
  namespace: string;
  /** Its display name, cut where it is long. */
  display_name: string;
  status?: TaskStatus | null;
  /** Its distance from the first: below 0 for what that depends on, above for what depends on it. */
  depth: number;
  /** When it was last handed out. */
  started?: number | null;
  /** When its status changed last. */
  updated?: number | null;
  /** How far its run is, in percent. */
  progress?: number | null;
  /** Whether it depends on tasks that may not be shown. */
  more_up: boolean;
  /** Whether tasks depend on it that may not be shown. */
  more_down: boolean;
}

/** What operators do. */
export const Operation = ["forgive", "re_enable", "done", "disable", "cancel", "send_message", "pause", "unpause", "prune", "disable_worker", "set_processes", "set_limit", "create_token", "revoke_token", "test_webhook", "refuse"] as const;
export type Operation = (typeof Operation)[number];

/** How an attempt ended, or that it has not. */
export const Outcome = ["running", "done", "failed", "lost", "suspended", "returned", "marked_done", "timed_out", "cancelled", "unknown"] as const;
export type Outcome = (typeof Outcome)[number];

/** Whether anything is handed out. */
export interface PauseOutcome {
  /** Whether nothing is handed out now. */
  paused: boolean;
  /** Whether that changed. */
  changed: boolean;
}

/** A day or an hour. */
export interface Period {
  /** When it began. */
  began: number;
  /** How many ended how. */
  outcomes: Record<string, number>;
}

/** How many processes a worker is to have. */
export interface Processes {
  /** The number of processes. */
  n: number;
}

/** What was due. */
export interface PruneOutcome {
  /** How many tasks there were. */
  before: number;
  /** How many there are now. */
  after: number;
}

/** A resource. */
export interface Resource {
  /** Its name. */
  name: string;
  /** How much there is of it. */
  limit: number;
  /** Whether somebody said that limit; otherwise it is 1. */
  limit_is_said: boolean;
  /** How much of it runs take. */
  used: number;
  /** How many tasks take some of it. */
  takers: number;
  /** Tasks that take some of it, at most 100. */
  running: Share[];
  /** How many tasks need some of it, and are ready but for resources and workers. */
  waiters: number;
  /** Such tasks, at most 100. */
  waiting: Share[];
}

/** All resources. */
export interface Resources {
  /** Those that have a limit or that a task needs, by name. */
  items: Resource[];
  /** Whether there are more than are shown. */
  cut: boolean;
}

/** How failures of a task are answered. */
export interface Retry {
  /** How many failures count now. */
  failures: number;
  /** This many disable the task. */
  retry_count?: number | null;
  /** A failure this many seconds or more after the first one disables the task. */
  disable_hard_timeout?: number | null;
  /** Seconds for which a failure counts. */
  disable_window?: number | null;
}

/** Who asks. */
export interface Session {
  /** The name of the caller's token, or what stands for it where none is asked for. */
  name: string;
  /** What the caller may do: `viewer`, `worker` or `operator`. */
  role: string;
}

/** The settings in force, under the names that they have in section `[scheduler]` of luigi.cfg. */
export interface Settings {
  /** Seconds for which a failed task waits before it is pending again; negative is for ever. */
  retry_delay: number;
  /** Seconds after which a task that no connected worker has a stake in is dropped. */
  remove_delay: number;
  /** Seconds of silence after which a worker counts as lost. */
  worker_disconnect_delay: number;
  /** Seconds for which a failure counts. */
  disable_window: number;
  /** This many failures within the window disable a task. */
  retry_count: number;
  /** A failure this many seconds or more after the first one disables a task. */
  disable_hard_timeout: number;
  /** Seconds for which a task that failed too often stays disabled. */
  disable_persist: number;
  /** The most tasks in a list of Luigi's methods. */
  max_shown_tasks: number;
  /** The most nodes in a graph of Luigi's methods. */
  max_graph_nodes: number;
  /** Whether each request for work prunes first. */
  prune_on_get_work: boolean;
  /** Whether the scheduler can be paused. */
  pause_enabled: boolean;
  /** Whether running tasks can be sent messages. */
  send_messages: boolean;
  /** Seconds for which a finished task cannot be announced as pending again. */
  stable_done_cooldown_secs: number;
}

/** What a task takes or needs of a resource. */
export interface Share {
  /** The task. */
  task_id: string;
  /** Its display name, cut where it is long. */
  display_name: string;
  /** How much. */
  amount: number;
}

/** By what tasks are sorted. Tasks that are equal in that are sorted by their ids. */
export const Sort = ["id", "-id", "family", "-family", "status", "-status", "priority", "-priority", "created", "-created", "started", "-started", "updated", "-updated"] as const;
export type Sort = (typeof Sort)[number];

/** How far to look back. */
export const Span = ["hour", "day"] as const;
export type Span = (typeof Span)[number];

/** A task that can never run. */
export interface Stuck {
  /** The task. */
  task: TaskLink;
  /** What kind of reason it is. */
  kind: DeadEndKind;
  /** The reason, in words that go on from "the task can never run:". */
  reason: string;
}

/** What is kept now. */
export interface Taken {
  /** The attempt's id. */
  id: string;
  /** The number of the last piece that is kept. */
  last: number;
}

/** All that is known of a task. */
export interface TaskDetail {
  /** What lists show of it. Its parameters and texts may be cut there; they are whole below. */
  task: TaskRow;
  /** Its public parameters. */
  params: Record<string, string>;
  /** Its hidden parameters, if they were asked for. */
  hidden_params?: Record<string, string> | null;
  /** Where its code is: a Python module, or `rust:` and the name of a program. */
  module?: string | null;
  /** The command line that runs it again, with its public parameters. */
  rerun_command?: string | null;
  /** The hidden parameters that this command leaves out, by name. Nothing is known of private ones. */
  rerun_leaves_out: string[];
  /** What the run said last. */
  status_message?: string | null;
  /** What went wrong in its last attempt, as its worker said it. */
  error?: string | null;
  /** Whether the error is longer than is shown. */
  error_is_cut: boolean;
  /** The workers that can run it. */
  workers: string[];
  /** What the current or last run takes; it may give back a part as it runs. */
  resources_running?: Record<string, number> | null;
  /** How failures are answered. */
  retry: Retry;
  /** When it is dropped, because no worker wants it any more. */
  removed_at?: number | null;
  /** The batch that it runs in. */
  batch_id?: string | null;
  /** Whether a run reads messages; nothing while it does not run, or where messages are off. */
  accepts_messages?: boolean | null;
  /** Disabled tasks: whether an operator can enable it again. */
  can_be_enabled?: boolean | null;
  /** What it depends on, at most 1000 of it. */
  dependencies: TaskLink[];
  /** What depends on it, at most 1000 of it. */
  dependants: TaskLink[];
}

/** Another task as a task's neighbour shows it. */
export interface TaskLink {
  /** Its id. */
  id: string;
  /** `Family(name=value, …)`, cut where it is long; the id, where the family is not known. */
  display_name: string;
  status?: TaskStatus | null;
}

/** A page of tasks. */
export interface TaskPage {
  /** The tasks on this page. */
  items: TaskRow[];
  /** How many tasks there are on all pages. */
  total: number;
  /** How many tasks of each status there would be, were the status not said. */
  counts: Counts;
  /** Where the next page begins, for `after`; nothing after the last page. */
  next?: string | null;
}

/** A task in a list. Long texts are cut, and end with `…` then. */
export interface TaskRow {
  /** The task's id. */
  id: string;
  /** Its class, with the namespace in front. */
  family: string;
  /** The namespace; empty for none. */
  namespace: string;
  /** `Family(name=value, …)`, over public parameters; the id, where the family is not known. */
  display_name: string;
  /** Whether a worker announced it; else it is only what others depend on. */
  is_announced: boolean;
  /** Its public parameters. */
  params: Record<string, string>;
  /** Its status. */
  status: TaskStatus;
  upstream_status?: UpstreamStatus | null;
  /** Higher runs first; raised by what depends on it. */
  priority: number;
  /** What a run takes. */
  resources: Record<string, number>;
  /** The worker that runs it or ran it last. */
  worker?: string | null;
  /** The number of its current or last attempt; 0 before the first. */
  attempt: number;
  /** The name of that attempt. */
  attempt_id?: string | null;
  /** When it was first announced. */
  created: number;
  /** When it was last handed out. */
  started?: number | null;
  /** When its status changed last. */
  updated: number;
  /** When a failed task is tried again. */
  retry_at?: number | null;
  /** Until when it is disabled, if it is not for ever. */
  disabled_until?: number | null;
  /** How far the run is, in percent. */
  progress?: number | null;
  /** What the run said last. */
  status_message?: string | null;
  /** Where the run can be watched; only addresses with http or https. */
  tracking_url?: string | null;
  /** How many tasks it depends on. */
  dependencies: number;
  /** How many tasks depend on it. */
  dependants: number;
}

/** A task's status. */
export const TaskStatus = ["PENDING", "RUNNING", "BATCH_RUNNING", "DONE", "FAILED", "DISABLED", "UNKNOWN"] as const;
export type TaskStatus = (typeof TaskStatus)[number];

/** All tokens. */
export interface TokenList {
  /** In the order in which they were made. */
  items: TokenRow[];
}

/** A new token. */
export type TokenMade = unknown;

/** A token that is of no use any more. */
export interface TokenRevoked {
  /** Its name. */
  revoked: string;
}

/** What a token permits. */
export const TokenRole = ["viewer", "worker", "operator"] as const;
export type TokenRole = (typeof TokenRole)[number];

/** A token; its secret is kept nowhere. */
export interface TokenRow {
  /** Who has it. */
  name: string;
  /** What it permits. */
  role: TokenRole;
  /** When it was made. */
  created: number;
  /** From when on it is of no use; nothing if it is good for ever. */
  expires?: number | null;
  /** Whether its time is over. */
  expired: boolean;
}

/** A token to be made. */
export interface TokenWanted {
  /** Who gets it, such as the name of a person, team or machine: 1 to 100 letters, digits and any of `-`, `_`, `.`, `@`. */
  name: string;
  /** What it permits. */
  role: TokenRole;
  /** For how many seconds it is good; for ever if it is not said. */
  lasts_secs?: number | null;
}

/** How things stand, in numbers. */
export interface Totals {
  /** Tasks by status. */
  counts: Counts;
  /** How many tasks those are. */
  total: number;
  /** How many workers are connected. */
  workers: number;
  /** How many tasks can never run as things are. */
  dead_ends: number;
  /** Whether nothing is handed out. */
  paused: boolean;
}

/** The worst that a pending task waits for. */
export const UpstreamStatus = ["UPSTREAM_RUNNING", "UPSTREAM_MISSING_INPUT", "UPSTREAM_FAILED", "UPSTREAM_DISABLED"] as const;
export type UpstreamStatus = (typeof UpstreamStatus)[number];

/** A webhook. Its address may be a secret, and is not shown. */
export interface Webhook {
  /** Its name. */
  name: string;
  /** The host that it sends to. */
  host: string;
  /** What it tells of. */
  events: string[];
  /** How many messages were taken. */
  sent: number;
  /** How many were given up. */
  failed: number;
  /** How many events wait. */
  queued: number;
}

/** Whether a webhook works. */
export interface WebhookTest {
  /** The webhook. */
  name: string;
  /** Whether the receiver took the message. */
  taken: boolean;
  /** Why not. */
  reason?: string | null;
}

/** All webhooks. */
export interface Webhooks {
  /** In the order of the configuration. */
  items: Webhook[];
}

/** What holds a task up. */
export interface Why {
  /** The task. */
  task_id: string;
  /** Its display name. */
  name: string;
  status?: TaskStatus | null;
  /** Whether the scheduler is paused. */
  paused: boolean;
  /** The answer in sentences. */
  text: string;
  /** The same in pieces: a text, a task (`task_id`, `name`), a `worker` or a `time`. */
  words: unknown[];
  /** The facts behind it; `kind` says which there are. */
  hold: Record<string, unknown>;
}

/** Whether a worker gets work. */
export const WorkerActivity = ["active", "disabled"] as const;
export type WorkerActivity = (typeof WorkerActivity)[number];

/** A worker, with what it runs. */
export interface WorkerDetail {
  /** What lists show of it. */
  worker: WorkerRow;
  /** The tasks that it runs, at most 1000 of them. */
  running: TaskRow[];
}

/** What became of a worker. */
export interface WorkerOutcome {
  /** The worker. */
  worker: string;
  /** Whether that changed anything. */
  changed: boolean;
}

/** A page of workers. */
export interface WorkerPage {
  /** The workers on this page, the latest first. */
  items: WorkerRow[];
  /** How many workers are connected. */
  total: number;
}

/** A worker. */
export interface WorkerRow {
  /** Its id. */
  id: string;
  /** Whether it gets work. */
  state: WorkerActivity;
  /** When it was first heard of. */
  started: number;
  /** When it was last heard of. */
  last_active: number;
  /** How many tasks it runs. */
  running: number;
  /** How many pending tasks it can run. */
  pending: number;
  /** How many of them nobody else can run. */
  unique: number;
  /** How many messages to it it has not fetched. */
  unread_messages: number;
  /** The display name of the first task that it announced; empty if that is not known. */
  first_task: string;
  /** What it says of itself, such as `host`, `pid`, `username` and `workers`, its processes. */
  info: Record<string, unknown>;
}
