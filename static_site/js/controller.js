import { Announcer } from "./parts/announcer.js";
import { readAnswer, readExplanation, readTaxonomy } from "./answer.js";
import { Failure } from "./api.js";
import { Composer } from "./parts/composer.js";
import { Cost } from "./parts/cost.js";
import { Decision } from "./parts/result/decision.js";
import { Examples } from "./parts/examples.js";
import { Facets } from "./parts/result/facets.js";
import { Headline } from "./parts/result/headline.js";
import { Notice } from "./parts/notice.js";
import { Provenance } from "./parts/result/provenance.js";
import { Request } from "./parts/request.js";
import { Scores } from "./parts/result/scores.js";
import { Stage } from "./parts/stage.js";
import { Taxonomy } from "./parts/taxonomy.js";
import { Why } from "./parts/result/why.js";
import { SAMPLE_MESSAGE, SLOW, explain, spoken } from "./words.js";

const TYPING_PAUSE_MS = 400;
const SLOW_AFTER_MS = 3_000;

/** Knows all parts and the state, and says: when this, then that. */
export class Controller {
  #api;
  #taxonomy = null;
  #failure = null;
  #answered = null;
  #pause;
  #patience;

  constructor(page) {
    const at = (id) => page.getElementById(id);
    this.announcer = new Announcer(at("announcer"));
    this.composer = new Composer(at("composer"));
    this.cost = new Cost(at("cost"));
    this.decision = new Decision(at("decision"));
    this.examples = new Examples(at("examples"));
    this.facets = new Facets(at("facets"));
    this.headline = new Headline(at("headline"));
    this.notice = new Notice(at("notice"));
    this.provenance = new Provenance(at("provenance"));
    this.request = new Request(at("request"));
    this.scores = new Scores(at("scores"));
    this.stage = new Stage(at("stage"));
    this.taxonomy = new Taxonomy(at("taxonomy"));
    this.why = new Why(at("why"));
  }

  start(api) {
    this.#api = api;
    this.composer.onType = (text) => this.#whenTyped(text);
    this.composer.onSubmit = (text) => this.#whenAsked(text);
    this.examples.onPick = (text) => this.#whenAsked(text);
    this.notice.onRetry = () => this.#retry();
    this.why.onOpen = () => this.#explain(this.#answered);
    addEventListener("online", () => this.#failure?.kind === "offline" && this.#retry());
    this.#whenTyped(this.composer.text);
  }

  #whenTyped(text) {
    this.#showMessage(text);
    clearTimeout(this.#pause);
    if (isEmpty(text)) this.#showNothing();
    else this.#pause = setTimeout(() => this.#classify(text), TYPING_PAUSE_MS);
  }

  async #whenAsked(text) {
    this.composer.update({ text });
    this.#showMessage(text);
    await this.#classify(text);
    this.stage.reveal();
  }

  #retry() {
    if (isEmpty(this.composer.text)) this.#showNothing();
    else this.#classify(this.composer.text);
  }

  async #classify(text) {
    this.#stopWaiting();
    if (isEmpty(text)) return this.showFailure(new Failure("empty"));
    this.#wait();
    try {
      const reply = await this.#api.classify(text);
      if (reply) this.#showAnswer(text, reply);
    } catch (failure) {
      this.showFailure(failure);
    }
  }

  async #learnLabels() {
    try {
      this.#taxonomy = readTaxonomy(await this.#api.labels());
      this.taxonomy.update(this.#taxonomy);
      if (isEmpty(this.composer.text)) this.#showNothing();
    } catch (failure) {
      // With a message in the box, its own answer or failure says more.
      if (isEmpty(this.composer.text)) this.showFailure(failure);
    }
  }

  #showMessage(text) {
    this.examples.update({ text });
    this.request.update(this.#api.requestFor(isEmpty(text) ? SAMPLE_MESSAGE : text));
  }

  #wait() {
    this.stage.update({ busy: true });
    this.#patience = setTimeout(() => this.#showNotice(SLOW), SLOW_AFTER_MS);
  }

  #stopWaiting() {
    clearTimeout(this.#pause);
    clearTimeout(this.#patience);
    this.#api?.abandon();
  }

  #showNothing() {
    this.#stopWaiting();
    this.#failure = null;
    this.notice.update(null);
    this.announcer.update("");
    if (this.#taxonomy) this.stage.update({ panel: "taxonomy" });
    else this.#learnLabels();
  }

  #showAnswer(text, { answer, milliseconds }) {
    const shown = readAnswer(answer, this.#taxonomy);
    this.#stopWaiting();
    this.#failure = null;
    this.notice.update(null);
    this.headline.update(shown.main);
    this.decision.update(shown.decision);
    this.scores.update({ ...shown.main, threshold: shown.decision.threshold });
    this.facets.update(shown.others);
    this.provenance.update({ ...shown.model, milliseconds });
    this.stage.update({ panel: "result" });
    this.#answered = { text, label: shown.main.best };
    this.why.ask(shown.main.name);
    if (this.why.isOpen) this.#explain(this.#answered);
    this.announcer.update(spoken(shown));
    // The page may have opened while the server was down, and a model may be promoted while it is open.
    if (shown.model.version !== this.#taxonomy?.model.version) this.#learnLabels();
  }

  /** A failure of this alone leaves the answer standing. */
  async #explain(answered) {
    try {
      const explanation = readExplanation(await this.#api.explain(answered.text, answered.label));
      if (answered === this.#answered) this.why.update(explanation);
    } catch (failure) {
      const { heading, advice } = explain(failure);
      if (answered === this.#answered) this.why.apologise(`${heading}. ${advice}`);
    }
  }

  /** The one place where every failure of an answer ends. */
  showFailure(failure) {
    this.#stopWaiting();
    this.#failure = failure;
    this.#showNotice(explain(failure));
    this.stage.update({ panel: null });
  }

  #showNotice(notice) {
    this.notice.update(notice);
    this.announcer.update(`${notice.heading}. ${notice.advice}`);
  }
}

function isEmpty(text) {
  return text.trim() === "";
}
