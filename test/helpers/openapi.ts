/**
 * Holds the sandbox, and with it every request the product makes, to GitHub's own API description. An observer sees
 * each call; what the description does not allow is collected and must be empty at the end of a test.
 */
import { readFileSync } from "node:fs";
import { Ajv, type ValidateFunction } from "ajv";
import addFormats from "ajv-formats";
import { DESCRIPTION } from "../../scripts/openapi.ts";
import type { Exchange, Observer } from "../../src/sandbox/index.ts";

type Schema = Record<string, unknown>;

interface Parameter {
  readonly name: string;
  readonly in: "path" | "query" | "header";
  readonly required?: boolean;
  readonly schema: Schema;
}

interface Body {
  readonly required?: boolean;
  readonly content?: Readonly<Record<string, { readonly schema: Schema }>>;
}

interface Operation {
  readonly parameters?: readonly (Parameter | { readonly $ref: string })[];
  readonly requestBody?: Body;
  readonly responses: Readonly<Record<string, Body | { readonly $ref: string }>>;
}

interface Description {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

export interface OpenApiObserver {
  readonly observer: Observer;
  /** What was against the description so far, one sentence each. */
  readonly violations: () => readonly string[];
  /** Number of calls checked. */
  readonly requests: () => number;
}

/**
 * Where GitHub itself is known not to keep to its description, or the description is silent: any operation may be
 * refused for these reasons, with the body of a basic or a validation error.
 */
const REFUSALS = new Set([401, 403, 404, 409, 410, 422, 429]);

/** Keys that name a map of schemas: their members are never keywords. */
const MAPS = new Set(["properties", "patternProperties", "schemas"]);

/**
 * Changes the description in place: OpenAPI 3.0 says `nullable` where JSON Schema says type null, and an address whose
 * default is "" may be just that.
 */
function patch(node: unknown, inMap = false): void {
  if (Array.isArray(node)) return node.forEach((item) => patch(item));
  if (typeof node !== "object" || node === null) return;
  const schema = node as Schema;
  for (const [key, child] of Object.entries(schema)) {
    if (key !== "example" && key !== "examples" && key !== "enum") patch(child, !inMap && MAPS.has(key));
  }
  if (inMap) return;
  if (schema["format"] === "uri" && schema["default"] === "") delete schema["format"];
  // What a cut upload leaves: GitHub's text names the state, its schema does not.
  const values = schema["enum"];
  if (Array.isArray(values) && values.join() === "uploaded,open") values.push("starter");
  if (schema["nullable"] !== true) return;
  delete schema["nullable"];
  if (typeof schema["type"] === "string") {
    schema["type"] = [schema["type"], "null"];
    if (Array.isArray(schema["enum"]) && !schema["enum"].includes(null)) schema["enum"].push(null);
    // A type of null is of no use where a combination still asks for something else.
    for (const combination of ["anyOf", "oneOf", "allOf"]) {
      const parts = schema[combination];
      if (Array.isArray(parts) && combination !== "allOf") parts.push({ type: "null" });
    }
    return;
  }
  const rest = { ...schema };
  for (const key of Object.keys(schema)) delete schema[key];
  schema["anyOf"] = [rest, { type: "null" }];
}

/** The description leaves request bodies open, so that a misspelt field would pass: closes every object in one. */
function closed(node: unknown, components: Description["components"]): Schema {
  const schema = node as Schema;
  if (typeof schema["$ref"] === "string") {
    return closed(components["schemas"]?.[schema["$ref"].split("/").at(-1) ?? ""], components);
  }
  const inner = (value: unknown): Schema => closed(value, components);
  const result: Schema = { ...schema };
  if (isRecord(schema["items"])) result["items"] = inner(schema["items"]);
  if (isRecord(schema["properties"])) {
    result["additionalProperties"] = schema["additionalProperties"] ?? false;
    const properties = Object.entries(schema["properties"]).map(([name, value]) => [name, inner(value)]);
    result["properties"] = Object.fromEntries(properties) as Schema;
    return result;
  }
  // Alternatives of an object with properties only add conditions to it; alone, they are the object.
  for (const kind of ["anyOf", "oneOf"]) {
    if (Array.isArray(schema[kind])) result[kind] = schema[kind].map(inner);
  }
  return result;
}

const SLASHES = /^(\/repos\/[^/]+\/[^/]+\/(?:contents|git\/refs?|git\/matching-refs|branches))\/(.*)$/;
const EMPTY = ".";

class Checker {
  readonly #description: Description;
  readonly #ajv: Ajv;
  readonly #validators = new Map<string, ValidateFunction>();
  readonly #routes: readonly { readonly template: string; readonly pattern: RegExp; readonly rank: string }[];

