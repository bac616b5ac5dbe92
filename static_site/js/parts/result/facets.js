import { Bars } from "./bars.js";

/** The other facets, each as a small card with bars. */
export class Facets {
  #element;
  #cards = new Map();

  constructor(element) {
    this.#element = element;
  }

  update(facets) {
    const names = facets.map(({ facet }) => facet);
    if (names.join() !== [...this.#cards.keys()].join()) this.#build(names);
    for (const facet of facets) this.#cards.get(facet.facet)(facet);
  }

  #build(names) {
    this.#cards = new Map();
    this.#element.replaceChildren();
    for (const name of names) {
      const card = newCard();
      this.#element.append(card);
      this.#cards.set(name, updaterOf(card));
    }
  }
}

function newCard() {
  const card = document.createElement("section");
  card.className = "card facet";
  const heading = document.createElement("h2");
  heading.append(document.createElement("span"), " ", document.createElement("strong"));
  const list = document.createElement("ol");
  list.className = "bars compact";
  card.append(heading, list);
  return card;
}

function updaterOf(card) {
  const [title, name] = card.querySelectorAll("h2 > *");
  const bars = new Bars(card.querySelector("ol"));
  return (facet) => {
    title.textContent = facet.title;
    name.textContent = facet.name;
    bars.update(facet);
  };
}
