// The messages of a channel or thread, oldest first. Stays scrolled to the end unless the reader has scrolled up.

import { el, KeyedList } from "../dom.js";
import { renderMessage } from "./message.js";
import { countOf, dayOf } from "../format.js";

const NEAR_THE_END = 80;
const CONTINUED_SECONDS = 300;

export class Timeline {
  constructor(element, actions) {
    this.element = element;
    this.actions = actions;
    this.list = new KeyedList(element);
  }

  // `values`: place (id of the channel or thread; a new one is scrolled to its end), messages, persona, shortcuts,
  // note(message), reply(message), isThread, empty() (what to show without messages).
  update(values, directory) {
    const isNewPlace = values.place !== this.place;
    const { scrollHeight, scrollTop, clientHeight } = this.element;
    const wasAtEnd = scrollHeight - scrollTop - clientHeight < NEAR_THE_END;
    this.place = values.place;
    this.list.update(itemsOf(values), (item) => renderItem(item, values, directory, this.actions));
    if (isNewPlace || wasAtEnd) this.element.scrollTop = this.element.scrollHeight;
  }

  highlight(ts) {
    const message = this.element.querySelector(`[data-ts="${CSS.escape(ts)}"]`);
    if (!message) return;
    message.scrollIntoView({ block: "center" });
    message.classList.add("highlighted");
  }
}

function itemsOf({ place, messages, persona, note, reply, isThread, empty }) {
  if (!messages.length && empty) return [{ key: `${place} empty`, empty: true }];
  const items = [];
  messages.forEach((message, index) => {
    const previous = messages[index - 1];
    if (!isThread && (!previous || dayOf(previous.ts) !== dayOf(message.ts))) items.push({ key: dayOf(message.ts), day: dayOf(message.ts) });
    if (isThread && index === 1) items.push({ key: "replies", replies: messages.length - 1 });
    const isContinued = continues(message, previous) && !(isThread && index === 1);
    items.push({ key: message.ts, message, persona, isContinued, isThread, note: note(message), reply: reply(message) });
  });
  return items;
}

function continues(message, previous) {
  return Boolean(
    previous &&
      previous.user === message.user &&
      !previous.visible_to === !message.visible_to &&
      dayOf(previous.ts) === dayOf(message.ts) &&
      message.ts - previous.ts < CONTINUED_SECONDS,
  );
}

function renderItem(item, { shortcuts, empty }, directory, actions) {
  if (item.empty) return empty();
  if (item.day) return el("p", { class: "day" }, el("span", {}, item.day));
  if (item.replies) return el("p", { class: "day" }, el("span", {}, countOf(item.replies, "reply", "replies")));
  return renderMessage(item, directory, shortcuts, actions);
}
