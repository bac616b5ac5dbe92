// Pure functions that derive what the page shows from the state.

export function messagesIn(channel, persona) {
  return seenBy(channel, persona).filter((message) => !message.thread_ts || message.thread_ts === message.ts);
}

export function threadIn(channel, ts, persona) {
  return seenBy(channel, persona).filter((message) => message.ts === ts || message.thread_ts === ts);
}

export function latestTs(channel) {
  return channel.messages.reduce((latest, message) => (message.ts > latest ? message.ts : latest), "");
}

export function lastReply(channel, parent) {
  return channel.messages.find((message) => message.ts === parent.latest_reply);
}

// A note about the delivery of a message's event, if it was not delivered at the first attempt.
export function deliveryNote(deliveries, attempts, channel, ts) {
  const delivery = deliveries.find((each) => each.channel === channel && each.ts === ts && each.type === "message");
  const failures = delivery?.attempts.filter((attempt) => attempt.reason) ?? [];
  if (!failures.length) return null;
  const why = describeFailure(failures.at(-1));
  const tried = delivery.attempts.length;
  if (delivery.state === "delivered") return { kind: "done", text: `Delivered on attempt ${tried}. Before that, ${why}.` };
  if (delivery.state === "given_up") return { kind: "lost", text: `Slack gave up after ${tried} attempts: ${why}.` };
  return { kind: "retrying", text: `Slack is retrying: ${why} (attempt ${tried} of ${attempts}).` };
}

// Whether the bot responds, judged by the last event that was sent to it.
export function botState(settings, deliveries) {
  if (!settings.connected) return { kind: "off", text: "No bot is connected" };
  const last = deliveries.findLast((delivery) => delivery.attempts.length)?.attempts.at(-1);
  if (last?.reason) return { kind: "failing", text: "The bot is not responding" };
  return { kind: "on", text: "The bot is connected" };
}

function describeFailure({ status, reason }) {
  if (reason === "http_error") return `your bot answered ${status}`;
  if (reason === "http_timeout") return "your bot took too long to respond";
  if (reason === "connection_failed") return "your bot could not be reached";
  return `your bot failed with ${reason}`;
}

export function timeOf(ts) {
  return new Date(Number(ts) * 1000).toLocaleTimeString([], { hour: "numeric", minute: "2-digit" });
}

export function dayOf(ts) {
  const day = new Date(Number(ts) * 1000);
  if (day.toDateString() === new Date().toDateString()) return "Today";
  return day.toLocaleDateString([], { weekday: "long", day: "numeric", month: "long" });
}

export function countOf(number, noun, plural = `${noun}s`) {
  return `${number} ${number === 1 ? noun : plural}`;
}

function seenBy(channel, persona) {
  const ephemerals = channel.ephemerals.filter((message) => message.visible_to === persona);
  return [...channel.messages, ...ephemerals].sort((one, other) => (one.ts < other.ts ? -1 : 1));
}
