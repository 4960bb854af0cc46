/** A text as GitHub's expression language writes it. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** A text that means itself in a workflow: what would begin an expression is itself written as one. */
export function literal(text: string): string {
  return text.replaceAll("${{", "${{ '${{' }}");
}
