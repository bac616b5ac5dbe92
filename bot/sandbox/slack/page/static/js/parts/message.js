// Renders one message with its reactions, replies and toolbar.

import { blockNodes } from "./blocks.js";
import { el } from "../dom.js";
import { asPlainText, emoji, mrkdwn } from "../mrkdwn.js";
import { openMenu } from "./menu.js";
import { countOf, timeOf } from "../format.js";

const QUICK_REACTIONS = ["+1", "eyes", "white_check_mark", "x", "heart", "pray", "credit_card", "wrench", "speech_balloon", "rotating_light"];
const PALETTE = 6;

// `values`: message, persona, note, reply (the last one), isContinued (same author as above), isThread.
export function renderMessage(values, directory, shortcuts, actions) {
  const { message, isContinued, note, reply, isThread } = values;
  const author = authorOf(message, directory);
  return el(
    "article",
    {
      class: `message${isContinued ? " continued" : ""}${message.visible_to ? " ephemeral" : ""}`,
      "data-ts": message.ts,
      "aria-label": `${author.name}, ${timeOf(message.ts)}`,
    },
    isContinued ? el("span", { class: "gutter" }, timeOf(message.ts)) : avatar(author),
    el(
      "div",
      { class: "content" },
      message.visible_to && el("p", { class: "visibility" }, "👁 Only visible to you"),
      !isContinued && heading(author, message),
      body(message, directory, actions),
      reactions(values, directory, actions),
      note && el("p", { class: `delivery ${note.kind}` }, note.text),
      !isThread && message.reply_count && replyBar(message, reply, directory, actions),
    ),
    message.subtype !== "tombstone" && toolbar(values, directory, shortcuts, actions),
  );
}

function authorOf(message, directory) {
  const user = directory.users.get(message.user);
  const name = user?.real_name ?? message.user;
  const initials = name.split(/\s+/).map((word) => word[0]).slice(0, 2).join("");
  const colour = [...message.user].reduce((sum, character) => sum + character.charCodeAt(0), 0) % PALETTE;
  return { name, initials, colour, isApp: user?.is_bot ?? false, title: user?.profile.title ?? "" };
}

function avatar({ initials, colour, isApp }) {
  return el("span", { class: `avatar ${isApp ? "app-avatar" : `colour-${colour}`}`, "aria-hidden": "true" }, initials.toUpperCase());
}

function heading({ name, isApp, title }, message) {
  return el(
    "p",
    { class: "heading" },
    el("strong", { class: "author" }, name),
    isApp ? el("span", { class: "badge" }, "APP") : title && el("span", { class: "title" }, title),
    el("time", {}, timeOf(message.ts)),
  );
}

function body(message, directory, actions) {
  const edited = message.edited && el("span", { class: "edited" }, " (edited)");
  if (!message.blocks) {
    const tombstone = message.subtype === "tombstone" ? " tombstone" : "";
    return el("div", { class: `text${tombstone}` }, mrkdwn(message.text, directory), edited);
  }
  const press = (block, element, chosen) => actions.press(message, block, element, chosen);
  return el("div", { class: "blocks" }, blockNodes(message.blocks, directory, press), edited);
}

function reactions({ message, persona }, directory, actions) {
  if (!message.reactions) return null;
  return el("div", { class: "reactions" }, message.reactions.map((each) => pill(each, message, persona, directory, actions)));
}

function pill({ name, count, users }, message, persona, directory, actions) {
  const by = users.map((user) => directory.userName(user)).join(", ");
  return el(
    "button",
    {
      type: "button",
      class: "pill",
      title: `${by} reacted with :${name}:`,
      "aria-label": `${name.replaceAll("_", " ")}, ${countOf(count, "reaction")}, by ${by}`,
      "aria-pressed": String(users.includes(persona)),
      "data-focus": `${message.ts} ${name}`,
      onclick: () => actions.react(message, name),
    },
    emoji(name, directory) ?? `:${name}:`,
    el("span", { class: "count" }, String(count)),
  );
}

function replyBar(message, reply, directory, actions) {
  return el(
    "button",
    { type: "button", class: "reply-bar", "data-focus": `${message.ts} replies`, onclick: () => actions.openThread(message.ts) },
    el("span", { class: "reply-count" }, countOf(message.reply_count, "reply", "replies")),
    reply && el("span", { class: "reply-preview" }, `${directory.userName(reply.user)}: ${asPlainText(reply.text, directory)}`),
  );
}

// --- Toolbar ------------------------------------------------------------------------------------------------

function toolbar(values, directory, shortcuts, actions) {
  const { message, isThread } = values;
  if (message.visible_to) {
    return el("div", { class: "toolbar" }, tool("✕", "Dismiss", message, () => actions.dismiss(message)));
  }
  return el(
    "div",
    { class: "toolbar" },
    tool("☺", "Add a reaction", message, (anchor) => chooseReaction(anchor, message, directory, actions), "quick"),
    !isThread && tool("↩", "Reply in thread", message, () => actions.openThread(message.ts), "quick"),
    tool("⋯", "More", message, (anchor) =>
      openMenu(anchor, moreItems(anchor, values, directory, shortcuts, actions), ({ run }) => run()),
    ),
  );
}

function tool(sign, name, message, onPress, kind) {
  return el(
    "button",
    {
      type: "button",
      class: kind,
      title: name,
      "aria-label": name,
      "data-focus": `${message.ts} ${name}`,
      onclick: (event) => onPress(event.currentTarget),
    },
    sign,
  );
}

function chooseReaction(anchor, message, directory, actions) {
  const items = QUICK_REACTIONS.map((name) => ({ name, nodes: [emoji(name, directory)], label: name.replaceAll("_", " ") }));
  openMenu(anchor, items, ({ name }) => actions.react(message, name), "grid");
}

function moreItems(anchor, { message, persona, isThread }, directory, shortcuts, actions) {
  const ofTheApp = shortcuts.map(({ name, callback_id: id }) => item(name, () => actions.useShortcut(message, id)));
  const own = [item("Edit message", () => actions.edit(message)), item("Delete message", () => actions.delete(message))];
  return [
    item("Add a reaction", () => chooseReaction(anchor, message, directory, actions)),
    ...(isThread ? [] : [item("Reply in thread", () => actions.openThread(message.ts))]),
    ...ofTheApp,
    item("Copy text", () => actions.copy(message)),
    ...(message.user === persona ? own : []),
  ];
}

function item(name, run) {
  return { nodes: [name], run };
}
