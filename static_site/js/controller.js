import { readAnswer, readExplanation, readTaxonomy } from "./answer.js";
import { Failure } from "./api.js";
import { Cost, Taxonomy } from "./parts/about.js";
import { Composer, Examples } from "./parts/input.js";
import { Request } from "./parts/request.js";
import { Facets } from "./parts/result/facets.js";
import { Decision, Headline, Provenance, Scores } from "./parts/result/verdict.js";
import { Why } from "./parts/result/why.js";
import { Announcer, Notice, Stage } from "./parts/status.js";
import { SAMPLE_MESSAGE, SLOW, describeFailure, spoken } from "./text.js";

const TYPING_PAUSE_MS = 400;
const SLOW_AFTER_MS = 3_000;

/** Connects the parts: handles their events, calls the API and updates them. */
export class Controller {
  #api;
  #taxonomy = null;
  #failure = null;
  #answered = null;
  #typingTimer;
  #slowTimer;

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
    this.composer.onType = (text) => this.#onType(text);
    this.composer.onSubmit = (text) => this.#onSubmit(text);
    this.examples.onPick = (text) => this.#onSubmit(text);
    this.notice.onRetry = () => this.#retry();
    this.why.onOpen = () => this.#explain(this.#answered);
    addEventListener("online", () => this.#failure?.kind === "offline" && this.#retry());
    this.#onType(this.composer.text);
  }

  #onType(text) {
    this.#showMessage(text);
    clearTimeout(this.#typingTimer);
    if (isEmpty(text)) this.#showNothing();
    else this.#typingTimer = setTimeout(() => this.#classify(text), TYPING_PAUSE_MS);
  }

  async #onSubmit(text) {
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

  async #loadLabels() {
    try {
      this.#taxonomy = readTaxonomy(await this.#api.labels());
      this.taxonomy.update(this.#taxonomy);
      if (isEmpty(this.composer.text)) this.#showNothing();
    } catch (failure) {
      // If there is a message, its own answer or failure matters more.
      if (isEmpty(this.composer.text)) this.showFailure(failure);
    }
  }

  #showMessage(text) {
    this.examples.update({ text });
    this.request.update(this.#api.requestFor(isEmpty(text) ? SAMPLE_MESSAGE : text));
  }

  #wait() {
    this.stage.update({ busy: true });
    this.#slowTimer = setTimeout(() => this.#showNotice(SLOW), SLOW_AFTER_MS);
  }

  #stopWaiting() {
    clearTimeout(this.#typingTimer);
    clearTimeout(this.#slowTimer);
    this.#api?.abort();
  }

  #showNothing() {
    this.#stopWaiting();
    this.#failure = null;
    this.notice.update(null);
    this.announcer.update("");
    if (this.#taxonomy) this.stage.update({ panel: "taxonomy" });
    else this.#loadLabels();
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
    // The labels may be missing (the server was down) or outdated (another model was promoted).
    if (shown.model.version !== this.#taxonomy?.model.version) this.#loadLabels();
  }

  /** Show the explanation; if it fails, the answer stays. */
  async #explain(answered) {
    try {
      const explanation = readExplanation(await this.#api.explain(answered.text, answered.label));
      if (answered === this.#answered) this.why.update(explanation);
    } catch (failure) {
      const { heading, advice } = describeFailure(failure);
      if (answered === this.#answered) this.why.showFailure(`${heading}. ${advice}`);
    }
  }

  /** Show why there is no answer. */
  showFailure(failure) {
    this.#stopWaiting();
    this.#failure = failure;
    this.#showNotice(describeFailure(failure));
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
