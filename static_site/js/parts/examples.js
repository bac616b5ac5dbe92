/** Messages to try; a button each, with its whole message in `data-message`. */
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

  /** Mark the example that `text` is, if it is one. */
  update({ text }) {
    for (const button of this.#element.querySelectorAll("button")) {
      button.setAttribute("aria-current", String(button.dataset.message === text));
    }
  }
}
