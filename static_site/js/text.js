// The page's own text; text about a message comes from the server.

/** Format a probability, rounded down as in the API, so that a value below a threshold never looks as if it reached it. */
export function percent(probability) {
  const value = Math.floor(probability * 1000 + 1e-9) / 10;
  return value === 0 && probability > 0 ? "<0.1%" : `${value}%`;
}

/** Format a duration in milliseconds or seconds. */
export function duration(milliseconds) {
  return milliseconds < 1000 ? `${Math.max(1, Math.round(milliseconds))}\u00a0ms` : `${(milliseconds / 1000).toFixed(1)}\u00a0s`;
}


export function characters(count) {
  return `${count.toLocaleString("en")} ${count === 1 ? "character" : "characters"}`;
}

/** Format an amount of US dollars with two or three significant digits: $1.22, $0.0027, under $0.0001. */
export function dollars(amount) {
  if (amount < 0.0001) return "under\u00a0$0.0001";
  return `$${amount.toLocaleString("en", { maximumSignificantDigits: amount < 1 ? 2 : 3 })}`;
}


export function costLine({ messagesADay, perThousand, region, readOn }) {
  const modes = perThousand.map(([mode, amount]) => `${mode} ${dollars(amount)}`).join(" · ");
  const messages = messagesADay.toLocaleString("en");
  return `Cost per 1,000 messages: ${modes} (at ${messages} messages a day; list prices for ${region} as of ${readOn})`;
}

/** Format a facet's name as a heading: `customer_mood` → `Customer mood`. */
export function title(name) {
  const words = name.replaceAll(/[_-]+/g, " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}


export function verdict({ automatic }) {
  return automatic ? "Would be routed automatically" : "Would ask a person";
}

/** Format an answer as one text for screen readers. */
export function spoken({ main, others, decision }) {
  const facets = [main, ...others].map(({ title, name, confidence }) => `${title}: ${name}, ${percent(confidence)}.`);
  return [...facets, `${verdict(decision)}.`].join(" ");
}

/** Format a contribution to a label's log-odds, with its sign. */
export function signed(contribution) {
  return `${contribution < 0 ? "\u2212" : "+"}${Math.abs(contribution).toFixed(2)}`;
}

/** Describe the direction of a contribution, for screen readers. */
export function effect(contribution) {
  return contribution < 0 ? "counts against it" : "counts for it";
}

/** Describe the sum of the `count` words that are not listed, and the baseline. */
export function summary(count, sum, baseline) {
  const others = count ? [`${count} other ${count === 1 ? "word" : "words"}: ${signed(sum)}.`] : [];
  return [...others, `Without any words: ${signed(baseline)}.`, "Log-odds: +0.7 doubles the odds."].join(" ");
}

export const UNKNOWN_WORD = "(new to the model)";
export const EXPLAINING = "Loading the explanation…";

// The message in the sample request.
export const SAMPLE_MESSAGE = "Your message";

export const SLOW = {
  heading: "Still waiting for the classifier",
  advice: "The first message after a pause can take several seconds.",
  retry: false,
};

export const COPIED = "Copied.";
export const SELECTED = "This browser does not allow the page to copy. The command is selected: press Ctrl+C or ⌘C.";

const FAILURES = {
  empty: ["There is no message yet", "Type one, paste one, or pick an example.", false],
  "too-long": ["This message is too long", "Shorten it, or keep only the part with the request.", false],
  "nothing-readable": ["There is nothing to read in this message", "Emoji and punctuation alone say too little. Add a few words.", false],
  "not-explainable": ["This model cannot be explained here", "It is too large for that.", false],
  busy: ["Too many messages at once", "The classifier is busy with other messages.", true],
  unavailable: ["The classifier is not available right now", "Your message is still here; nothing is lost.", true],
  unreachable: ["The server cannot be reached", "It may be starting or stopped. Your message is still here.", true],
  offline: ["You are offline", "Your message will be classified as soon as the connection is back.", true],
  timeout: ["The classifier did not answer in time", "It may be starting or very busy. Your message is still here.", true],
  refused: ["The server did not accept this request", "Its address in config.json may be wrong.", false],
  broken: ["Something went wrong on the server", "Your message is still here. If it happens again, its logs say why.", true],
  invalid: ["The server's answer is not valid", "It may not come from the classifier. Check the address in config.json.", true],
  settings: ["This page is not set up yet", "Its settings file, config.json, is missing or damaged.", false],
};

/** Return `{ heading, advice, retry }` for a Failure; the server's own message replaces the usual advice. */
export function describeFailure({ kind, detail, retryAfter }) {
  const [heading, usual, retry] = FAILURES[kind];
  const wait = retryAfter ? `Try again in ${retryAfter} ${retryAfter === 1 ? "second" : "seconds"}.` : "";
  return { heading, advice: [detail || usual, wait].filter(Boolean).join(" "), retry };
}
