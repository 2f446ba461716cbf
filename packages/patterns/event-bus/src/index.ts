export { createEventBus } from './create-event-bus.ts'
export type {
  EphemeralOptions,
  EventBus,
  EventHandler,
  EventOptions,
  GroupOptions,
  MatchingEvent,
  NewEvent,
  PublishOptions,
  SubscribeOptions,
} from './event-bus.ts'
export type { MatchingNames } from './matching-names.ts'
