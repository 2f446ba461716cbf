import type { JsonData } from './json-shaped.ts'
import type { SchemaInput, SchemaOutput, StandardSchema } from './standard-schema.ts'

/** A schema for each name of a type map, for one that is written by hand. */
export type SchemasOf<Map> = { readonly [Name in keyof Map]: StandardSchema<Map[Name], Map[Name]> }

/** Schemas that a type map is taken from: use it as `Schemas extends JsonSchemas<Schemas>`. Their inputs must survive JSON. */
export type JsonSchemas<Schemas> = {
  readonly [Name in keyof Schemas]: Schemas[Name] extends StandardSchema
    ? StandardSchema<JsonData<SchemaInput<Schemas[Name]>>, unknown>
    : StandardSchema
}

/** What producers give, by name. */
export type SchemaInputs<Schemas> = {
  readonly [Name in keyof Schemas]: Schemas[Name] extends StandardSchema ? SchemaInput<Schemas[Name]> : never
}

/** What handlers get, by name. */
export type SchemaOutputs<Schemas> = {
  readonly [Name in keyof Schemas]: Schemas[Name] extends StandardSchema ? SchemaOutput<Schemas[Name]> : never
}
