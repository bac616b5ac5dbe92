// Connects the parts: holds the state and what is open, handles events and actions, and updates the parts.

import * as api from "./api.js";
import { Directory } from "./directory.js";
import { el } from "./dom.js";
import { Composer } from "./parts/composer.js";
import { confirmDelete, Modal, promptForText } from "./parts/dialogs.js";
import { Header } from "./parts/header.js";
import { Home } from "./parts/home.js";
import { Notice } from "./parts/notice.js";
import { Sidebar } from "./parts/sidebar.js";
import { Thread } from "./parts/thread.js";
import { Timeline } from "./parts/timeline.js";
import {
  composerValues,
  examplesFor,
  headerValues,
  homeValues,
  homeViewer,
  latestTs,
  personaIn,
  sidebarValues,
  threadValues,
  timelineValues,
} from "./view_model.js";

const WIDE = matchMedia("(min-width: 1000px)");
const HOME = "home";
const PHONE = matchMedia("(max-width: 720px)");

export class Controller {
  constructor() {
    this.personas = new Map();
    this.lastRead = new Map();
    this.dismissed = new Set();
    this.sentHere = new Set();
    this.channelId = "";
    this.threadTs = null;
    const part = (id) => document.getElementById(id);
    this.notice = new Notice(part("notice"));
    this.sidebar = new Sidebar(part("sidebar"), this);
    this.header = new Header(part("header"), this);
    this.timeline = new Timeline(part("timeline"), this);
    this.composer = new Composer(part("composer"), this);
    this.thread = new Thread(part("thread"), this);
    this.home = new Home(part("home"), this);
    this.modal = new Modal(this);
    this.isHome = false;
    this.homePersona = "";
  }

  async start() {
    this.emoji = await api.readJson("emoji.json");
    addEventListener("hashchange", () => this.followHash());
    addEventListener("keydown", (event) => this.onKey(event));
    document.querySelector(".app").addEventListener("click", (event) => this.onClick(event));
    api.follow(
      () => this.refresh(),
      (isConnected) => (isConnected ? this.notice.hide() : this.notice.show("unavailable")),
    );
    await this.refresh();
    this.state.channels.forEach((channel) => this.lastRead.set(channel.id, latestTs(channel)));
    this.followHash();
  }

  // --- Navigation -------------------------------------------------------------------------------------------

  // The hash is #CHANNEL, #CHANNEL/TS or #home.
  followHash() {
    const [channelId, ts] = location.hash.slice(1).split("/");
    const wasHome = this.isHome;
    this.isHome = channelId === HOME;
    const channel = this.state.channels.find((each) => each.id === channelId) ?? this.state.channels[0];
    if (channel.id !== this.channelId || this.isHome) this.threadTs = null;
    this.channelId = channel.id;
    if (this.isHome && !wasHome) this.openHome();
    const message = channel.messages.find((each) => each.ts === ts);
    if (message?.reply_count) this.threadTs = ts;
    this.render();
    if (message) this.timeline.highlight(ts);
  }

  openHome() {
    this.act("home", { user: homeViewer(this) });
  }

  viewHomeAs = (userId) => {
    this.homePersona = userId;
    this.openHome();
    this.render();
  };

  openThread(ts) {
    this.threadTs = ts;
    this.render();
    if (WIDE.matches) this.thread.composer.input.focus();
  }

  closeThread() {
    this.threadTs = null;
    this.render();
    this.composer.input.focus();
  }

  openSidebar() {
    document.body.classList.add("sidebar-open");
    this.sidebar.element.querySelector("a").focus();
  }

  closeSidebar() {
    document.body.classList.remove("sidebar-open");
  }

  onKey(event) {
    if (event.key !== "Escape" || document.querySelector("dialog[open]")) return;
    if (document.body.classList.contains("sidebar-open")) this.closeSidebar();
    else if (this.threadTs) this.closeThread();
  }

  onClick(event) {
    const isOutside = !event.target.closest(".sidebar, .open-sidebar");
    if (PHONE.matches && isOutside) this.closeSidebar();
  }

  // --- Actions ----------------------------------------------------------------------------------------------

  async send(text) {
    const [command, ...rest] = text.split(" ");
    if (command.startsWith("/")) return this.act("commands", { command, text: rest.join(" ") });
    const answer = await this.act("messages", { text });
    if (answer) this.sentHere.add(answer.ts);
    return answer;
  }

