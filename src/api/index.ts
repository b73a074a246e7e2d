// src/api/index.ts — the partners' HTTP API and the webhooks that tell them of their payments' ends.
export { API_PACK } from './exchange.ts'
export { API_FRAMES } from './frames.ts'
export { MemoryRequests, MemoryWebhooks } from './memory.ts'
export { openapi } from './openapi.ts'
export type {
  ApiIdentity,
  ApiLimits,
  ApiParts,
  ApiPartner,
  ApiProduct,
  ApiTls,
  Rate,
} from './parts.ts'
export { PostgresRequests, PostgresWebhooks } from './postgres.ts'
export { ApiServer } from './server.ts'
export type { SignedParts } from './signature.ts'
export { authorizationOf } from './signature.ts'
export { SnapDesk } from './snap/desk.ts'
export type { SnapBank, SnapParts, SnapService } from './snap/parts.ts'
export type * from './store.ts'
export type { AttemptView, EventStory, EventView } from './webhooks/desk.ts'
export { WebhookDesk } from './webhooks/desk.ts'
export type { WebhookOptions, WebhookParts, WebhookTarget } from './webhooks/dispatcher.ts'
export { WebhookDispatcher } from './webhooks/dispatcher.ts'
export { HttpSender } from './webhooks/sender.ts'
