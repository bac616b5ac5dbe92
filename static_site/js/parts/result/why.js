import { EXPLAINING, UNKNOWN_WORD, effect, signed, summary } from "../../text.js";

const MAX_WORDS = 8;

/** Why this label: the contribution of each word, strongest first. Loaded when it is opened. */
export class Why {
  #element;
  #question;
  #note;
  #list;

  onOpen = () => {};

  constructor(element) {
    this.#element = element;
    this.#question = element.querySelector("summary");
    this.#note = element.querySelector("p");
    this.#list = element.querySelector("ol");
    element.addEventListener("toggle", () => element.open && this.onOpen());
  }

  get isOpen() {
    return this.#element.open;
  }

  /** Show that there is a new answer with this label, whose explanation is not loaded yet. */
  ask(name) {
    this.#question.textContent = `Why ${name}?`;
    this.#show([], EXPLAINING);
  }

  /** `words`: `[{ word, contribution, known }]` in the order of the text; `baseline`: the score without any word. */
  update({ words, baseline }) {
    const strongest = words.toSorted((a, b) => Math.abs(b.contribution) - Math.abs(a.contribution));
    const shown = strongest.slice(0, MAX_WORDS);
    const others = strongest.slice(MAX_WORDS).reduce((sum, { contribution }) => sum + contribution, 0);
    const longest = Math.abs(shown[0]?.contribution ?? 0) || 1;
    this.#show(shown.map((each) => newRow(each, longest)), summary(strongest.length - shown.length, others, baseline));
  }

  /** Show why there is no explanation. */
  showFailure(sentence) {
    this.#show([], sentence);
  }

  #show(rows, note) {
    this.#list.replaceChildren(...rows);
    this.#list.hidden = rows.length === 0;
    this.#note.textContent = note;
  }
}

function newRow({ word, contribution, known }, longest) {
  const row = document.createElement("li");
  row.className = contribution < 0 ? "against" : "for";
  const track = newPart("why-track", "");
  track.style.setProperty("--share", Math.abs(contribution) / longest);
  const name = newPart("why-word", word);
  if (!known) name.append(newPart("why-new", ` ${UNKNOWN_WORD}`));
  row.append(name, track, newPart("why-value", signed(contribution)), newPart("visually-hidden", ` ${effect(contribution)}`));
  return row;
}

function newPart(name, text) {
  const part = document.createElement("span");
  part.className = name;
  part.textContent = text;
  return part;
}
