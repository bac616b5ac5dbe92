// The app's Home tab, as one person sees it.

import { blockNodes } from "./blocks.js";
import { el } from "../dom.js";

export class Home {
  constructor(element, actions) {
    this.element = element;
    this.actions = actions;
    this.fingerprint = "";
    this.select = el("select", { onchange: (event) => actions.lookAtHomeAs(event.target.value) });
    this.blocks = el("div", { class: "home-blocks" });
    element.append(
      el("header", { class: "channel-header" }, el("h2", {}, "Triage"), el("p", { class: "topic" }, "App · Home"), el("label", { class: "write-as" }, "Look as ", this.select)),
      this.blocks,
    );
  }

  // `values`: null when something else is looked at, or people [{id, real_name}], persona, view (or none yet).
  update(values, directory) {
    this.element.hidden = !values;
    if (!values) return;
    const fingerprint = JSON.stringify(values);
    if (fingerprint === this.fingerprint) return;
    this.fingerprint = fingerprint;
    const { people, persona, view } = values;
    this.select.replaceChildren(...people.map((user) => el("option", { value: user.id, selected: user.id === persona }, user.real_name)));
    const press = (block, part, chosen) => this.actions.pressInView(view.id, block, part, chosen);
    const nodes = view ? blockNodes(view.blocks, directory, press) : [el("p", { class: "unshown" }, "The app has shown nothing here yet.")];
    this.blocks.replaceChildren(...nodes);
  }
}
