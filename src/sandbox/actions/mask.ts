/** Replaces secrets in text by `***`, in the forms in which they commonly get into a log. */
export class Masker {
  readonly #secrets = new Set<string>();
  #sorted: string[] | undefined;

  add(secret: string): void {
    const forms = [secret, ...secret.split(/\r?\n/u)].flatMap((form) => [
      form,
      JSON.stringify(form).slice(1, -1),
      encodeURIComponent(form),
      Buffer.from(form).toString("base64"),
    ]);
    for (const form of forms) if (form.trim() !== "") this.#secrets.add(form);
    this.#sorted = undefined;
  }

  mask(value: string): string {
    // Longest first: a secret may hold another one.
    this.#sorted ??= [...this.#secrets].toSorted((a, b) => b.length - a.length);
    return this.#sorted.reduce((masked, secret) => masked.replaceAll(secret, "***"), value);
  }

  holds(value: string): boolean {
    return this.mask(value) !== value;
  }
}
