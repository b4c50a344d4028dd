// Makes TypeScript of the shapes in the server's OpenAPI document. It knows what that document uses, and
// refuses what else there may be.

/** A schema of the document. */
interface Schema {
  $ref?: string;
  type?: string | string[];
  description?: string;
  enum?: string[];
  oneOf?: Schema[];
  items?: Schema;
  minItems?: number;
  maxItems?: number;
  properties?: Record<string, Schema>;
  required?: string[];
  additionalProperties?: Schema;
  propertyNames?: Schema;
}

export interface Document {
  components: { schemas: Record<string, Schema> };
}

const HEADER = `// The shapes of the server's answers. Made of its OpenAPI document by \`npm run types\`; not to be edited.
// Times are seconds since 1970.
`;

export function shapesOf({ components: { schemas } }: Document): string {
  const shapes = Object.entries(schemas)
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([name, schema]) => comment(schema.description, "") + shape(name, schema));
  return `${HEADER}\n${shapes.join("\n")}`;
}

function shape(name: string, schema: Schema): string {
  if (schema.enum) {
    const words = schema.enum.map((word) => JSON.stringify(word)).join(", ");
    return `export const ${name} = [${words}] as const;\nexport type ${name} = (typeof ${name})[number];\n`;
  }
  if (!schema.properties) return `export type ${name} = ${type(schema)};\n`;
  const fields = Object.entries(schema.properties).map(([field, of]) => {
    const isRequired = schema.required?.includes(field) ?? false;
    const key = /^\w+$/.test(field) ? field : JSON.stringify(field);
    return `${comment(of.description, "  ")}  ${key}${isRequired ? "" : "?"}: ${type(of)};\n`;
  });
  return `export interface ${name} {\n${fields.join("")}}\n`;
}

function type(schema: Schema): string {
  if (schema.$ref) return schema.$ref.slice(schema.$ref.lastIndexOf("/") + 1);
  if (schema.oneOf) return schema.oneOf.map(type).join(" | ");
  if (schema.enum) return schema.enum.map((word) => JSON.stringify(word)).join(" | ");
  if (Array.isArray(schema.type)) return schema.type.map((one) => type({ ...schema, type: one })).join(" | ");
  switch (schema.type) {
    case "string":
    case "boolean":
    case "null":
      return schema.type;
    case "integer":
    case "number":
      return "number";
    case "array":
      return list(schema);
    case "object":
      return map(schema);
    case undefined:
      return "unknown";
    default:
      throw new Error(`no TypeScript is known for ${JSON.stringify(schema)}`);
  }
}

function list({ items = {}, minItems, maxItems }: Schema): string {
  if (maxItems !== undefined && minItems === maxItems) return `[${Array(maxItems).fill(type(items)).join(", ")}]`;
  const of = type(items);
  return of.includes(" ") ? `(${of})[]` : `${of}[]`;
}

function map({ additionalProperties, propertyNames }: Schema): string {
  const value = additionalProperties ? type(additionalProperties) : "unknown";
  // Keys that are words of a list need not all be there.
  if (propertyNames?.$ref) return `Partial<Record<${type(propertyNames)}, ${value}>>`;
  return `Record<string, ${value}>`;
}

function comment(text: string | undefined, indent: string): string {
  return text ? `${indent}/** ${text.replace(/\s+/g, " ").replaceAll("*/", "* /")} */\n` : "";
}
