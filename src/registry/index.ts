export { renderCard } from "./card.ts";
export { loadModelLock, loadModels, lockPath, productionVersion } from "./models.ts";
export type { Model } from "./models.ts";
export { planPromotion } from "./plan.ts";
export type { Candidate, PromotionPlan } from "./plan.ts";
export { promote } from "./promote.ts";
export type { PromoteOptions, Promotion } from "./promote.ts";
