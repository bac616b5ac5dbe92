// A menu that opens next to a button. Arrow keys move the focus; Escape or a click elsewhere closes it.

import { el } from "../dom.js";

// `items` have `nodes` to show, and a `label` if those are not text.
export function openMenu(anchor, items, onChoose, layout = "list") {
  const close = () => {
    document.removeEventListener("pointerdown", closeIfOutside, true);
    menu.remove();
    anchor.setAttribute("aria-expanded", "false");
  };
  const closeIfOutside = (event) => {
    if (!menu.contains(event.target)) close();
  };
  const choose = (item) => {
    close();
    anchor.focus();
    onChoose(item);
  };
  const buttons = items.map((item) =>
    el("button", { type: "button", role: "menuitem", "aria-label": item.label, title: item.label, onclick: () => choose(item) }, item.nodes),
  );
  const menu = el("div", { class: `menu ${layout}`, role: "menu", onkeydown: (event) => onKey(event, buttons, close, anchor) }, buttons);
  (anchor.closest("dialog") ?? document.body).append(menu);
  place(menu, anchor);
  anchor.setAttribute("aria-expanded", "true");
  document.addEventListener("pointerdown", closeIfOutside, true);
  buttons[0]?.focus();
}

function onKey(event, buttons, close, anchor) {
  const steps = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 };
  const step = steps[event.key];
  if (step) {
    const next = (buttons.indexOf(document.activeElement) + step + buttons.length) % buttons.length;
    buttons[next].focus();
  } else if (event.key === "Escape" || event.key === "Tab") {
    close();
    anchor.focus();
  } else return;
  event.preventDefault();
  event.stopPropagation();
}

function place(menu, anchor) {
  const edge = 8;
  const at = anchor.getBoundingClientRect();
  const fitsBelow = at.bottom + menu.offsetHeight + edge < innerHeight;
  menu.style.top = `${fitsBelow ? at.bottom + 4 : Math.max(edge, at.top - menu.offsetHeight - 4)}px`;
  menu.style.left = `${Math.max(edge, Math.min(at.left, innerWidth - menu.offsetWidth - edge))}px`;
}
