// Every sentence the page says by itself; what is about a message comes from the server.

/**
 * Give a probability in percent, rounded down as the API does, so that what is below a threshold never reads as if it
 * had reached it.
 */
export function percent(probability) {
  const value = Math.floor(probability * 1000 + 1e-9) / 10;
  return value === 0 && probability > 0 ? "<0.1\u00a0%" : `${value}\u00a0%`;
}

/** Give a duration in the unit people would say it in. */
export function duration(milliseconds) {
  return milliseconds < 1000 ? `${Math.max(1, Math.round(milliseconds))}\u00a0ms` : `${(milliseconds / 1000).toFixed(1)}\u00a0s`;
}

/** Give a count of characters as people write it. */
export function characters(count) {
  return `${count.toLocaleString("en")} ${count === 1 ? "character" : "characters"}`;
}

/** Give an amount of US dollars to two digits that tell something: 1.22, 0.0027, under 0.0001. */
export function dollars(amount) {
  if (amount < 0.0001) return "under\u00a0$0.0001";
  return `$${amount.toLocaleString("en", { maximumSignificantDigits: amount < 1 ? 2 : 3 })}`;
}

/** Give what classifying costs as one line. */
export function costLine({ messagesADay, perThousand, region, readOn }) {
  const modes = perThousand.map(([mode, amount]) => `${mode} ${dollars(amount)}`).join(" · ");
  const messages = messagesADay.toLocaleString("en");
  return `1,000 messages cost: ${modes} (at ${messages} a day; list prices of ${region}, ${readOn})`;
}

/** Give a facet's name as a heading: `customer_mood` → `Customer mood`. */
export function title(name) {
  const words = name.replaceAll(/[_-]+/g, " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** Give the decision's heading. */
export function verdict({ automatic }) {
  return automatic ? "Would be routed automatically" : "Would ask a person";
}

/** Give an answer as one text to be read aloud. */
export function spoken({ main, others, decision }) {
  const facets = [main, ...others].map(({ title, name, confidence }) => `${title}: ${name}, ${percent(confidence)}.`);
  return [...facets, `${verdict(decision)}.`].join(" ");
}

/** Give what a word adds to a label's log-odds, with its sign. */
export function signed(contribution) {
  return `${contribution < 0 ? "\u2212" : "+"}${Math.abs(contribution).toFixed(2)}`;
}

/** Give which way a word speaks, for who hears the list. */
export function stance(contribution) {
  return contribution < 0 ? "speaks against it" : "speaks for it";
}

/** Say what the words that are not listed add, and where the model starts from. */
export function elsewhere(count, sum, baseline) {
  const others = count ? [`${count} other ${count === 1 ? "word" : "words"}: ${signed(sum)}.`] : [];
  return [...others, `Before any word: ${signed(baseline)}.`, "In log-odds: 0.7 more doubles the odds."].join(" ");
}

export const UNSTUDIED = "(new to the model)";
export const WAITING_FOR_WHY = "Adding up the words…";

// Stands for a message in the request shown before there is one.
export const SAMPLE_MESSAGE = "Your message";

export const SLOW = {
  heading: "Still waiting for the classifier",
  advice: "The first message after a quiet time can take several seconds.",
  retry: false,
};

export const COPIED = "Copied.";
export const SELECTED = "This browser does not let a page copy. The command is selected: press Ctrl or ⌘ + C.";

const FAILURES = {
  empty: ["There is no message yet", "Type one, paste one, or pick an example.", false],
  "too-long": ["This message is too long", "Shorten it, or keep only the part that says what is wanted.", false],
  "nothing-readable": ["There is nothing to read in this message", "Emoji and punctuation alone say too little. Add a few words.", false],
  "not-explainable": ["This model cannot be explained here", "It is too large to be at hand.", false],
  busy: ["Too many messages at once", "The classifier is answering others first.", true],
  unavailable: ["The classifier is not available right now", "Your message is still here; nothing is lost.", true],
  unreachable: ["The server cannot be reached", "It may be starting or stopped. Your message is still here.", true],
  offline: ["You are offline", "Your message will be classified as soon as the connection is back.", true],
  timeout: ["The classifier did not answer in time", "It may be waking up or very busy. Your message is still here.", true],
  refused: ["The server did not accept this request", "Its address in config.json may be wrong.", false],
  broken: ["Something went wrong on the server", "Your message is still here. If it happens again, its logs say why.", true],
  invalid: ["The server's answer cannot be understood", "What answered may not be the classifier. Check the address in config.json.", true],
  settings: ["This page is not set up yet", "Its settings file, config.json, is missing or damaged.", false],
};

/** Give `{ heading, advice, retry }` for a Failure; the server's own sentence goes before ours. */
export function explain({ kind, detail, retryAfter }) {
  const [heading, usual, retry] = FAILURES[kind];
  const wait = retryAfter ? `Give it ${retryAfter} ${retryAfter === 1 ? "second" : "seconds"}.` : "";
  return { heading, advice: [detail || usual, wait].filter(Boolean).join(" "), retry };
}
