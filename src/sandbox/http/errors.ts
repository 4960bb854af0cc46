/** An answer that is not a success, in GitHub's shape and words. Thrown by routes, answered by the server. */
export class ApiError extends Error {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    status: number,
    message: string,
    extra: Readonly<Record<string, unknown>> = {},
    headers: Readonly<Record<string, string>> = {},
  ) {
    super(message);
    this.status = status;
    this.body = { message, ...extra, documentation_url: "https://docs.github.com/rest", status: String(status) };
    this.headers = headers;
  }
}

export const notFound = (): ApiError => new ApiError(404, "Not Found");
export const badCredentials = (): ApiError => new ApiError(401, "Bad credentials");
export const requiresAuthentication = (): ApiError => new ApiError(401, "Requires authentication");

/** What a job's token gets that lacks a right; the header names what would do, as GitHub's does. */
export const notAccessible = (accepted: readonly string[]): ApiError =>
  new ApiError(
    403,
    "Resource not accessible by integration",
    {},
    { "x-accepted-github-permissions": accepted.map((need) => need.replaceAll("-", "_").replace(":", "=")).join("; ") },
  );

export interface FieldError {
  readonly resource: string;
  readonly code: "missing" | "missing_field" | "invalid" | "already_exists" | "unprocessable" | "custom";
  readonly field?: string;
  readonly message?: string;
}

export const validationFailed = (...errors: readonly FieldError[]): ApiError =>
  new ApiError(422, "Validation Failed", { errors });

/** The answer to a body that does not fit the operation. */
export const invalidRequest = (problem: string): ApiError => new ApiError(422, `Invalid request.\n\n${problem}`);

/** Longest body of a comment, an issue, a pull request or a release, in characters. */
export const MAX_BODY = 65_536;

export function checkBody(resource: string, body: string | null | undefined): void {
  if (body === null || body === undefined || body.length <= MAX_BODY) return;
  throw validationFailed({
    resource,
    code: "unprocessable",
    field: "data",
    message: `Body is too long (maximum is ${MAX_BODY} characters)`,
  });
}
