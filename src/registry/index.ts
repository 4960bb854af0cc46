export { renderCard } from "./card.ts";
export { chooseModels, liveModels, loadModelLock, loadModels, lockPath, productionVersion } from "./models.ts";
export type { Live, Model } from "./models.ts";
export { planPromotion } from "./plan.ts";
export type { Candidate, PromotionPlan } from "./plan.ts";
export { promote } from "./promote.ts";
export type { PromoteOptions, Promotion } from "./promote.ts";
