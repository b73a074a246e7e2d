// src/listener/index.ts — sources that dial us: sessions and admission.
export type * from './listener.ts'
export type { CallbackLimits, CallbackListenerOptions } from './callbacks/listener.ts'
export { CallbackListener } from './callbacks/listener.ts'
export type { Refusal, TellRefusal } from './callbacks/refusal.ts'
export type { CallbackRoute } from './callbacks/routes.ts'
export type { ListenerParts } from './frames.ts'
export { FrameListener } from './frames.ts'
