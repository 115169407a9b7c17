// The ADMIN_TOKEN, where the services ask for one. It is kept until the tab is closed, and nowhere else.

const KEY = "spillway-admin-token";

const watchers = new Set();
let current = { token: stored(), refused: false };

/** The token, and whether a request was refused with it or for want of it. */
export const admin = {
  get: () => current,
  watch(watcher) {
    watchers.add(watcher);
    return () => watchers.delete(watcher);
  },
};

/** What a request brings along, if there is anything to bring. */
export function brought() {
  return current.token === "" ? {} : { authorization: `Bearer ${current.token}` };
}

/** A server said that it was not let in. */
export function refusedBy(status) {
  if (status === 401 && !current.refused) become({ ...current, refused: true });
}

/** From now on this one. Whether it outlives the reload of the page. */
export function takeToken(token) {
  become({ token, refused: false });
  try {
    globalThis.sessionStorage?.setItem(KEY, token);
    return stored() === token;
  } catch {
    return false;
  }
}

function become(next) {
  current = next;
  for (const watcher of [...watchers]) watcher(current);
}

function stored() {
  try {
    return globalThis.sessionStorage?.getItem(KEY) ?? "";
  } catch {
    return "";
  }
}
