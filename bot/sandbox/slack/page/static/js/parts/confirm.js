// Dialogs that ask for confirmation.

import { el } from "../dom.js";
import { textNodes } from "../mrkdwn.js";

export async function confirmed(confirm, directory, anchor) {
  const answer = await ask(
    textNodes(confirm.title, directory),
    [el("div", { class: "text" }, textNodes(confirm.text, directory))],
    confirm.confirm.text,
    confirm.deny.text,
    confirm.style,
  );
  anchor.focus();
  return answer;
}

export function ask(title, nodes, yes, no, style = "primary") {
  return new Promise((resolve) => {
    const dialog = frame(title, nodes, [
      el("button", { type: "button", class: "element", onclick: () => dialog.close("no") }, no),
      el("button", { type: "submit", class: `element ${style}` }, yes),
    ]);
    dialog.querySelector("form").addEventListener("submit", (event) => {
      event.preventDefault();
      dialog.close("yes");
    });
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue === "yes");
    });
    dialog.showModal();
  });
}

export function frame(title, nodes, buttons) {
  const form = el("form", { method: "dialog" }, el("h2", {}, title), nodes, el("div", { class: "dialog-buttons" }, buttons));
  const dialog = el("dialog", { class: "dialog" }, form);
  document.body.append(dialog);
  return dialog;
}
