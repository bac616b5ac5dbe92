/** Says to a screen reader, when it has time, what others see at a glance. */
export class Announcer {
  #element;

  constructor(element) {
    this.#element = element;
  }

  update(sentence) {
    this.#element.textContent = sentence;
  }
}
