// The sidebar: channels, app, state of the bot and its calls of the Web API.

import { el, ifChanged } from "../dom.js";
import { countOf } from "../format.js";

const SHOWN_CALLS = 12;

export class Sidebar {
  constructor(element, actions) {
    this.element = element;
    this.actions = actions;
  }

  // `values`: team, channels [{id, name, isPrivate, isArchived, isUnread, isCurrent}], app {name, isCurrent}, calls, bot {kind, text}, demoUrl.
  update = ifChanged((values) => {
    const isOpen = this.element.querySelector("details")?.open;
    this.element.replaceChildren(
      el("h1", { class: "team" }, values.team),
      el("ul", { class: "channels" }, values.channels.map((channel) => el("li", {}, this.channel(channel)))),
      el("h2", { class: "apps" }, "Apps"),
      el("ul", { class: "channels" }, el("li", {}, this.app(values.app))),
      el("div", { class: "sidebar-foot" }, botState(values.bot), this.calls(values.calls, isOpen), demoLink(values.demoUrl)),
    );
  });

  channel({ id, name, isPrivate, isArchived, isUnread, isCurrent }) {
    return el(
      "a",
      {
        href: `#${id}`,
        class: `channel-link${isUnread ? " unread" : ""}`,
        "aria-current": isCurrent && "page",
        onclick: () => this.actions.closeSidebar(),
      },
      el("span", { class: "channel-sign", "aria-hidden": "true" }, isPrivate ? "🔒" : "#"),
      el("span", { class: "channel-name" }, name),
      isArchived && el("span", { class: "archived" }, "archived"),
      isUnread && el("span", { class: "dot" }, el("span", { class: "sr-only" }, "unread")),
    );
  }

  app({ name, isCurrent }) {
    return el(
      "a",
      { href: "#home", class: "channel-link", "aria-current": isCurrent && "page", onclick: () => this.actions.closeSidebar() },
      el("span", { class: "channel-sign", "aria-hidden": "true" }, "⌂"),
      el("span", { class: "channel-name" }, name),
    );
  }

  calls(calls, isOpen) {
    if (!calls.length) return null;
    const refused = calls.filter((call) => call.error).length;
    const summary = countOf(calls.length, "call") + (refused ? `, ${refused} refused` : "");
    return el(
      "details",
      { class: "calls", open: isOpen },
      el("summary", {}, "Web API: ", el("span", { class: refused ? "refused" : "" }, summary)),
      el("ol", {}, calls.slice(-SHOWN_CALLS).reverse().map(callLine)),
    );
  }
}

function callLine({ method, error }) {
  return el("li", { class: error ? "refused" : "" }, el("code", {}, method), error ? ` ${error}` : "");
}

function botState({ kind, text }) {
  return el("p", { class: `bot-state ${kind}` }, text);
}

function demoLink(url) {
  return url && el("a", { class: "demo-link", href: url, target: "_blank", rel: "noopener" }, "Classifier demo page ↗");
}