  constructor() {
    this.#description = JSON.parse(readFileSync(DESCRIPTION, "utf8")) as Description;
    patch(this.#description);
    this.#ajv = new Ajv({ strict: false, allErrors: true, validateSchema: false, logger: false });
    addFormats.default(this.#ajv);
    // GitHub's own bots have addresses with brackets (`github-actions[bot]@users.noreply.github.com`) in its answers.
    this.#ajv.addFormat("email", /^[^@\s]+@[^@\s]+$/);
    this.#ajv.addSchema({ $id: "gh", components: this.#description.components });
    this.#routes = Object.keys(this.#description.paths)
      .map((template) => ({
        template,
        pattern: new RegExp(`^${template.replaceAll(".", "\\.").replace(/\{[^}]+\}/g, "([^/]+)")}$`),
        rank: template.replace(/\{[^}]+\}/g, "~"),
      }))
      .toSorted((a, b) => (a.rank < b.rank ? -1 : 1));
  }

  check(exchange: Exchange): string[] {
    const route = this.#route(exchange.path);
    const operation = route && this.#description.paths[route.template]?.[exchange.method.toLowerCase()];
    if (route === undefined || operation === undefined) return ["GitHub's description has no such route"];
    return [
      ...this.#parameters(route.template, route.values, operation, exchange),
      ...this.#request(route.template, operation, exchange),
      ...this.#response(route.template, operation, exchange),
    ];
  }

  #route(path: string): { template: string; values: Record<string, string> } | undefined {
    // Where a path or a ref is a parameter, GitHub takes its slashes unencoded too, and an empty path.
    const loose = path.replace(/\/contents$/, "/contents/").replace(SLASHES, (_, head: string, rest: string) => {
      const value = decodeURIComponent(rest);
      return `${head}/${value === "" ? EMPTY : encodeURIComponent(value)}`;
    });
    for (const { template, pattern } of this.#routes) {
      const match = pattern.exec(loose);
      if (match === null) continue;
      const names = [...template.matchAll(/\{([^}]+)\}/g)].map(([, name]) => name ?? "");
      return {
        template,
        values: Object.fromEntries(names.map((name, index) => [name, decodeURIComponent(match[index + 1] ?? "")])),
      };
    }
    return undefined;
  }

