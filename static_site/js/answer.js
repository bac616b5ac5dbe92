import { Failure } from "./api.js";
import { title } from "./text.js";

/**
 * Convert an answer of `PUT /blazingtext` into
 * `{ main, others, decision: { automatic, threshold (or null), reason }, model: { version, servedBy } }`. Each facet is
 * `{ title, best, name, confidence, scores: [{ label, name, confidence }] }`. The scores of the main facet are sorted by
 * confidence, those of the others in the order of `taxonomy` (the answer of `GET /labels`, null until it is loaded), so
 * that scales such as low, normal, high stay in order.
 * Throws Failure("invalid") if the answer has another shape.
 */
export function readAnswer(answer, taxonomy) {
  const facets = Object.entries(answer).filter(([, value]) => isFacet(value));
  if (facets.length === 0 || !isDecision(answer.decision) || !isModel(answer.model)) throw new Failure("invalid");
  const [main, ...others] = facets.map(([name, facet]) => readFacet(name, facet));
  return {
    main,
    others: others.map((facet) => inOrder(facet, taxonomy)),
    decision: { ...answer.decision, threshold: answer.decision.threshold ?? null },
    model: { version: answer.model.version, servedBy: answer.model.served_by },
  };
}

/** Check an answer of `GET /labels` and return it. Throws Failure("invalid") if it has another shape. */
export function readTaxonomy(answer) {
  const hasFacets = Array.isArray(answer.facets) && answer.facets.every((facet) => Array.isArray(facet?.labels));
  if (!hasFacets || !isModel(answer.model)) throw new Failure("invalid");
  return answer;
}

/**
 * Convert an answer of `POST /explain` about one label into `{ words: [{ word, contribution, known }], baseline }`.
 * Throws Failure("invalid") if the answer has another shape.
 */
export function readExplanation(answer) {
  const [{ words, baseline } = {}] = Array.isArray(answer.explanations) ? answer.explanations : [];
  if (!Number.isFinite(baseline) || !Array.isArray(words) || !words.every(isContribution)) throw new Failure("invalid");
  return { words, baseline };
}

function isContribution(value) {
  return typeof value?.word === "string" && Number.isFinite(value.contribution);
}

function isFacet(value) {
  return Array.isArray(value?.alternatives) && [value, ...value.alternatives].every(isScore);
}

function isScore(value) {
  return typeof value?.label === "string" && typeof value.name === "string" && Number.isFinite(value.confidence);
}

function isDecision(value) {
  return typeof value?.automatic === "boolean" && typeof value.reason === "string";
}

function isModel(value) {
  return typeof value?.version === "string";
}

function readFacet(facet, { label, name, confidence, alternatives }) {
  const others = alternatives.filter((alternative) => alternative.label !== label);
  const scores = [{ label, name, confidence }, ...others].sort((a, b) => b.confidence - a.confidence);
  return { facet, title: title(facet), best: label, name, confidence, scores };
}

function inOrder(facet, taxonomy) {
  const labels = taxonomy?.facets.find(({ name }) => name === facet.facet)?.labels.map(({ label }) => label) ?? [];
  const scores = facet.scores.toSorted((a, b) => labels.indexOf(a.label) - labels.indexOf(b.label));
  return { ...facet, scores };
}
