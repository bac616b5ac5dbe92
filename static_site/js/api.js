// API Gateway's own time-out is 29 seconds.
const TIMEOUT_MS = 30_000;

const KIND_OF_STATUS = {
  413: "too-long",
  422: "nothing-readable",
  429: "busy",
  501: "not-explainable",
  503: "unavailable",
  504: "unavailable",
};

/**
 * Why there is no answer. `kind` is a key of FAILURES in text.js, `detail` the server's own message or "", `retryAfter`
 * the seconds that it asks to wait, or null.
 */
export class Failure extends Error {
  constructor(kind, { detail = "", retryAfter = null } = {}) {
    super(detail || kind);
    this.kind = kind;
    this.detail = detail;
    this.retryAfter = retryAfter;
  }
}

/** Read config.json, which the deployment writes; an empty `apiUrl` is the page's own origin. Throws Failure. */
export async function loadSettings() {
  try {
    const { apiUrl } = await exchange({ url: "config.json", cache: "no-cache" });
    if (typeof apiUrl !== "string") throw new Failure("settings");
    return { apiUrl: new URL(apiUrl || "/", location.href).href };
  } catch {
    throw new Failure("settings");
  }
}

/** Read cost.json, which `python -m classifier_infra cost --json` writes; returns null if it is missing or invalid. */
export async function loadCost() {
  try {
    const { messages_a_day: messagesADay, prices, modes } = await exchange({ url: "cost.json", cache: "no-cache" });
    const perThousand = Object.entries(modes).map(([mode, cost]) => [mode, cost.per_thousand]);
    const figures = [messagesADay, ...perThousand.map(([, dollars]) => dollars)];
    if (!figures.every(Number.isFinite)) return null;
    return { messagesADay, perThousand, region: String(prices.region), readOn: String(prices.as_of) };
  } catch {
    return null;
  }
}

/** Client of the API. Its methods throw Failure only. */
export class Api {
  #baseUrl;
  #newest = null;

  /** `baseUrl` is absolute and may end with a stage (`…/prod`). */
  constructor(baseUrl) {
    this.#baseUrl = baseUrl.replace(/\/$/, "");
  }

  /** Return the facets and labels of the model in use. */
  labels() {
    return exchange({ url: `${this.#baseUrl}/labels` });
  }

  /** Return the request that classifies `text`, for `fetch` and for curl. */
  requestFor(text) {
    return {
      url: `${this.#baseUrl}/blazingtext`,
      method: "PUT",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ body: text }),
    };
  }

  /** Return the contribution of each word of `text` to the score of `label`. */
  explain(text, label) {
    const headers = { "Content-Type": "application/json" };
    return exchange({ url: `${this.#baseUrl}/explain`, method: "POST", headers, body: JSON.stringify({ text, label }) });
  }

  /** Return `{ answer, milliseconds }`, or null if a newer request has replaced this one. */
  async classify(text) {
    this.abort();
    const own = (this.#newest = new AbortController());
    const started = performance.now();
    try {
      const answer = await exchange(this.requestFor(text), own);
      return own === this.#newest ? { answer, milliseconds: performance.now() - started } : null;
    } catch (failure) {
      if (own === this.#newest) throw failure;
      return null;
    }
  }

  /** Abort the newest classification. */
  abort() {
    this.#newest?.abort();
    this.#newest = null;
  }
}

async function exchange({ url, ...options }, controller = new AbortController()) {
  const timer = setTimeout(() => controller.abort(), TIMEOUT_MS);
  try {
    const response = await fetch(url, { ...options, signal: controller.signal });
    return readResponse(response, await response.text());
  } catch (error) {
    throw error instanceof Failure ? error : new Failure(whyUnanswered(controller.signal));
  } finally {
    clearTimeout(timer);
  }
}

function whyUnanswered(signal) {
  if (signal.aborted) return "timeout";
  return navigator.onLine ? "unreachable" : "offline";
}

function readResponse(response, text) {
  const content = parseJson(text);
  if (!response.ok) throw refusal(response, content);
  if (content === null || typeof content !== "object") throw new Failure("invalid");
  return content;
}

function parseJson(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function refusal({ status, headers }, content) {
  const kind = KIND_OF_STATUS[status] ?? (status >= 500 ? "broken" : "refused");
  // API Gateway's own refusals are {"message": …}, the API's are {"error": {"message": …}}.
  const detail = content?.error?.message ?? content?.message ?? "";
  return new Failure(kind, { detail, retryAfter: Number.parseInt(headers.get("Retry-After"), 10) || null });
}
