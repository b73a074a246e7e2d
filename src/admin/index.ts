// src/admin/index.ts — the operators' HTTP API, its authorisation and its audit trail.
export type * from './api.ts'
export type { AuditLine, AuditTrail } from './audit-trail.ts'
export { openAuditTrail } from './audit-trail.ts'
export { Approvals } from './approvals.ts'
export type { Operator } from './credentials.ts'
export type {
  AdminHealth,
  AdminParts,
  AdminSwitch,
  AdminWebhooks,
  PartnerFile,
  ProductFile,
} from './parts.ts'
export { startAdmin } from './server.ts'
