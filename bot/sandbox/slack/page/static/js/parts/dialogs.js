// Dialogs: edit or delete a message, and an app's modal.

import { blockNodes, optionsOf } from "./blocks.js";
import { ask, frame } from "./confirm.js";
import { el, ifChanged, optionElements } from "../dom.js";

export async function promptForText(text) {
  const input = el("textarea", { rows: 4, "aria-label": "Message" });
  input.value = text;
  return (await ask(["Edit message"], [input], "Save", "Cancel")) ? input.value.trim() : null;
}

export function confirmDelete() {
  return ask(["Delete message"], [el("p", {}, "This deletes the message for everyone.")], "Delete", "Cancel", "danger");
}

// --- An app's modal -----------------------------------------------------------------------------------------

export class Modal {
  constructor(actions) {
    this.actions = actions;
    this.dialog = null;
  }

  // `view`: undefined when no modal is open.
  update = ifChanged((view, directory) => {
    this.dialog?.remove();
    this.dialog = view ? this.show(view, directory) : null;
  });

  show(view, directory) {
    const inputs = [];
    const press = (block, part, chosen) => this.actions.pressInView(view.id, block, part, { ...chosen, state: valuesOf(inputs) });
    const upload = (file) => this.actions.upload(file);
    const nodes = view.blocks.flatMap((block) =>
      block.type === "input" ? [inputBlock(block, directory, inputs, upload)] : blockNodes([block], directory, press),
    );
    const close = () => this.actions.closeModal(view.id);
    const dialog = frame([view.title.text], nodes, [
      el("button", { type: "button", class: "element", onclick: close }, view.close?.text ?? "Close"),
      view.submit && el("button", { type: "submit", class: "element primary" }, view.submit.text),
    ].filter(Boolean));
    dialog.addEventListener("cancel", close);
    dialog.querySelector("form").addEventListener("submit", async (event) => {
      event.preventDefault();
      await Promise.all(inputs.map(({ control }) => control.ready?.()));
      showErrors(inputs, await this.actions.submitModal(view.id, valuesOf(inputs)));
    });
    dialog.showModal();
    return dialog;
  }
}

function inputBlock(block, directory, inputs, upload) {
  const control = CONTROLS[block.element.type]?.(block, directory, upload);
  if (!control) return el("p", { class: "unshown" }, `${block.element.type} is not shown here.`);
  const error = el("p", { class: "field-error", role: "alert" });
  inputs.push({ block, control, error });
  const optional = block.optional ? " (optional)" : "";
  const label = el(control.isGroup ? "div" : "label", {}, `${block.label.text}${optional}`, control.node);
  return el("div", { class: "field" }, label, block.hint && el("p", { class: "hint" }, block.hint.text), error);
}

const CONTROLS = {
  file_input: fileInput,
  plain_text_input: ({ element, optional }) => {
    const node = el(element.multiline ? "textarea" : "input", {
      rows: element.multiline && Math.min(18, Math.max(4, (element.initial_value ?? "").split("\n").length + 1)),
      placeholder: element.placeholder?.text,
      required: !optional,
      maxlength: element.max_length,
    });
    node.value = element.initial_value ?? "";
    return { node, value: () => ({ value: node.value || null }) };
  },
  channels_select: ({ element, optional }, directory) => {
    const node = single(directory.channelOptions(), element.initial_channel, element, optional);
    return { node, value: () => ({ selected_channel: node.value || null }) };
  },
  multi_static_select: ({ element, optional }) => {
    const options = optionsOf(element);
    const chosen = (element.initial_options ?? []).map((option) => option.value);
    return multiple(options, chosen, optional, (values) => ({ selected_options: options.filter((option) => values.includes(option.value)) }));
  },
  multi_users_select: ({ element, optional }, directory) =>
    multiple(directory.userOptions(), element.initial_users ?? [], optional, (values) => ({ selected_users: values })),
  multi_conversations_select: ({ element, optional }, directory) =>
    multiple(directory.channelOptions(), element.initial_conversations ?? [], optional, (values) => ({ selected_conversations: values })),
  checkboxes: ({ element }) => {
    const initial = (element.initial_options ?? []).map((option) => option.value);
    const boxes = element.options.map((option) => {
      const input = el("input", { type: "checkbox", checked: initial.includes(option.value) });
      return { option, input, label: el("label", {}, input, " ", option.text.text) };
    });
    const node = el("div", { class: "choices" }, boxes.map(({ label }) => label));
    return { node, isGroup: true, value: () => ({ selected_options: boxes.filter(({ input }) => input.checked).map(({ option }) => option) }) };
  },
  static_select: ({ element, optional }) => {
    const options = optionsOf(element);
    const node = single(options, element.initial_option?.value, element, optional);
    return { node, value: () => ({ selected_option: options.find((option) => option.value === node.value) ?? null }) };
  },
};

function single(options, chosen, element, optional) {
  const empty = el("option", { value: "" }, element.placeholder?.text ?? "Choose");
  return el("select", { required: !optional }, empty, optionElements(options, [chosen]));
}

function multiple(options, chosen, optional, value) {
  const node = el("select", { multiple: true, size: Math.min(4, options.length), required: !optional }, optionElements(options, chosen));
  return { node, value: () => value([...node.selectedOptions].map((option) => option.value)) };
}

// As in Slack, a file is uploaded when it is chosen; the app receives the file object.
function fileInput({ element, optional }, directory, upload) {
  const accept = element.filetypes?.map((each) => `.${each}`).join(",");
  const node = el("input", { type: "file", accept, required: !optional, multiple: element.max_files !== 1 });
  let uploads = [];
  let files = [];
  node.addEventListener("change", () => (uploads = [...node.files].map(upload)));
  const ready = async () => (files = (await Promise.all(uploads)).filter(Boolean));
  return { node, ready, value: () => ({ files }) };
}

function valuesOf(inputs) {
  const values = {};
  for (const { block, control } of inputs) {
    values[block.block_id] = { [block.element.action_id]: { type: block.element.type, ...control.value() } };
  }
  return values;
}

function showErrors(inputs, errors) {
  for (const { block, error } of inputs) error.textContent = errors[block.block_id] ?? "";
}