  reply = (text) => this.act("messages", { text, thread_ts: this.threadTs });

  writeAs = (userId) => {
    this.personas.set(this.channelId, userId);
    this.render();
  };

  react(message, name) {
    this.act("reactions", { ts: message.ts, name });
  }

  press(message, block, element, chosen) {
    this.act("actions", { ts: message.ts, block_id: block.block_id, action_id: element.action_id, chosen });
  }

  pressInView(viewId, block, element, chosen) {
    const user = this.state.modals.concat(this.state.homes).find((view) => view.id === viewId)?.user;
    return this.act("views/actions", { user, view_id: viewId, block_id: block.block_id, action_id: element.action_id, chosen });
  }

  useShortcut(message, callbackId) {
    this.act("shortcuts", { ts: message.ts, callback_id: callbackId });
  }

  async edit(message) {
    const text = await promptForText(message.text);
    if (text) this.act("messages/edit", { ts: message.ts, text });
  }

  async delete(message) {
    if (await confirmDelete()) this.act("messages/delete", { ts: message.ts });
  }

  copy(message) {
    navigator.clipboard.writeText(message.text);
  }

  dismiss(message) {
    this.dismissed.add(message.ts);
    this.render();
  }

  async submitModal(viewId, values) {
    const answer = await this.act("modals/submit", { view_id: viewId, values });
    return answer?.errors ?? {};
  }

  async upload(file) {
    const bytes = new Uint8Array(await file.arrayBuffer());
    const content = btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
    return this.act("files", { name: file.name, content });
  }

  closeModal(viewId) {
    this.act("modals/close", { view_id: viewId });
  }

  async act(path, fields) {
    try {
      return await api.act(path, { channel: this.channelId, user: personaIn(this, this.channel), ...fields });
    } catch (error) {
      this.notice.show(error.code ?? "unavailable");
      return null;
    }
  }

  // --- Rendering --------------------------------------------------------------------------------------------

  // At most one request at a time, however often the state changes meanwhile.
  async refresh() {
    this.isStale = true;
    if (this.isRefreshing) return;
    this.isRefreshing = true;
    try {
      while (this.isStale) {
        this.isStale = false;
        this.state = await api.readJson("sandbox/state");
        this.directory = new Directory(this.state, this.emoji);
        this.openFirstReply();
        if (this.channelId) this.render();
      }
    } catch {
      this.notice.show("unavailable");
    } finally {
      this.isRefreshing = false;
    }
  }

  // On a wide screen, opens the thread of a message that was sent here once it has a reply.
  openFirstReply() {
    if (!WIDE.matches || !this.channelId || document.activeElement?.closest("#thread")) return;
    const answered = this.channel.messages.find((message) => message.reply_count && this.sentHere.has(message.ts));
    if (!answered) return;
    this.sentHere.delete(answered.ts);
    this.threadTs = answered.ts;
  }

  get channel() {
    return this.state.channels.find((channel) => channel.id === this.channelId);
  }

  render() {
    const { channel, directory } = this;
    const parent = channel.messages.find((message) => message.ts === this.threadTs);
    if (!parent) this.threadTs = null;
    if (!this.isHome) this.lastRead.set(channel.id, latestTs(channel));
    document.body.classList.toggle("home-open", this.isHome);
    document.body.classList.toggle("thread-open", Boolean(parent));
    document.title = `#${channel.name} – ${this.state.team.name}`;
    this.home.update(this.isHome ? homeValues(this) : null, directory);
    this.sidebar.update(sidebarValues(this));
    this.header.update(headerValues(this, channel));
    this.timeline.update({ ...timelineValues(this, channel), empty: () => this.welcome(channel) }, directory);
    this.composer.update(composerValues(this, channel));
    this.thread.update(parent ? threadValues(this, channel, parent) : null, directory);
    this.modal.update(this.state.modals.at(-1), directory);
  }

  // The beginning of a channel without messages.
  welcome(channel) {
    const examples = examplesFor(this, channel);
    return el(
      "div",
      { class: "welcome" },
      el("h3", {}, `This is the beginning of #${channel.name}`),
      el("p", {}, examples.length ? "Write as a customer, or start with an example:" : channel.topic),
      el("ul", {}, examples.map((text) => el("li", {}, el("button", { type: "button", class: "example", onclick: () => this.composer.fill(text) }, text)))),
    );
  }
}
