/** One API call as the server saw it. Bodies are parsed JSON, undefined when empty or not JSON. */
export interface Exchange {
  readonly method: string;
  /** Path below `/api/v3`, without query. */
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly requestBody: unknown;
  readonly status: number;
  readonly responseHeaders: Readonly<Record<string, string>>;
  readonly responseBody: unknown;
}

/** Sees every call; must not change it. Used by the tests to check each one against GitHub's API description. */
export type Observer = (exchange: Exchange) => void;
