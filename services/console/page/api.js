// Requests to the console and to the services' own public API, always on the same host.
import { brought, refusedBy } from "./token.js";

/** What was wrong with a request, as the server or the network said it. */
export class Problem extends Error {
  constructor(status, title, detail, errors = []) {
    super(detail || title);
    this.status = status;
    this.title = title;
    this.errors = errors;
  }

  /** What the server said about one field, if anything. */
  field(name) {
    const wrong = this.errors.find((error) => error.field === name || error.field?.startsWith(`${name}.`));
    return wrong ? wrong.message : null;
  }
}

export const get = (path) => request("GET", path);
export const post = (path, body, headers) => request("POST", path, body, headers);
export const put = (path, body) => request("PUT", path, body);
export const patch = (path, body) => request("PATCH", path, body);
export const remove = (path) => request("DELETE", path);

/** A path with those parameters that have a value. */
export function query(path, parameters) {
  const present = Object.entries(parameters).filter(([, value]) => value !== null && value !== undefined && value !== "");
  return present.length === 0 ? path : `${path}?${new URLSearchParams(present)}`;
}

/** JSON in which an integer that a double cannot hold becomes a text, so that no digit is lost. */
export function parse(text) {
  if (!/\d{16}/.test(text)) return JSON.parse(text);
  const quoted = text.replace(/"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g, (token) =>
    /^-?\d{16,}$/.test(token) && !Number.isSafeInteger(Number(token)) ? `"${token}"` : token,
  );
  return JSON.parse(quoted);
}

/** The `traceparent` of a new trace that every service shall record. */
export function sampledTrace() {
  const hex = (bytes) => [...crypto.getRandomValues(new Uint8Array(bytes))].map((b) => b.toString(16).padStart(2, "0")).join("");
  return `00-${hex(16)}-${hex(8)}-01`;
}

/** A key for one intention: repeated with it, a request has no second effect. */
export function intention() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((b) => b.toString(16).padStart(2, "0")).join("");
}

/** A file as its bytes. */
export async function bytes(path) {
  try {
    const response = await fetch(path, { headers: brought() });
    if (response.ok) return new Uint8Array(await response.arrayBuffer());
    throw refused(response, await response.text());
  } catch (error) {
    throw error instanceof Problem ? error : new Problem(0, "network", String(error.message ?? error));
  }
}

/** For a link to a file: fetches it, where the link alone would be refused because it brings no token. */
export async function bringFile(event) {
  if (!brought().authorization) return;
  event.preventDefault();
  const link = event.currentTarget;
  const found = document.createElement("a");
  found.href = URL.createObjectURL(new Blob([await bytes(link.href)]));
  found.download = link.dataset.file;
  found.click();
  // The browser may not have begun to read it.
  setTimeout(() => URL.revokeObjectURL(found.href), 60_000);
}

async function request(method, path, body, headers = {}) {
  const sent = { ...headers, ...brought(), accept: "application/json" };
  // Also without a body: no form of another site can send this content type.
  if (method !== "GET") sent["content-type"] = "application/json";
  let response;
  try {
    response = await fetch(path, { method, headers: sent, body: body === undefined ? undefined : JSON.stringify(body) });
  } catch (error) {
    throw new Problem(0, "network", String(error.message ?? error));
  }
  const text = await response.text();
  if (response.ok) return text ? parse(text) : null;
  throw refused(response, text);
}

function refused(response, text) {
  refusedBy(response.status);
  try {
    const problem = parse(text);
    return new Problem(response.status, problem.title ?? response.statusText, problem.detail ?? "", problem.errors ?? []);
  } catch {
    return new Problem(response.status, `${response.status} ${response.statusText}`.trim(), "");
  }
}
