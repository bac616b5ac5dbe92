// The thread panel: a message and its replies.

import { el } from "../dom.js";
import { Composer } from "./composer.js";
import { Timeline } from "./timeline.js";

export class Thread {
  constructor(element, actions) {
    this.element = element;
    this.title = el("p", { class: "thread-channel" });
    const messages = el("div", { class: "messages", role: "log", "aria-label": "Thread messages", tabindex: "0" });
    const form = el("form", { class: "composer" });
    element.append(
      el(
        "header",
        { class: "thread-header" },
        el("h2", {}, "Thread"),
        this.title,
        el("button", { type: "button", class: "close", "aria-label": "Close thread", onclick: () => actions.closeThread() }, "✕"),
      ),
      messages,
      form,
    );
    this.timeline = new Timeline(messages, actions);
    this.composer = new Composer(form, { send: actions.reply, writeAs: actions.writeAs });
  }

  // `values`: null when no thread is open, or channelName, and the values of timeline and composer.
  update(values, directory) {
    this.element.hidden = !values;
    if (!values) return;
    this.title.textContent = `#${values.channelName}`;
    this.timeline.update(values.timeline, directory);
    this.composer.update(values.composer);
  }
}
