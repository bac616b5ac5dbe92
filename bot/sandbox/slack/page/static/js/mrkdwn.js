// Renders Slack's mrkdwn as nodes. No part of a message is ever parsed as HTML.

import { el } from "./dom.js";

const CODE_BLOCK = /```\n?([\s\S]+?)\n?```/;
const QUOTED_LINES = /(?:^|\n)((?:&gt; ?[^\n]*(?:\n|$))+)/;
const INLINE =
  /`([^`\n]+)`|<([^<>]+)>|:([a-z0-9_+'-]+(?:::skin-tone-\d)?):|(?<![\w*_~])([*_~])(?! )([^\n]*?[^\s])\4(?![\w*_~])/;

const STYLES = { "*": "strong", _: "em", "~": "s" };

export function mrkdwn(text, directory) {
  return split(text, CODE_BLOCK, ([, code]) => el("pre", {}, unescape(code)), (rest) =>
    split(rest, QUOTED_LINES, ([, lines]) => quote(lines, directory), (line) => inline(line, directory)),
  );
}

export function plainText(text, directory) {
  return split(text, /:([a-z0-9_+'-]+):/, ([whole, name]) => emoji(name, directory) ?? whole, (rest) => [rest]);
}

export function textNodes(text, directory) {
  return text.type === "mrkdwn" ? mrkdwn(text.text, directory) : plainText(text.text, directory);
}

// A message as one line of plain text.
export function asPlainText(text, directory) {
  return mrkdwn(text, directory)
    .map((node) => (typeof node === "string" ? node : node.textContent || " "))
    .join("");
}

export function emoji(name, directory) {
  const character = directory.emojiCharacter(name);
  return character && el("span", { class: "emoji", role: "img", "aria-label": name.replaceAll("_", " ") }, character);
}

function inline(text, directory) {
  return split(text, INLINE, (match) => inlineNode(match, directory), (rest) => [unescape(rest)]);
}

function inlineNode([whole, code, reference, emojiName, style, styled], directory) {
  if (code) return el("code", {}, unescape(code));
  if (reference) return referenceNode(reference, directory);
  if (emojiName) return emoji(emojiName, directory) ?? whole;
  return el(STYLES[style], {}, inline(styled, directory));
}

function referenceNode(reference, directory) {
  const [target, label] = reference.split("|", 2);
  const id = target.slice(1);
  if (target.startsWith("@")) return el("span", { class: "mention" }, `@${directory.userName(id)}`);
  if (target.startsWith("#")) return el("a", { href: `#${id}` }, `#${label || directory.channelName(id)}`);
  if (target.startsWith("!subteam^")) return el("span", { class: "mention" }, `@${directory.groupHandle(id.slice(8))}`);
  if (target.startsWith("!date^")) return date(target, unescape(label ?? ""));
  if (target.startsWith("!")) return el("span", { class: "mention" }, `@${id}`);
  return link(unescape(target), unescape(label ?? target));
}

// Slack shows times in the reader's zone. Formats that this page does not support show the fallback text.
function date(target, fallback) {
  const [, seconds, format] = target.split("^");
  const moment = new Date(Number(seconds) * 1000);
  const shown = format.replaceAll(/\{(\w+)\}/g, (whole, name) => DATES[name]?.(moment) ?? whole);
  return el("time", { datetime: moment.toISOString(), title: fallback }, shown.includes("{") ? fallback : shown);
}

const DATES = {
  time: (moment) => moment.toLocaleTimeString([], { hour: "numeric", minute: "2-digit" }),
  date_short: (moment) => moment.toLocaleDateString([], { day: "numeric", month: "short", year: "numeric" }),
  date_short_pretty: (moment) => {
    const days = Math.round((new Date().setHours(0, 0, 0, 0) - new Date(moment).setHours(0, 0, 0, 0)) / 86_400_000);
    return ["today", "yesterday"][days] ?? DATES.date_short(moment);
  },
};

export function link(target, label) {
  if (!/^(https?:|mailto:|tel:)/i.test(target)) return label;
  const permalink = placeOf(target);
  if (permalink) return el("a", { href: permalink }, label);
  return el("a", { href: target, target: "_blank", rel: "noopener noreferrer" }, label);
}

// Permalinks of this workspace become places on this page.
function placeOf(target) {
  const archived = target.match(/^https?:\/\/[^/]+(?:\/workspaces\/\w+)?\/archives\/(\w+)\/p(\d+)(\d{6})(?:\?thread_ts=([\d.]+))?/);
  if (!archived || !target.startsWith(location.origin)) return null;
  const [, channel, seconds, micros, thread] = archived;
  return `#${channel}/${thread ?? `${seconds}.${micros}`}`;
}

function quote(lines, directory) {
  const text = lines.trimEnd().replaceAll(/^&gt; ?/gm, "");
  return el("blockquote", {}, inline(text, directory));
}

function unescape(text) {
  return text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");
}

function split(text, pattern, onMatch, onRest) {
  const nodes = [];
  for (let rest = text; rest; ) {
    const match = rest.match(pattern);
    const end = match ? match.index : rest.length;
    if (end > 0) nodes.push(...onRest(rest.slice(0, end)));
    if (!match) break;
    nodes.push(onMatch(match));
    rest = rest.slice(end + match[0].length);
  }
  return nodes;
}