  #validator(key: string, schema: () => Schema): ValidateFunction {
    const known = this.#validators.get(key) ?? this.#ajv.compile(absolute(schema()));
    this.#validators.set(key, known);
    return known;
  }

  #problems(key: string, schema: () => Schema, value: unknown): string[] {
    const validate = this.#validator(key, schema);
    if (validate(value)) return [];
    return (validate.errors ?? []).map((error) => {
      const extra =
        typeof error.params["additionalProperty"] === "string" ? ` (${error.params["additionalProperty"]})` : "";
      return `${error.instancePath || "/"} ${error.message ?? ""}${extra}`;
    });
  }

  #parameters(
    template: string,
    values: Readonly<Record<string, string>>,
    operation: Operation,
    exchange: Exchange,
  ): string[] {
    const parameters = (operation.parameters ?? []).map((parameter) => this.#resolve<Parameter>(parameter));
    const problems: string[] = [];
    const known = new Set(parameters.filter((parameter) => parameter.in === "query").map(({ name }) => name));
    for (const name of Object.keys(exchange.query))
      if (!known.has(name)) problems.push(`unknown query parameter ${name}`);
    for (const parameter of parameters) {
      if (parameter.in === "header") continue;
      const text = parameter.in === "path" ? values[parameter.name] : exchange.query[parameter.name];
      if (text === undefined) {
        if (parameter.required === true) problems.push(`${parameter.in} parameter ${parameter.name} is missing`);
        continue;
      }
      const key = `${exchange.method} ${template} ${parameter.in} ${parameter.name}`;
      // A value of a URL is text: it may stand for a number or a boolean where the schema takes one.
      const readings = [
        text,
        ...(/^-?\d+$/.test(text) ? [Number(text)] : []),
        ...(text === "true" ? [true] : []),
        ...(text === "false" ? [false] : []),
      ];
      const failures = readings.map((reading) => this.#problems(key, () => parameter.schema, reading));
      if (failures.every((failure) => failure.length > 0))
        problems.push(`${parameter.in} parameter ${parameter.name}: ${failures.at(-1)?.join(", ")}`);
    }
    return problems;
  }

  #request(template: string, operation: Operation, exchange: Exchange): string[] {
    const content = operation.requestBody?.content ?? {};
    const schema = content["application/json"]?.schema;
    if (schema === undefined) {
      const empty = exchange.requestBody === undefined || JSON.stringify(exchange.requestBody) === "{}";
      return empty || Object.keys(content).length > 0 ? [] : ["the request has a body, the operation takes none"];
    }
    if (exchange.requestBody === undefined) {
      return operation.requestBody?.required === true && exchange.status < 300 ? ["the request has no body"] : [];
    }
    // What the server refused may be wrong: then it was right to refuse it.
    const key = `${exchange.method} ${template} request`;
    const problems = this.#problems(key, () => closed(schema, this.#description.components), exchange.requestBody);
    return problems.map((problem) => `request body: ${problem}`);
  }

  #response(template: string, operation: Operation, exchange: Exchange): string[] {
    const { status, responseBody } = exchange;
    const listed = operation.responses[String(status)];
    // The answer to `If-None-Match`, which the description leaves out.
    if (status === 304 && responseBody === undefined) return [];
    if (listed === undefined || (status >= 400 && REFUSALS.has(status))) {
      if (!REFUSALS.has(status))
        return [
          `status ${status} is not among ${Object.keys(operation.responses).join(", ")}: ${JSON.stringify(responseBody)}`,
        ];
      const name = isRecord(responseBody) && "errors" in responseBody ? "validation-error" : "basic-error";
      if (status === 404 && responseBody === undefined) return [];
      if (status === 409 && template.endsWith("/deployments")) return [];
      const problems = this.#problems(name, () => ({ $ref: `#/components/schemas/${name}` }), responseBody);
      return problems.map((problem) => `response ${status}: ${problem}`);
    }
    const schema = this.#resolve<Body>(listed).content?.["application/json"]?.schema;
    if (schema === undefined)
      return responseBody === undefined ? [] : [`status ${status} has no body, but one was sent`];
    // Bytes of an asset or a raw file are not shown to the observer.
    if (responseBody === undefined)
      return exchange.responseHeaders["content-type"]?.startsWith("application/json") === true
        ? [`status ${status} has a body, but none was sent`]
        : [];
    const key = `${exchange.method} ${template} ${status}`;
    return this.#problems(key, () => schema, responseBody).map((problem) => `response ${status}: ${problem}`);
  }

  #resolve<T>(node: T | { readonly $ref: string }): T {
    if (!isRecord(node) || typeof node["$ref"] !== "string") return node as T;
    const [, , kind = "", name = ""] = node["$ref"].split("/");
    return this.#description.components[kind]?.[name] as T;
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** References of a schema that is compiled by itself point into the registered description. */
function absolute(schema: Schema): Schema {
  return JSON.parse(JSON.stringify(schema).replaceAll('"$ref":"#/', '"$ref":"gh#/')) as Schema;
}

let checker: Checker | undefined;

/** An observer for `startSandbox` that checks each call against the description (read once a process: 0.2 s). */
export function openApiObserver(): OpenApiObserver {
  checker ??= new Checker();
  const current = checker;
  const violations: string[] = [];
  let requests = 0;
  return {
    observer: (exchange) => {
      requests += 1;
      for (const problem of current.check(exchange)) violations.push(`${exchange.method} ${exchange.path}: ${problem}`);
    },
    violations: () => violations,
    requests: () => requests,
  };
}
