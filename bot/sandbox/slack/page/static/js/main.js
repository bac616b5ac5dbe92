import { Controller } from "./controller.js";

new Controller().start();
