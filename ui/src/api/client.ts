// Asks the server. The page stands at the server's root, whatever path a proxy puts in front of it, so all
// addresses are relative.

import { asQuery, type Query } from "../route";

/** Why there is no answer, in the server's words. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

export const ROOT = "api/v1/";

/** Called when the server wants a token. */
let onSignedOut: () => void = () => {};

export function whenSignedOut(call: () => void): void {
  onSignedOut = call;
}

export function get<T>(path: string, query: Query | URLSearchParams = {}, signal?: AbortSignal): Promise<T> {
  const made = query instanceof URLSearchParams ? query : asQuery(query);
  const text = made.toString();
  return ask<T>(`${path}${text ? `?${text}` : ""}`, signal ? { signal } : {});
}

export function post<T>(path: string, body: unknown = undefined): Promise<T> {
  const init: RequestInit = { method: "POST" };
  if (body !== undefined) {
    init.body = JSON.stringify(body);
    init.headers = { "Content-Type": "application/json" };
  }
  return ask<T>(path, init);
}

export function remove(path: string): Promise<unknown> {
  return ask(path, { method: "DELETE" });
}

/** A path of parts that may hold anything. */
export function path(...parts: string[]): string {
  return parts.map(encodeURIComponent).join("/");
}

async function ask<T>(path: string, init: RequestInit): Promise<T> {
  let response: Response;
  try {
    response = await fetch(ROOT + path, { credentials: "same-origin", ...init });
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new ApiError(0, "unreachable", "the server cannot be reached");
  }
  const text = await response.text();
  if (response.ok) return (text ? JSON.parse(text) : undefined) as T;
  const error = refusal(response, text);
  if (error.status === 401 && path !== "session") onSignedOut();
  throw error;
}

function refusal(response: Response, text: string): ApiError {
  try {
    const { code, message } = JSON.parse(text).error;
    return new ApiError(response.status, String(code), String(message));
  } catch {
    return new ApiError(response.status, "unclear", `the server answered ${response.status} ${response.statusText}`);
  }
}
