// The message box, with the persona to write as.

import { el, ifChanged, optionElements } from "../dom.js";
import { openMenu } from "./menu.js";

export class Composer {
  // `actions`: send(text) and writeAs(userId).
  constructor(element, actions) {
    this.element = element;
    this.actions = actions;
    this.drafts = new Map();
    this.input = el("textarea", { rows: 1, "data-focus": "composer" });
    this.input.addEventListener("keydown", (event) => this.onKey(event));
    this.input.addEventListener("input", () => this.onInput());
    this.hint = el("p", { class: "command-hint", "aria-live": "polite" });
    this.bar = el("div", { class: "composer-bar" });
    element.replaceChildren(this.hint, el("div", { class: "composer-box" }, this.input, this.bar));
    element.addEventListener("submit", (event) => {
      event.preventDefault();
      this.send();
    });
  }

  // `values`: place, label, people (options), persona, examples, commands, closed (why it is disabled).
  update = ifChanged((values) => {
    if (this.place !== values.place) this.moveTo(values.place);
    this.commands = values.commands;
    this.input.placeholder = values.closed ?? values.label;
    this.input.setAttribute("aria-label", values.label);
    this.input.disabled = Boolean(values.closed);
    this.bar.replaceChildren(...(values.closed ? [] : this.controls(values)));
    this.onInput();
  });

  fill(text) {
    this.input.value = text;
    this.onInput();
    this.input.focus();
  }

  controls({ people, persona, examples }) {
    const select = el("select", { onchange: (event) => this.actions.writeAs(event.target.value) }, optionElements(people, [persona]));
    const items = examples.map((text) => ({ text, nodes: [text] }));
    return [
      el("label", { class: "write-as" }, "Write as ", select),
      examples.length &&
        el("button", { type: "button", class: "examples", "aria-haspopup": "menu", onclick: (event) => openMenu(event.currentTarget, items, ({ text }) => this.fill(text)) }, "Examples"),
      el("button", { type: "submit", class: "send", "aria-label": "Send" }, "➤"),
    ].filter(Boolean);
  }

  moveTo(place) {
    if (this.place) this.drafts.set(this.place, this.input.value);
    this.place = place;
    this.input.value = this.drafts.get(place) ?? "";
  }

  onKey(event) {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    this.send();
  }

  onInput() {
    this.input.style.height = "auto";
    this.input.style.height = `${Math.min(this.input.scrollHeight, 180)}px`;
    const [typed] = this.input.value.split(" ");
    const fitting = typed.startsWith("/") ? this.commands.filter(({ name }) => name.startsWith(typed)) : [];
    this.hint.textContent = fitting.map(({ name, usage_hint, description }) => `${name} ${usage_hint}: ${description}`).join("  ·  ");
  }

  async send() {
    const text = this.input.value.trim();
    if (!text) return;
    this.input.value = "";
    this.onInput();
    if (!(await this.actions.send(text)) && !this.input.value) this.fill(text);
  }
}
