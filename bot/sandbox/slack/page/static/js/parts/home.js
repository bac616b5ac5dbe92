// The app's Home tab, as one person sees it.

import { blockNodes } from "./blocks.js";
import { el, ifChanged, optionElements } from "../dom.js";

export class Home {
  constructor(element, actions) {
    this.element = element;
    this.actions = actions;
    this.select = el("select", { onchange: (event) => actions.viewHomeAs(event.target.value) });
    this.blocks = el("div", { class: "home-blocks" });
    element.append(
      el("header", { class: "channel-header" }, el("h2", {}, "Triage"), el("p", { class: "topic" }, "App · Home"), el("label", { class: "write-as" }, "View as ", this.select)),
      this.blocks,
    );
  }

  // `values`: null when the tab is not open, or people (options), persona, view (undefined until it is published).
  update = ifChanged((values, directory) => {
    this.element.hidden = !values;
    if (!values) return;
    const { people, persona, view } = values;
    this.select.replaceChildren(...optionElements(people, [persona]));
    const press = (block, part, chosen) => this.actions.pressInView(view.id, block, part, chosen);
    const nodes = view ? blockNodes(view.blocks, directory, press) : [el("p", { class: "unshown" }, "The app has not published a Home tab yet.")];
    this.blocks.replaceChildren(...nodes);
  });
}
