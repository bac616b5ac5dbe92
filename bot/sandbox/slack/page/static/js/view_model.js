// Derives what each part shows. Pure functions of `page`, the controller, whose fields they read: state, directory,
// channelId, isHome, homePersona, personas, lastRead, dismissed.

// --- Values of the parts --------------------------------------------------------------------------------------

export function sidebarValues(page) {
  const { team, bot, channels, calls, deliveries, settings } = page.state;
  return {
    team: team.name,
    calls,
    bot: botState(settings, deliveries),
    demoUrl: settings.demo_url,
    app: { name: bot.name, isCurrent: page.isHome },
    channels: channels.map((channel) => ({
      id: channel.id,
      name: channel.name,
      isPrivate: channel.is_private,
      isArchived: channel.is_archived,
      isUnread: isUnread(page, channel),
      isCurrent: !page.isHome && channel.id === page.channelId,
    })),
  };
}

export function homeValues(page) {
  const persona = homeViewer(page);
  return { people: page.directory.userOptions(), persona, view: page.state.homes.find((view) => view.user === persona) };
}

export function headerValues(page, channel) {
  return {
    name: channel.name,
    topic: channel.topic,
    members: channel.members.length,
    isPrivate: channel.is_private,
    hasUnread: page.state.channels.some((each) => isUnread(page, each)),
  };
}

export function timelineValues(page, channel) {
  const messages = visibleMessages(page, channel).filter((message) => !message.thread_ts || message.thread_ts === message.ts);
  const reply = (parent) => channel.messages.find((message) => message.ts === parent.latest_reply);
  return { ...messageValues(page, channel), place: channel.id, messages, reply };
}

export function threadValues(page, channel, { ts }) {
  const messages = visibleMessages(page, channel).filter((message) => message.ts === ts || message.thread_ts === ts);
  const place = `${channel.id}/${ts}`;
  return {
    channelName: channel.name,
    timeline: { ...messageValues(page, channel), place, messages, isThread: true, reply: () => undefined },
    composer: { ...composerValues(page, channel), place, label: "Reply in thread", examples: [], commands: [] },
  };
}

function messageValues(page, channel) {
  const { deliveries, settings } = page.state;
  return {
    persona: personaIn(page, channel),
    shortcuts: settings.shortcuts,
    note: (message) => deliveryNote(deliveries, settings.attempts, channel.id, message.ts),
  };
}

export function composerValues(page, channel) {
  return {
    place: channel.id,
    label: `Message #${channel.name}`,
    people: page.directory.userOptions(channel.members),
    persona: personaIn(page, channel),
    examples: examplesFor(page, channel),
    commands: page.state.settings.commands,
    closed: channel.is_archived ? "This channel is archived." : undefined,
  };
}

// --- People ---------------------------------------------------------------------------------------------------

// The member that the page writes as in a channel; by default a customer.
export function personaIn(page, channel) {
  const people = page.directory.people(channel.members);
  const chosen = page.personas.get(channel.id);
  return (people.find((user) => user.id === chosen) ?? people.find(isCustomer) ?? people[0])?.id ?? "";
}

// The person whose Home tab is shown; by default an agent, because the tab is not for customers.
export function homeViewer({ directory, homePersona }) {
  const people = directory.people();
  return (people.find((user) => user.id === homePersona) ?? people.find((user) => !isCustomer(user)) ?? people[0]).id;
}

// Example messages, for channels that customers write in.
export function examplesFor({ state, directory }, channel) {
  return directory.people(channel.members).some(isCustomer) ? state.settings.examples : [];
}

function isCustomer(user) {
  return user.profile.title.startsWith("Customer");
}

// --- Messages and deliveries ----------------------------------------------------------------------------------

export function latestTs(channel) {
  return channel.messages.reduce((latest, message) => (message.ts > latest ? message.ts : latest), "");
}

function isUnread({ lastRead }, channel) {
  return latestTs(channel) > (lastRead.get(channel.id) ?? "");
}

// Messages and ephemeral messages that the persona sees, oldest first, without dismissed ones.
function visibleMessages(page, channel) {
  const persona = personaIn(page, channel);
  const ephemerals = channel.ephemerals.filter((message) => message.visible_to === persona);
  return [...channel.messages, ...ephemerals]
    .filter((message) => !page.dismissed.has(message.ts))
    .sort((one, other) => (one.ts < other.ts ? -1 : 1));
}

// A note about the delivery of a message's event, if it was not delivered at the first attempt.
function deliveryNote(deliveries, attempts, channel, ts) {
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
function botState(settings, deliveries) {
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
