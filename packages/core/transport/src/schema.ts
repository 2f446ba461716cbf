export { checkOutgoing } from './schema/check-outgoing.ts'
export type { OutgoingEntry } from './schema/check-outgoing.ts'
export { listNames } from './schema/list-names.ts'
export { schemasRule } from './schema/schemas-rule.ts'
export { withSchema } from './schema/with-schema.ts'
export type { JsonData, JsonMap } from './schema/json-shaped.ts'
export type { JsonSchemas, SchemaInputs, SchemaOutputs, SchemasOf } from './schema/schema-map.ts'
export type {
  SchemaInput,
  SchemaOutput,
  StandardIssue,
  StandardResult,
  StandardSchema,
} from './schema/standard-schema.ts'
