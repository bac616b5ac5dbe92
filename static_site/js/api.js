// API Gateway gives up after 29 seconds; an answer later than that will not come.
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
 * Why there is no answer. `kind` is a key of the table in words.js, `detail` the server's own sentence ("" where it
 * gave none), `retryAfter` the seconds it asks to wait (null where it does not say).
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

/** Read cost.json, which `python -m classifier_infra cost --json` writes; null where there is none that can be read. */
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

/** The one way to the server. Every method throws Failure and nothing else. */
export class Api {
  #baseUrl;
  #newest = null;

  /** `baseUrl` is absolute; a stage at its end (`…/prod`) is kept. */
  constructor(baseUrl) {
    this.#baseUrl = baseUrl.replace(/\/$/, "");
  }

  /** Give the facets and labels of the model in use. */
  labels() {
    return exchange({ url: `${this.#baseUrl}/labels` });
  }

  /** Give the request that classifies `text`, as `fetch` and curl need it. */
  requestFor(text) {
    return {
      url: `${this.#baseUrl}/blazingtext`,
      method: "PUT",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ body: text }),
    };
  }

  /** Give what each word of `text` adds to `label`. */
  explain(text, label) {
    const headers = { "Content-Type": "application/json" };
    return exchange({ url: `${this.#baseUrl}/explain`, method: "POST", headers, body: JSON.stringify({ text, label }) });
  }

  /** Give `{ answer, milliseconds }`, or null when a newer request has taken this one's place. */
  async classify(text) {
    this.abandon();
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

  /** Nobody waits for the newest request any more. */
  abandon() {
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
