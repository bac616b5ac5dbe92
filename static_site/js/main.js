import { Api, loadCost, loadSettings } from "./api.js";
import { Controller } from "./controller.js";

const controller = new Controller(document);
loadSettings().then(
  ({ apiUrl }) => controller.start(new Api(apiUrl)),
  (failure) => controller.showFailure(failure),
);
loadCost().then((cost) => controller.cost.update(cost));
