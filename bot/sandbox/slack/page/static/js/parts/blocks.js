// Renders Block Kit. `press(block, element, chosen)` is called when an element is used.

import { el } from "../dom.js";
import { link, mrkdwn, textNodes } from "../mrkdwn.js";
import { openMenu } from "./menu.js";
import { confirmed } from "./confirm.js";

export function blockNodes(blocks, directory, press) {
  return blocks.map((block) => (RENDERERS[block.type] ?? unknown)(block, directory, press));
}

const RENDERERS = {
  section: (block, directory, press) =>
    el(
      "div",
      { class: "block-section" },
      el(
        "div",
        { class: "block-body" },
        block.text && el("div", { class: "text" }, textNodes(block.text, directory)),
        block.fields && fields(block.fields, directory),
      ),
      block.accessory && element(block, block.accessory, directory, press),
    ),
  header: (block, directory) => el("h3", { class: "block-header" }, textNodes(block.text, directory)),
  divider: () => el("hr"),
  context: (block, directory) =>
    el("div", { class: "block-context text" }, block.elements.map((each) => contextElement(each, directory))),
  actions: (block, directory, press) =>
    el("div", { class: "block-actions" }, block.elements.map((each) => element(block, each, directory, press))),
  image: (block) => picture(block),
  markdown: (block, directory) => el("div", { class: "text" }, mrkdwn(block.text, directory)),
  rich_text: (block, directory) => el("div", { class: "text" }, block.elements.map((each) => rich(each, directory))),
};

function unknown(block) {
  return el("p", { class: "unshown" }, `A block of type ${block.type} is not shown here.`);
}

function fields(texts, directory) {
  return el("div", { class: "block-fields" }, texts.map((each) => el("div", { class: "text" }, textNodes(each, directory))));
}

function contextElement(part, directory) {
  return part.type === "image" ? picture(part) : el("span", {}, textNodes(part, directory));
}

// Images are linked, not shown: this page loads nothing from other hosts.
function picture({ alt_text: alt, image_url: url }) {
  return el("span", { class: "picture" }, "🖼 ", url ? link(url, alt) : alt);
}

function rich(part, directory) {
  if (part.type === "text") return part.text;
  if (part.type === "link") return link(part.url, part.text ?? part.url);
  if (part.type === "user") return el("span", { class: "mention" }, `@${directory.userName(part.user_id)}`);
  if (part.type === "emoji") return directory.emojiCharacter(part.name) ?? `:${part.name}:`;
  const tags = { rich_text_quote: "blockquote", rich_text_preformatted: "pre", rich_text_list: "ul" };
  const inner = (part.elements ?? []).map((each) => rich(each, directory));
  return el(tags[part.type] ?? "div", {}, part.type === "rich_text_list" ? inner.map((each) => el("li", {}, each)) : inner);
}

// --- Elements -----------------------------------------------------------------------------------------------

function element(block, part, directory, press) {
  const act = async (chosen, anchor) => {
    if (!part.confirm || (await confirmed(part.confirm, directory, anchor))) press(block, part, chosen);
  };
  const render = ELEMENTS[part.type];
  return render ? render(part, directory, act) : el("span", { class: "unshown" }, `${part.type} is not shown here`);
}

const ELEMENTS = {
  button: (part, directory, act) =>
    el(
      "button",
      {
        type: "button",
        class: `element ${part.style ?? ""}`,
        "data-focus": part.action_id,
        "aria-label": part.accessibility_label,
        onclick: (event) => {
          if (part.url) window.open(part.url, "_blank", "noopener");
          act({}, event.currentTarget);
        },
      },
      textNodes(part.text, directory),
    ),
  overflow: (part, directory, act) =>
    chooser(part, part.options, directory, act, (option) => ({ selected_option: option }), "⋯", "More options"),
  static_select: (part, directory, act) =>
    chooser(part, optionsOf(part), directory, act, (option) => ({ selected_option: option })),
  users_select: (part, directory, act) =>
    chooser(part, directory.userOptions(), directory, act, (option) => ({ selected_user: option.value })),
  channels_select: (part, directory, act) =>
    chooser(part, directory.channelOptions(), directory, act, (option) => ({ selected_channel: option.value })),
  conversations_select: (part, directory, act) =>
    chooser(part, directory.channelOptions(), directory, act, (option) => ({ selected_conversation: option.value })),
  radio_buttons: (part, directory, act) =>
    el("div", { class: "choices", role: "radiogroup" }, part.options.map((option) => choice("radio", part, option, directory, act))),
  checkboxes: (part, directory, act) =>
    el("div", { class: "choices" }, part.options.map((option) => choice("checkbox", part, option, directory, act))),
  image: (part) => picture(part),
};

function chooser(part, options, directory, act, fieldsOf, shown = label(part), name = shown) {
  const items = options.map((option) => ({ option, nodes: textNodes(option.text, directory) }));
  return el(
    "button",
    {
      type: "button",
      class: `element chooser ${part.type}`,
      "aria-haspopup": "menu",
      "aria-label": name,
      "data-focus": part.action_id,
      onclick: ({ currentTarget: anchor }) => openMenu(anchor, items, ({ option }) => act(fieldsOf(option), anchor)),
    },
    shown,
  );
}

function label(part) {
  return (part.initial_option?.text ?? part.placeholder)?.text ?? "Choose";
}

export function optionsOf(part) {
  return part.options ?? part.option_groups.flatMap((group) => group.options);
}

function choice(type, part, option, directory, act) {
  const initial = [part.initial_option, ...(part.initial_options ?? [])].some((each) => each?.value === option.value);
  const input = el("input", { type, name: part.action_id, value: option.value, checked: initial });
  input.addEventListener("change", () => {
    const boxes = [...input.closest(".choices").querySelectorAll("input")];
    const picked = part.options.filter((_, index) => boxes[index].checked);
    act(type === "radio" ? { selected_option: picked[0] } : { selected_options: picked }, input);
  });
  return el("label", {}, input, " ", el("span", {}, textNodes(option.text, directory)));
}
