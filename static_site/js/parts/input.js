import { characters } from "../text.js";

/** The box that a message is written in. */
export class Composer {
  #form;
  #message;
  #count;
  onType = () => {};
  onSubmit = () => {};

  constructor(form) {
    this.#form = form;
    this.#message = form.querySelector("textarea");
    this.#count = form.querySelector("#composer-count");
    this.#message.addEventListener("input", () => {
      this.#showCount();
      this.onType(this.text);
    });
    this.#message.addEventListener("keydown", (event) => this.#onKey(event));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.onSubmit(this.text);
    });
  }

  get text() {
    return this.#message.value;
  }

  update({ text }) {
    this.#message.value = text;
    this.#showCount();
  }

  #onKey(event) {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && !event.isComposing) this.#form.requestSubmit();
  }

  #showCount() {
    this.#count.textContent = characters([...this.text].length);
  }
}

/** Example messages: one button each, with the whole message in `data-message`. */
export class Examples {
  #element;
  onPick = () => {};

  constructor(element) {
    this.#element = element;
    element.addEventListener("click", ({ target }) => {
      const button = target.closest("button");
      if (button) this.onPick(button.dataset.message);
    });
  }

  /** Mark the example with this text, if there is one. */
  update({ text }) {
    for (const button of this.#element.querySelectorAll("button")) {
      button.setAttribute("aria-current", String(button.dataset.message === text));
    }
  }
}
