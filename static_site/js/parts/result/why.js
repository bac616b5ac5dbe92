import { UNSTUDIED, WAITING_FOR_WHY, elsewhere, signed, stance } from "../../words.js";

const MOST_WORDS = 8;

/** Why a label: what each word of the message adds to it, the strongest first. Asked for when it is opened. */
export class Why {
  #element;
  #question;
  #note;
  #list;

  /** Called when somebody opens it. */
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

  /** A new answer: `name` is the label's; its words are not known yet. */
  ask(name) {
    this.#question.textContent = `Why ${name}?`;
    this.#show([], WAITING_FOR_WHY);
  }

  /** `words` as `[{ word, contribution, known }]` in the text's order, `baseline` what the model says of any text. */
  update({ words, baseline }) {
    const strongest = words.toSorted((a, b) => Math.abs(b.contribution) - Math.abs(a.contribution));
    const shown = strongest.slice(0, MOST_WORDS);
    const others = strongest.slice(MOST_WORDS).reduce((sum, { contribution }) => sum + contribution, 0);
    const longest = Math.abs(shown[0]?.contribution ?? 0) || 1;
    this.#show(shown.map((each) => newRow(each, longest)), elsewhere(strongest.length - shown.length, others, baseline));
  }

  /** There is no explanation, and `sentence` says why. */
  apologise(sentence) {
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
  if (!known) name.append(newPart("why-new", ` ${UNSTUDIED}`));
  row.append(name, track, newPart("why-value", signed(contribution)), newPart("visually-hidden", ` ${stance(contribution)}`));
  return row;
}

function newPart(name, text) {
  const part = document.createElement("span");
  part.className = name;
  part.textContent = text;
  return part;
}
