import { characters } from "../words.js";

/** The box a message is written in. */
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
    this.#message.addEventListener("keydown", (event) => this.#whenKeyPressed(event));
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

  #whenKeyPressed(event) {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && !event.isComposing) this.#form.requestSubmit();
  }

  #showCount() {
    this.#count.textContent = characters([...this.text].length);
  }
}
