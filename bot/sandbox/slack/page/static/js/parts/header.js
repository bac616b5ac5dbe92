// The header of a channel.

import { el } from "../dom.js";
import { countOf } from "../format.js";

export class Header {
  constructor(element, actions) {
    this.element = element;
    this.actions = actions;
  }

  // `hasUnread`: another channel has unread messages.
  update({ name, topic, members, isPrivate, hasUnread }) {
    this.element.replaceChildren(
      el(
        "button",
        { type: "button", class: "open-sidebar", "aria-label": `Channels${hasUnread ? ", some unread" : ""}`, onclick: () => this.actions.openSidebar() },
        "☰",
        hasUnread && el("span", { class: "dot" }),
      ),
      el("h2", {}, `${isPrivate ? "🔒" : "#"} ${name}`),
      el("p", { class: "topic" }, topic),
      el("p", { class: "member-count" }, countOf(members, "member")),
    );
  }
}
